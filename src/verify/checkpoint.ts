/** Checkpoints: a signer's statement about a memory (protocol §3). */

import type { StartMemory } from '../memory/start-memory.ts'
import type { Finding } from '../model/findings.ts'
import type { ProcessId } from '../model/ids.ts'
import { type EvaluationKey, tagValue } from '../model/records.ts'
import { defined } from '../util/defined.ts'
import { proveRawItem } from './message-item.ts'
import type { RawItem } from './raw-item.ts'
import type { Verifier } from './verification-threads.ts'

/** The tags of a checkpoint, whether or not its signer signed them. */
export interface CheckpointTags {
  readonly nonce: number
  /** The last evaluation before it; without `cron` the scheduled message itself. */
  readonly key: EvaluationKey
  readonly sha256: string
  readonly moduleId: string
}

/** A checkpoint with its data still packed; if it is `signed`, its signer signed the tags. */
export interface FoundCheckpoint extends CheckpointTags {
  readonly id: string
  readonly signer: string
  readonly standing: 'signed' | 'unverified' | 'unread'
  readonly findings: readonly Finding[]
  /** It is `signed` only on the gateway's word. */
  readonly onTrust?: true
}

export interface CheckedCheckpoint extends Omit<FoundCheckpoint, 'standing'> {
  /** The hash of its unpacked data; undefined if it does not match the tags or the data is missing. */
  readonly dataSha256?: string
  /** The fingerprint of its memory, if the memory matches the tags. */
  readonly fingerprint?: string
  /** The unpacked size of its data, even if it does not match the tags; undefined if it could not be unpacked. */
  readonly unpackedBytes?: number
  /** Its memory, if the data matches the tags. */
  readonly memory?: StartMemory
  /** Blocks of its memory that look like a C environment: candidates, until a replay under one of them reproduces the memory. */
  readonly environments?: readonly (readonly string[])[]
  readonly standing: 'verified' | 'unverified' | 'unread'
}

/** No memory is larger: this is the limit of wasm32, and no aos module declares more. */
export const MEMORY_MAX_BYTES = 4 * 1024 ** 3

/**
 * Reads the tags of a checkpoint.
 *
 * @returns undefined if they are not the tags of a checkpoint of this process
 */
export function readCheckpointTags({ tags }: RawItem['record'], process: ProcessId): CheckpointTags | undefined {
  const nonce = numberIn(tagValue(tags, 'Nonce'))
  const timestamp = numberIn(tagValue(tags, 'Timestamp'))
  const sha256 = hashIn(tagValue(tags, 'SHA-256'))
  const known = tagValue(tags, 'Type') === 'Checkpoint' && tagValue(tags, 'Process') === process
  if (!known || nonce === undefined || timestamp === undefined || sha256 === undefined) return undefined
  const cron = tagValue(tags, 'Cron-Interval')
  const key = { ordinate: nonce, timestamp, ...defined({ cron }) }
  return { nonce, key, sha256, moduleId: tagValue(tags, 'Module') ?? '' }
}

/** A number as the CU's parseInt reads it: after white space, up to the first character that is no digit. */
function numberIn(text = ''): number | undefined {
  const digits = /^\s*\+?(\d{1,15})(?!\d)/.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Different spellings of a hash name the same memory. */
function hashIn(text = ''): string | undefined {
  const hash = text.trim().toLowerCase()
  return /^[0-9a-f]{64}$/.test(hash) ? hash : undefined
}

/** Why the tags of a checkpoint cannot be read; such checkpoints exist on Arweave. */
export function checkpointFault({ tags }: RawItem['record']): string {
  for (const name of ['Nonce', 'Timestamp'])
    if (numberIn(tagValue(tags, name)) === undefined) return `its tag ${name} is no number`
  return hashIn(tagValue(tags, 'SHA-256')) !== undefined ? 'it belongs to another process' : 'its tag SHA-256 is no hash'
}

/**
 * Verifies a checkpoint's signature, which covers its packed data.
 *
 * @returns undefined if it is no checkpoint of this process
 */
export function findCheckpoint(
  process: ProcessId,
  { record, data }: { readonly record: RawItem['record']; readonly data: Uint8Array | undefined }
): FoundCheckpoint | undefined {
  const tags = readCheckpointTags(record, process)
  if (tags === undefined) return undefined
  const known = { ...tags, id: record.id, signer: record.owner.address }
  const refused = (standing: FoundCheckpoint['standing'], found: Omit<Finding, 'nonce'>): FoundCheckpoint => ({
    ...known,
    standing,
    findings: [{ ...found, nonce: tags.nonce }]
  })
  if (data === undefined) {
    const detail = `no gateway has the data of the checkpoint ${record.id}`
    return refused('unread', { code: 'INPUT_MISSING', severity: 'warning', attribution: 'gateway', detail })
  }
  const { verdict } = proveRawItem(record, data)
  if (verdict.status === 'valid') return { ...known, standing: 'signed', findings: [] }
  const invalid = verdict.status === 'invalid'
  const detail = `the checkpoint ${record.id} from ${record.gateway}: ${verdict.reason}`
  const code = invalid ? 'CHECKPOINT_SIGNATURE_INVALID' : 'SIGNATURE_NOT_CHECKED'
  return refused('unverified', { code, severity: invalid ? 'error' : 'warning', attribution: 'gateway', detail })
}

/**
 * Unpacks a checkpoint, and verifies that its data matches its tags.
 *
 * @param path the gzip file of its data
 * @param maxBytes how many bytes its signer's checkpoints may still unpack to; the signer is not at fault if that is too few
 */
export async function unpackCheckpoint(
  { standing, ...found }: FoundCheckpoint,
  path: string,
  verifier: Verifier,
  maxBytes = MEMORY_MAX_BYTES
): Promise<CheckedCheckpoint> {
  if (standing !== 'signed') return { ...found, standing }
  const unpacked = maxBytes > 0 ? await verifier.unpack(path, Math.min(maxBytes, MEMORY_MAX_BYTES)) : { failed: '' }
  if ('failed' in unpacked && maxBytes < MEMORY_MAX_BYTES) {
    const detail = `the checkpoint ${found.id} is not unpacked: with others of its signer it may exceed the size limit`
    const about = { attribution: 'auditor', claimant: found.signer, nonce: found.nonce, detail } as const
    return { ...found, standing: 'unread', findings: [{ code: 'CHECKPOINT_NOT_READ', severity: 'warning', ...about }] }
  }
  if ('failed' in unpacked || unpacked.sha256 !== found.sha256) {
    const why = 'failed' in unpacked ? unpacked.failed : `its data hashes to ${unpacked.sha256}, but its tag is ${found.sha256}`
    const detail = `the checkpoint ${found.id}: ${why}`
    const about = { attribution: 'checkpoint-signer', nonce: found.nonce, detail } as const
    return {
      ...found,
      ...('failed' in unpacked ? {} : { unpackedBytes: unpacked.bytes }),
      standing: 'unverified',
      findings: [{ code: 'CHECKPOINT_DATA_INVALID', severity: 'error', ...about }]
    }
  }
  const { sha256: dataSha256, fingerprint, bytes, environments } = unpacked
  return {
    ...found,
    dataSha256,
    fingerprint,
    unpackedBytes: bytes,
    memory: { path, bytes },
    environments,
    standing: 'verified'
  }
}
