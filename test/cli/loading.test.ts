/** Packages for the network are only loaded if it is used. `demo.test.ts` shows the same for the demo. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { signedSmallProcess } from '../modules/small-process.ts'
import { expectError, run, unitsOf } from './command.ts'
import { copyOffLine } from './off-line-copy.ts'
import { pullSmall } from './small-archive.ts'

let folder: string
let offLine: ReturnType<typeof copyOffLine>
const inFolder = (name: string) => path.join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-loading-'))
  mkdirSync(inFolder('copy'))
  offLine = copyOffLine(inFolder('copy'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the packages for the network', () => {
  it.each(['arweave', 'arweave-graphql'])('are in a bundle of their own (%s)', (name) => {
    expect(offLine.bundlesWith(name)).toHaveLength(1)
  })

  it.each(['cross-fetch', 'node-fetch', 'form-data'])('are bundled without the unused transport %s', (name) => {
    expect(offLine.bundlesWith(name)).toEqual([])
  })

  it.each([[['--version']], [['audit', '--help']]])('are not loaded by %j', async (args) => {
    expect(await run(args, offLine)).toMatchObject({ code: 0, stderr: '' })
  })

  it('are not loaded by the audit of an archive', async () => {
    await pullSmall(inFolder('small.tar.gz'), inFolder('store'))
    expect(await run(['audit', '--archive', inFolder('small.tar.gz')], offLine)).toMatchObject({ code: 0, stderr: '' })
  })

  it('are loaded if a gateway is asked', async () => {
    const format = 'wasm32-unknown-emscripten4'
    const small = await signedSmallProcess({ format, wasm: await compileSmallModule(format), messages: ['echo a'] })
    const network = await startFakeNetwork(small)
    try {
      const args = ['pull', small.process.process_id, ...unitsOf(network), '--store', inFolder('other'), '-o', inFolder('none')]
      const line = 'ao-audit: arweave-graphql is loaded (a fault of ao-audit itself; --verbose shows where)'
      expectError(await run([...args, '--quiet'], offLine), 4, line)
    } finally {
      await network.close()
    }
  })
})
