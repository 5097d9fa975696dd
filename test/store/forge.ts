/** Forges archives as somebody who knows the format would: they have faults, but their hashes are correct. */
import { createHash } from 'node:crypto'
import { constants, crc32, deflateRawSync } from 'node:zlib'
import tar, { type Header } from 'tar-stream'

export interface ForgedEntry {
  readonly name: string
  readonly content: string | Buffer
  readonly type?: 'symlink' | 'directory' | 'contiguous-file'
  /** A false hash to claim instead of the content's. */
  readonly sha256?: string
  readonly pax?: Record<string, string>
}

export const hashOf = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')

export const blob = (content: string): ForgedEntry => ({ name: `blobs/${hashOf(content)}`, content })

/** The file of records, one per line. */
export const records = (...lines: readonly unknown[]): ForgedEntry => ({
  name: 'records.jsonl',
  content: lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')
})

/** The manifest that belongs to these entries. */
export function manifestOf(entries: readonly ForgedEntry[], more: object = {}): ForgedEntry {
  const listed = entries.map(({ name, content, sha256 }) => ({
    name,
    bytes: Buffer.byteLength(content),
    sha256: sha256 ?? hashOf(content)
  }))
  return {
    name: 'manifest.json',
    content: `${JSON.stringify({ schema: 'ao-audit/archive/v1', subject: { of: 'a test' }, entries: listed, ...more })}\n`
  }
}

export async function tarOf(entries: readonly ForgedEntry[]): Promise<Buffer> {
  const pack = tar.pack()
  for (const { name, content, type = 'file', pax } of entries) {
    const header: Pick<Header, 'name' | 'type' | 'mode' | 'mtime' | 'pax'> = {
      name,
      type,
      mode: 0o644,
      mtime: new Date(0),
      ...(pax === undefined ? {} : { pax })
    }
    if (type === 'symlink') pack.entry({ ...header, linkname: content.toString() })
    else if (type === 'directory') pack.entry(header)
    else pack.entry(header, content)
  }
  pack.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of pack as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export interface Wrapping {
  /** Bytes between the compressed content and the trailer. */
  readonly behind?: Buffer
  /** The compressed content has no end mark: the bytes after it are read as more of it. */
  readonly endless?: boolean
  readonly crc32?: number
  readonly length?: number
}

/** Packs content as gzip (RFC 1952) with the archive's header. */
export function gzipOf(content: Buffer, { behind = Buffer.alloc(0), endless = false, ...claimed }: Wrapping = {}): Buffer {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(claimed.crc32 ?? crc32(content), 0)
  trailer.writeUInt32LE(claimed.length ?? content.byteLength, 4)
  const packed = deflateRawSync(content, { level: 9, finishFlush: endless ? constants.Z_SYNC_FLUSH : constants.Z_FINISH })
  const body = Buffer.concat([packed, behind, trailer])
  const start = Buffer.from('1f8b08040000000002ff2400414f2000', 'hex')
  return Buffer.concat([start, createHash('sha256').update(body).digest(), body])
}
