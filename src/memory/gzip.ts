/** Memories that lie in files as gzip (RFC 1952), unpacked chunk by chunk. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createInflateRaw } from 'node:zlib'

/** Of a memory, at once: zlib's own 16 KiB take five times as long. */
export const GZIP_CHUNK_BYTES = 1024 * 1024
/** gzip, deflate, no field that may be left out. */
const PLAIN_START = Buffer.from([0x1f, 0x8b, 8, 0])
const HEADER_BYTES = 10
const TRAILER_BYTES = 8

/** What is made of a memory's chunks. */
export interface StreamReader<T> {
  take(chunk: Buffer): void
  end(): T
}

/**
 * Unpacks a file. The checksum of one that is a single plain member is not looked at, for that takes a fifth of the time: whoever
 * reads a memory knows its SHA-256 or that of the file, makes it, or has just written the file.
 *
 * @param begin called a second time where the file has to be read from its beginning again
 * @returns what the last reading comes to
 * @throws zlib's and the file system's errors, and what a reading throws, as they are
 */
export async function readGzip<T>(file: string, begin: () => StreamReader<T>): Promise<T> {
  const read = (await readPlain(file, begin())) ?? (await readAny(file, begin()))
  return read.end()
}

/** @returns undefined where the file is not a single plain member: whatever else it is, gunzip says */
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
    // What a reading refused it would refuse again.
    if (taking) throw error
    return undefined
  }
  return inflate.bytesWritten === bodyBytes ? reading : undefined
}

async function readAny<T>(file: string, reading: StreamReader<T>): Promise<StreamReader<T>> {
  await unpack(createReadStream(file), createGunzip({ chunkSize: GZIP_CHUNK_BYTES }), reading.take)
  return reading
}

/** What lies between a plain header and the trailer; 0 behind another header. */
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
  // What goes wrong comes to whoever reads, too.
  ended.catch(() => {})
  for await (const chunk of unzip) take(chunk as Buffer)
  await ended
}
