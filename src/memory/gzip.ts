/** Unpacks memories from gzip files (RFC 1952), chunk by chunk. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createInflateRaw } from 'node:zlib'

/** The size of a chunk: zlib's default of 16 KiB takes five times as long. */
export const GZIP_CHUNK_BYTES = 1024 * 1024
/** gzip, deflate, no optional field. */
const PLAIN_START = Buffer.from([0x1f, 0x8b, 8, 0])
const HEADER_BYTES = 10
const TRAILER_BYTES = 8

/** Builds a result from a memory's chunks. */
export interface StreamReader<T> {
  take(chunk: Buffer): void
  end(): T
}

/**
 * Unpacks a file. It does not check the checksum of a file that is a single plain member, which would take a fifth of the time:
 * every caller knows the SHA-256 of the memory or of the file, computes it, or has just written the file.
 *
 * @param begin called a second time if the file must be read from its beginning again
 * @returns the result of the last reader
 * @throws errors of zlib, of the file system and of the reader as they are
 */
export async function readGzip<T>(file: string, begin: () => StreamReader<T>): Promise<T> {
  const read = (await readPlain(file, begin())) ?? (await readAny(file, begin()))
  return read.end()
}

/** @returns undefined if the file is not a single plain member: gunzip handles every other file */
async function readPlain<T>(file: string, reading: StreamReader<T>): Promise<StreamReader<T> | undefined> {
  const bodyBytes = await plainBytes(file)
  if (bodyBytes < 1) return undefined
  const inflate = createInflateRaw({ chunkSize: GZIP_CHUNK_BYTES })
  const body = createReadStream(file, { start: HEADER_BYTES, end: HEADER_BYTES + bodyBytes - 1 })
  let taking = false
  const take = (chunk: Buffer) => {
    taking = true
    reading.take(chunk)
    taking = false
  }
  try {
    await unpack(body, inflate, take)
  } catch (error) {
    // A second reading would fail in the same way.
    if (taking) throw error
    return undefined
  }
  return inflate.bytesWritten === bodyBytes ? reading : undefined
}

async function readAny<T>(file: string, reading: StreamReader<T>): Promise<StreamReader<T>> {
  await unpack(createReadStream(file), createGunzip({ chunkSize: GZIP_CHUNK_BYTES }), reading.take)
  return reading
}

/** The number of bytes between a plain header and the trailer; 0 for another header. */
async function plainBytes(file: string): Promise<number> {
  const handle = await open(file)
  try {
    const start = Buffer.alloc(PLAIN_START.byteLength)
    await handle.read(start, 0, start.byteLength, 0)
    return start.equals(PLAIN_START) ? (await handle.stat()).size - HEADER_BYTES - TRAILER_BYTES : 0
  } finally {
    await handle.close()
  }
}

async function unpack(packed: Readable, unzip: Transform, take: (chunk: Buffer) => void): Promise<void> {
  const ended = pipeline(packed, unzip)
  // The loop below throws the same error.
  ended.catch(() => {})
  for await (const chunk of unzip) take(chunk as Buffer)
  await ended
}
