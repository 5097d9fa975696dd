/** The manifest of an archive, and the limits that apply when it is written and when it is read (archive §3). */
import { z } from 'zod'
import { AuditError } from '../model/errors.ts'
import { nestsDeeperThan, RECORD_MAX_DEPTH } from '../util/json-depth.ts'

/** The records, one per line: `[key, value]` as JSON, in the order of keys. */
export const RECORDS = 'records.jsonl'
export const MANIFEST = 'manifest.json'
const SCHEMA = 'ao-audit/archive/v1'

export const MANIFEST_MAX_BYTES = 32 * 1024 * 1024
/** One record. */
export const LINE_MAX_BYTES = 128 * 1024 * 1024
const BLOB_MAX_BYTES = 512 * 1024 * 1024
/** The whole archive, unpacked. */
const TOTAL_MAX_BYTES = 64 * 1024 ** 3
const ENTRIES_MAX = 100_000
const TAR_BLOCK_BYTES = 512
const TAR_END_BYTES = 1024

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const recordsSchema = z.strictObject({ name: z.literal(RECORDS), bytes: z.int().min(0).max(TOTAL_MAX_BYTES), sha256 })
const blobSchema = z
  .strictObject({ name: z.string(), bytes: z.int().min(0).max(BLOB_MAX_BYTES), sha256 })
  .refine((blob) => blob.name === `blobs/${blob.sha256}`)
const manifestSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  subject: z.unknown(),
  entries: z
    .tuple([recordsSchema], blobSchema)
    .refine((entries) => entries.length <= ENTRIES_MAX)
    .refine((entries) => entries.every(({ name }, place) => place < 2 || (entries[place - 1]?.name ?? '') < name))
})

/** A file within an archive. Its name is `records.jsonl` or `blobs/<SHA-256>`, nothing else. */
export interface ArchiveEntry {
  readonly name: string
  readonly bytes: number
  /** Lowercase hex. */
  readonly sha256: string
}

export interface ArchiveManifest {
  /** The subject of the archive, in its writer's words. */
  readonly subject: unknown
  /** In the order of the file: the records first, then the blobs sorted by name. */
  readonly entries: readonly ArchiveEntry[]
}

/** @throws AuditError `USAGE` if the archive would be too large to be read again */
export function manifestBytes({ subject, entries }: ArchiveManifest): Buffer {
  const manifest = { schema: SCHEMA, subject, entries }
  const bytes = Buffer.from(`${JSON.stringify(manifest)}\n`)
  const fits = bytes.byteLength <= MANIFEST_MAX_BYTES && unpackedBytes(bytes.byteLength, entries) <= TOTAL_MAX_BYTES
  if (fits && manifestSchema.safeParse(manifest).success) return bytes
  throw new AuditError('USAGE', 'this is more than an archive can hold', { hint: 'take fewer messages, with --from and --to' })
}

/** @throws AuditError `ARCHIVE_INVALID` */
export function parseManifest(bytes: Buffer): ArchiveManifest {
  const parsed = manifestSchema.safeParse(parseCanonicalJson(bytes.subarray(0, -1)))
  if (bytes.at(-1) !== 10 || !parsed.success) throw invalidArchive('this version cannot read its manifest')
  const { subject, entries } = parsed.data
  if (unpackedBytes(bytes.byteLength, entries) > TOTAL_MAX_BYTES) throw invalidArchive('it unpacks to too many bytes')
  return { subject, entries }
}

/**
 * Parses JSON that is exactly in the form in which a writer writes it: without repeated keys, numbers beyond a double, invalid
 * UTF-8 or nesting deeper than that of a record.
 *
 * @throws AuditError `ARCHIVE_INVALID`; its message never quotes the text
 */
export function parseCanonicalJson(bytes: Buffer): unknown {
  try {
    const text = bytes.toString()
    const value: unknown = nestsDeeperThan(text, RECORD_MAX_DEPTH) ? undefined : JSON.parse(text)
    if (value !== undefined && Buffer.from(JSON.stringify(value)).equals(bytes)) return value
  } catch {
    // The error below replaces the parser's own, which quotes the text.
  }
  throw invalidArchive('it holds JSON that no archive writer produces')
}

/** The size of the whole tar: for each entry a header and the content in full blocks, then the end. */
export function unpackedBytes(manifestLength: number, entries: readonly ArchiveEntry[]): number {
  const sizes = [manifestLength, ...entries.map(({ bytes }) => bytes)]
  const blocks = sizes.map((bytes) => 1 + Math.ceil(bytes / TAR_BLOCK_BYTES))
  return blocks.reduce((sum, count) => sum + count, 0) * TAR_BLOCK_BYTES + TAR_END_BYTES
}

/** @param why the project's own words, which follow "is not a valid archive:" */
export function invalidArchive(why: string): AuditError {
  return new AuditError('ARCHIVE_INVALID', why)
}
