import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { packedMemory } from '../../../src/replay/sandbox/pack.ts'

const CHUNK = 256 * 1024
const packed = (memory: Uint8Array) => Buffer.concat([...packedMemory(memory)])

describe('packedMemory', () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])(
    'packs %i bytes into gzip that unpacks to the same bytes',
    (bytes) => {
      const memory = Buffer.alloc(bytes)
      expect(gunzipSync(packed(memory)).equals(memory)).toBe(true)
      for (const place of [0, CHUNK - 1, CHUNK, bytes - 1].filter((at) => at >= 0 && at < bytes)) {
        const used = Buffer.from(memory)
        used[place] = 7
        expect(gunzipSync(packed(used)).equals(used)).toBe(true)
      }
    }
  )

  it('packs a mostly unused memory into a small file', () => {
    const memory = Buffer.alloc(64 * CHUNK)
    memory.writeUInt8(1, 40 * CHUNK)
    expect(packed(memory).byteLength).toBeLessThan(memory.byteLength / 500)
  })
})
