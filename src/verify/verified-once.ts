/** Verifies each signature once, however often its item is read: an audit plans several times. */
import { createHash } from 'node:crypto'
import { type SignatureStatus, VALID } from '../ans104/signature-status.ts'
import type { WireItem } from '../model/records.ts'
import { createDigestTable } from '../util/digest-table.ts'
import { proveItem, type RawItem, type RawProof } from './raw-item.ts'
import type { Verifier } from './verification-threads.ts'

/** How many valid items are remembered, at about 40 bytes each. Other items and their reasons are few, except in an attack. */
const VALID_MAX = 1_000_000
const OTHERS_MAX = 10_000
const NOTHING = new Uint32Array()

/** Remembers verdicts by the hash of the item: other bytes are verified anew. */
export function verifyOnce({ verify }: Pick<Verifier, 'verify'>): Pick<Verifier, 'verify'> {
  const valid = createDigestTable(0)
  const others = new Map<string, SignatureStatus>()
  let kept = 0
  const knownOf = (hash: string) => (valid.get(hash) === undefined ? others.get(hash) : VALID)
  const keep = (hash: string, verdict: SignatureStatus) => {
    if (verdict.status !== 'valid') {
      if (others.size < OTHERS_MAX) others.set(hash, verdict)
    } else if (kept < VALID_MAX && valid.get(hash) === undefined) {
      valid.add(hash, NOTHING)
      kept++
    }
  }
  return {
    async verify(items: readonly WireItem[]) {
      const hashes = items.map((item) => hashOf(item))
      const known = hashes.map(knownOf)
      const asked = items.filter((_, place) => known[place] === undefined)
      const fresh = asked.length === 0 ? [] : [...(await verify(asked))]
      return hashes.map((hash, place) => {
        const verdict = known[place] ?? fresh.shift() ?? NOT_VERIFIED
        keep(hash, verdict)
        return verdict
      })
    }
  }
}

const NOT_VERIFIED: SignatureStatus = { status: 'unverifiable', reason: 'it was not verified', hidden: [] }

/** The limit on the data of items in remembered proofs. */
const PROOFS_MAX_BYTES = 64 * 1024 * 1024

/** As `proveItem`, but only once for the same record and data. */
export function proveOnce(prove: (raw: RawItem) => RawProof = proveItem): (raw: RawItem) => RawProof {
  const proofs = new Map<string, RawProof>()
  let bytes = 0
  return (raw) => {
    const hash = hashOf([raw.record, createHash('sha256').update(raw.data).digest('base64url')])
    const known = proofs.get(hash)
    if (known !== undefined) return known
    const proof = prove(raw)
    bytes += raw.data.byteLength + JSON.stringify(raw.record).length
    if (bytes <= PROOFS_MAX_BYTES) proofs.set(hash, proof)
    return proof
  }
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url')
}
