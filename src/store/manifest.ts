/** What an archive says of itself, and the bounds that it keeps to when it is written and when it is read (archive §3). */
import { z } from 'zod'
import { AuditError } from '../model/errors.ts'
import { nestsDeeperThan, RECORD_MAX_DEPTH } from '../util/json-depth.ts'

/** The records, one a line: `[key, value]` as JSON, in the order of keys. */
export const RECORDS = 'records.jsonl'
export const MANIFEST = 'manifest.json'
const SCHEMA = 'ao-audit/archive/v1'

export const MANIFEST_MAX_BYTES = 32 * 1024 * 1024
/** One record. */
export const LINE_MAX_BYTES = 128 * 1024 * 1024
const BLOB_MAX_BYTES = 512 * 1024 * 1024
/** All of it, unpacked. */
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
  /** What the archive is of, as its writer put it. */
  readonly subject: unknown
  /** The records first, then the blobs in the order of their names, in the order in which they lie in the file. */
  readonly entries: readonly ArchiveEntry[]
}

/** @throws AuditError `USAGE` where an archive would be too large to be read again */
export function manifestBytes({ subject, entries }: ArchiveManifest): Buffer {
  const manifest = { schema: SCHEMA, subject, entries }
  const bytes = Buffer.from(`${JSON.stringify(manifest)}\n`)
  const fits = bytes.byteLength <= MANIFEST_MAX_BYTES && unpackedBytes(bytes.byteLength, entries) <= TOTAL_MAX_BYTES
  if (fits && manifestSchema.safeParse(manifest).success) return bytes
  throw new AuditError('USAGE', 'this is more than an archive holds', { hint: 'take fewer messages, with --from and --to' })
}

/** @throws AuditError `ARCHIVE_INVALID` */
export function parseManifest(bytes: Buffer): ArchiveManifest {
  const parsed = manifestSchema.safeParse(parseCanonicalJson(bytes.subarray(0, -1)))
  if (bytes.at(-1) !== 10 || !parsed.success) throw invalidArchive('its manifest is none that this version reads')
  const { subject, entries } = parsed.data
  if (unpackedBytes(bytes.byteLength, entries) > TOTAL_MAX_BYTES) throw invalidArchive('it unpacks to too much')
  return { subject, entries }
}

/**
 * JSON in the one form that a writer gives it: so there is no second key of a name, no number beyond a double, no byte that is
 * not UTF-8, and nothing nested deeper than a record is.
 *
 * @throws AuditError `ARCHIVE_INVALID`; its words are never the text's
 */
export function parseCanonicalJson(bytes: Buffer): unknown {
  try {
    const text = bytes.toString()
    const value: unknown = nestsDeeperThan(text, RECORD_MAX_DEPTH) ? undefined : JSON.parse(text)
    if (value !== undefined && Buffer.from(JSON.stringify(value)).equals(bytes)) return value
  } catch {
    // Said below: the parser's own words quote the text.
  }
  throw invalidArchive('it holds JSON in a form that no archive has')
}

/** Of the whole tar: entries of one header and content in full blocks, and the end. */
export function unpackedBytes(manifestLength: number, entries: readonly ArchiveEntry[]): number {
  const sizes = [manifestLength, ...entries.map(({ bytes }) => bytes)]
  const blocks = sizes.map((bytes) => 1 + Math.ceil(bytes / TAR_BLOCK_BYTES))
  return blocks.reduce((sum, count) => sum + count, 0) * TAR_BLOCK_BYTES + TAR_END_BYTES
}

/** @param why in words of the project's own, that follow "no whole archive:" */
export function invalidArchive(why: string): AuditError {
  return new AuditError('ARCHIVE_INVALID', why)
}
