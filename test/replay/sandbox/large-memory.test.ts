import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { expect, it } from 'vitest'
import { answersOf, order, smallSetup, withSandbox } from './small.ts'

const PAGES = 32_800
const BYTES = PAGES * 65_536

it('a sandbox hashes and writes a memory of more than 2 GiB, and restores it after a failure', {
  timeout: 300_000
}, async () => {
  const small = await smallSetup('wasm32-unknown-emscripten4', { initialPages: PAGES, maximumPages: PAGES })
  try {
    await withSandbox(small, async (sandbox) => {
      const { results } = await sandbox.run(['count', 'error', 'count'].map((word) => order(word)))
      expect(answersOf(results)).toEqual(['1', { error: 'boom' }, '2'])
      const { sha256, memoryBytes } = await sandbox.state()
      expect(memoryBytes).toBe(BYTES)
      const file = path.join(small.folder, 'memory.gz')
      await sandbox.exportTo(file)
      const hash = createHash('sha256')
      let bytes = 0
      await pipeline(createReadStream(file), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          hash.update(chunk)
          bytes += chunk.byteLength
        }
      })
      expect([bytes, hash.digest('hex')]).toEqual([BYTES, sha256])
    })
  } finally {
    small.remove()
  }
})
