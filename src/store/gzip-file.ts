/**
 * A gzip file (RFC 1952; archive §1) that reveals any changed byte and any cut. Its header is always the same except for the extra
 * field `AO`, the SHA-256 of everything after the header. Without it a decompressor would ignore changes in the padding and in the
 * header, and bytes after the end. Every gzip tool reads such a file.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createGzip, createInflateRaw } from 'node:zlib'
import { sha256OfFile } from './file-hash.ts'
import { invalidArchive } from './manifest.ts'
import { type OutputTarget, replaceFile } from './output-file.ts'

const ZLIB_HEADER_BYTES = 10
/** gzip, deflate, an extra field, no time, best compression, no operating system; the field `AO` of 32 bytes follows. */
const HEADER_START = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 2, 255, 36, 0, 0x41, 0x4f, 32, 0])
const HEADER_BYTES = HEADER_START.byteLength + 32
/** CRC-32 and length, both little-endian. */
const TRAILER_BYTES = 8

/**
 * Packs all of `source` into a file. If that fails, the file stays as it was. The same content gives the same bytes.
 *
 * @throws AuditError `OUTPUT_UNUSABLE` if it cannot be written, or is no regular file: its header is written last
 */
export async function writeGzip(source: AsyncIterable<Uint8Array>, target: OutputTarget): Promise<void> {
  await replaceFile(target, async (temporary) => {
    const body = createHash('sha256')
    const file = createWriteStream(temporary, { start: HEADER_BYTES, flags: 'wx' })
    await pipeline(source, createGzip({ level: 9 }), bodyOnly(body), file)
    await writeHeader(temporary, body.digest())
  })
}

/** Drops the compressor's own header, which names the operating system: archives made on two systems would differ. */
function bodyOnly(hash: Hash): Transform {
  let skip = ZLIB_HEADER_BYTES
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const body = chunk.subarray(Math.min(skip, chunk.byteLength))
      skip -= chunk.byteLength - body.byteLength
      hash.update(body)
      done(null, body)
    }
  })
}

async function writeHeader(file: string, digest: Buffer): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.write(Buffer.concat([HEADER_START, digest]), 0, HEADER_BYTES, 0)
  } finally {
    await handle.close()
  }
}

/** The unpacked size of a file: first an upper bound, then, once its manifest is read, the exact size. */
export interface UnpackedSize {
  maxBytes: number
}

/** A file that was checked to be as `writeGzip` wrote it. */
export interface GzipFile {
  readonly file: string
  readonly bodyBytes: number
  readonly trailer: Buffer
}

/**
 * Checks a whole file before any of it is unpacked.
 *
 * @throws AuditError `ARCHIVE_INVALID` if a byte is changed, missing or added; errors of the file system as they are
 */
export async function checkGzip(file: string): Promise<GzipFile> {
  const stats = await stat(file)
  if (stats.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' })
  const bodyBytes = stats.size - HEADER_BYTES - TRAILER_BYTES
  if (!stats.isFile() || bodyBytes < 1) throw invalidArchive('it does not begin like one')
  const header = await bytesAt(file, 0, HEADER_BYTES)
  if (!header.subarray(0, HEADER_START.byteLength).equals(HEADER_START)) throw invalidArchive('it does not begin like one')
  const digest = await sha256OfFile(file, HEADER_BYTES)
  if (!header.subarray(HEADER_START.byteLength).equals(digest)) throw invalidArchive('it was cut or changed')
  return { file, bodyBytes, trailer: await bytesAt(file, HEADER_BYTES + bodyBytes, TRAILER_BYTES) }
}

async function bytesAt(file: string, start: number, length: number): Promise<Buffer> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, start)
    if (bytesRead !== length) throw invalidArchive('it was cut short')
    return buffer
  } finally {
    await handle.close()
  }
}

/**
 * Unpacks a file into `target`.
 *
 * @param size `maxBytes` may be lowered while it unpacks; at the end the size must equal it
 * @throws AuditError `ARCHIVE_INVALID`; zlib's errors as they are
 */
export async function unpackGzip(
  { file, bodyBytes, trailer }: GzipFile,
  target: NodeJS.WritableStream,
  size: UnpackedSize
): Promise<void> {
  const inflate = createInflateRaw()
  const unpacked = { bytes: 0, crc32: 0 }
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      unpacked.bytes += chunk.byteLength
      unpacked.crc32 = crc32(chunk, unpacked.crc32)
      if (unpacked.bytes > size.maxBytes) done(invalidArchive('it unpacks to more bytes than it declares'))
      else done(null, chunk)
    }
  })
  const source = createReadStream(file, { start: HEADER_BYTES, end: HEADER_BYTES + bodyBytes - 1 })
  await pipeline(source, inflate, measure, target)
  const whole =
    inflate.bytesWritten === bodyBytes &&
    unpacked.bytes === size.maxBytes &&
    unpacked.crc32 === trailer.readUInt32LE(0) &&
    unpacked.bytes % 2 ** 32 === trailer.readUInt32LE(4)
  if (!whole) throw invalidArchive('its length or checksum is wrong')
}
