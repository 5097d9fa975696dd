/**
 * Runs the examples with the package installed in an empty folder. This needs a registry, so it only happens if AO_AUDIT_EXAMPLES is
 * set: `npm run test:examples`.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { createData, EthereumSigner } from 'arbundles'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NODE, send } from '../httpsig/sample-node.ts'
import { ROOT } from './command.ts'
import { pullSmall } from './small-archive.ts'

const call = promisify(execFile)
let folder: string
let archive: string

const inFolder = (...names: readonly string[]) => path.join(folder, ...names)
const example = async (name: string, ...args: readonly string[]) => {
  const file = inFolder('node_modules', 'ao-audit', 'examples', name)
  return (await call(process.execPath, [file, ...args], { cwd: folder, env: { ...process.env, XDG_CACHE_HOME: folder } }))
    .stdout
}

describe.skipIf(process.env['AO_AUDIT_EXAMPLES'] === undefined)(
  'an example in an installed package',
  { timeout: 300_000 },
  () => {
    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-examples-'))
      await call('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT })
      const [packed = ''] = readdirSync(folder)
      writeFileSync(inFolder('package.json'), '{"private":true,"type":"module"}')
      await call('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', inFolder(packed)], { cwd: folder })
      archive = inFolder('small.tar.gz')
      await pullSmall(archive, inFolder('store'))
    }, 300_000)
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    it('audits an archive', async () => {
      expect((await example('audit-archive.mjs', archive)).split('\n')[0]).toBe('match 4 of 4 evaluations')
    })

    it('reads every evaluation behind the verdict of an archive', async () => {
      const lines = (await example('audit-evaluations.mjs', archive)).trim().split('\n')
      expect(lines.shift()).toBe('match')
      expect(lines.map((line) => line.replace(/ http:\S+ /, ' '))).toEqual(['0 match', '1 match', '2 match', '3 match'])
    })

    it('replays an archive to the hash of its last memory', async () => {
      const lines = (await example('replay-archive.mjs', archive)).trim().split('\n')
      expect(lines.slice(1, 4)).toEqual(['1 result "a"', '2 result "b"', '3 result "c"'])
      expect(lines.at(-1)).toMatch(/^memory after nonce 3: [0-9a-f]{64}$/)
    })

    it('verifies the schedule of an archive', async () => {
      const lines = (await example('verify-schedule.mjs', archive)).trim().split('\n')
      expect(lines.length).toBe(5)
      for (const line of lines.slice(1)) expect(line).toMatch(/^\d [\w-]{43} signed$/)
    })

    it('verifies a data item', async () => {
      const item = createData('hello', new EthereumSigner('1'.repeat(64)), { tags: [{ name: 'Action', value: 'Greet' }] })
      await item.sign(new EthereumSigner('1'.repeat(64)))
      writeFileSync(inFolder('item.bin'), item.getRaw())
      expect(await example('verify-item.mjs', inFolder('item.bin'))).toMatch(/^valid signed by [\w-]{43}\n {2}Action Greet\n$/)
    })

    it('verifies an answer of a node', async () => {
      const { headers, body } = send({ fields: [['Slot', '7']] })
      const server = createServer((_, response) => response.writeHead(200, headers.flat()).end(body))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const words = await example('verify-answer.mjs', `http://127.0.0.1:${port}/`)
      server.close()
      expect(words).toBe(`signed by ${NODE.address}\n  Slot 7\nchecksum hmac-sha256\n`)
    })

    it('type-checks under the strictest options, with every entry of the package', async () => {
      writeFileSync(
        inFolder('use.ts'),
        `import { audit, type Report } from 'ao-audit'
import { parseDataItem } from 'ao-audit/ans104'
import { verifyHttpMessage } from 'ao-audit/httpsig'
import { LEGACYNET, openArchive, planEvaluations, replay } from 'ao-audit/replay'
import { createScheduleVerifier } from 'ao-audit/verify'

const report: Report = await audit({ archive: 'a' })
const archive = await openArchive('a')
for await (const { outcome } of replay({ setup: archive.setup, profile: LEGACYNET, plan: () => planEvaluations(archive.planInputs()) }))
  console.log(outcome.kind, report.verdict, parseDataItem(new Uint8Array()).ok, verifyHttpMessage([], new Uint8Array()).ok)
export const verifier = createScheduleVerifier({ process: archive.process, schedulerAddress: archive.process.scheduler })
`
      )
      const flags = [
        '--noEmit',
        '--strict',
        '--exactOptionalPropertyTypes',
        '--noUncheckedIndexedAccess',
        '--module',
        'nodenext'
      ]
      const typescript = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
      const { stdout } = await call(process.execPath, [typescript, ...flags, '--target', 'es2023', 'use.ts'], {
        cwd: folder
      }).catch((error: { stdout: string }) => error)
      expect(stdout).toBe('')
    })
  }
)
