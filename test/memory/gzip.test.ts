import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createGunzip, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GZIP_CHUNK_BYTES, readGzip } from '../../src/memory/gzip.ts'

const FNAME = 8
const CRC_OFFSET_FROM_END = 8
let folder: string
let file: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-gzip-'))
  file = path.join(folder, 'memory.gz')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The content read from a file with these bytes, or the error, and how often the reading began. */
async function read(bytes: Uint8Array): Promise<{ readonly found: Buffer | string; readonly readings: number }> {
  writeFileSync(file, bytes)
  let readings = 0
  const begin = () => {
    readings++
    const chunks: Buffer[] = []
    return { take: (chunk: Buffer) => void chunks.push(chunk), end: () => Buffer.concat(chunks) }
  }
  const found = await readGzip(file, begin).catch((error: Error) => error.message)
  return { found, readings }
}

/** The result of zlib's own stream for the same bytes. */
async function gunzipped(bytes: Uint8Array): Promise<Buffer | string> {
  const stream = createGunzip()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
  stream.end(bytes)
  return once(stream, 'end').then(
    () => Buffer.concat(chunks),
    (error: Error) => error.message
  )
}

function withName(packed: Buffer): Buffer {
  const header = Buffer.from(packed.subarray(0, 10))
  header[3] = FNAME
  return Buffer.concat([header, Buffer.from('memory\0'), packed.subarray(10)])
}

const contents = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.nat(GZIP_CHUNK_BYTES + 10_000).map((bytes) => new Uint8Array(bytes))
)

describe('a packed memory', () => {
  it('is read as gunzip reads it, for any members and compression levels', async () => {
    const members = fc.array(fc.tuple(contents, fc.integer({ min: 0, max: 9 }), fc.boolean()), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(members, async (parts) => {
        const packed = parts.map(([content, level, named]) => {
          const one = gzipSync(content, { level })
          return named ? withName(one) : one
        })
        const { found } = await read(Buffer.concat(packed))
        expect(Buffer.concat(parts.map(([content]) => content)).equals(found as Buffer)).toBe(true)
      }),
      { numRuns: 20 }
    )
  })

  it('is read only once if it is a single plain member', async () => {
    const content = Buffer.alloc(2 * GZIP_CHUNK_BYTES + 5, 7)
    const packed = gzipSync(content)
    const plain = await read(packed)
    const named = await read(withName(packed))
    const more = await read(Buffer.concat([packed, gzipSync('more')]))
    expect([plain.readings, named.readings, more.readings]).toEqual([1, 2, 2])
    for (const { found } of [plain, named]) expect(content.equals(found as Buffer)).toBe(true)
    expect(Buffer.concat([content, Buffer.from('more')]).equals(more.found as Buffer)).toBe(true)
  })

  it('gives the same result as gunzip if it is cut, continues after its end or is no gzip', async () => {
    const packed = gzipSync(Buffer.from('a memory of some length, and some more of it'))
    const cuts = Array.from({ length: packed.length }, (_, length) => packed.subarray(0, length))
    const others = [Buffer.from('no gzip'), Buffer.concat([packed, Buffer.from('behind its end')])]
    for (const bytes of [...cuts, ...others]) expect((await read(bytes)).found).toEqual(await gunzipped(bytes))
  })

  it('need not have the correct checksum', async () => {
    const content = Buffer.from('a memory')
    const packed = gzipSync(content)
    packed.writeUInt32LE(0, packed.length - CRC_OFFSET_FROM_END)
    expect((await read(packed)).found).toEqual(content)
  })

  it('is neither read further nor read again if the reader rejects it', async () => {
    writeFileSync(file, gzipSync('a memory'))
    let readings = 0
    const refuse = () => {
      throw new Error('refused')
    }
    const begin = () => {
      readings++
      return { take: refuse, end: () => undefined }
    }
    await expect(readGzip(file, begin)).rejects.toThrow('refused')
    expect(readings).toBe(1)
    await expect(readGzip(path.join(folder, 'none'), begin)).rejects.toThrow('no such file')
  })
})
