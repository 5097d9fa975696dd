/** Schemas of all stored records except the most numerous kinds. */
import { z } from 'zod'
import { headerSchema } from '../fetch/unit-schemas.ts'
import { isArweaveId, isSha256Hex } from '../model/ids.ts'
import { NONCE_MAX, readStoredMessage } from './stored-schedule.ts'

const id = z.string().refine(isArweaveId)
const sha256 = z.string().refine(isSha256Hex)
const nonce = z.int().min(0).max(NONCE_MAX)
const tags = z.array(z.object({ name: z.string(), value: z.string() })).max(10_000)
const owner = z.object({ address: z.string().max(200), key: z.string().max(4_000) })
const signature = z.string().max(8_000)
const textOrNull = z.string().nullable()
const url = z.string().max(4_000)
const blob = z.object({ sha256, bytes: nonce })
const block = z.object({ height: nonce, timestamp: nonce, gateway: url.optional() })
const evaluationKey = z.object({ ordinate: nonce, timestamp: nonce, cron: z.string().optional() })

export const runSchema = z.object({
  id: z.string().max(100),
  process: id,
  scheduler: url,
  schedule: z.literal('both').optional(),
  unserved: z.object({ from: nonce, to: nonce }).optional(),
  computes: z.array(z.object({ url, address: z.string().max(200).optional() })).max(1_000),
  from: nonce,
  to: nonce,
  state: z.enum(['running', 'finished']),
  unheard: z
    .array(z.object({ url, detail: z.string() }))
    .max(1_000)
    .optional()
})

export const storedProcessSchema = z.object({
  id,
  owner,
  tags,
  signature,
  anchor: textOrNull,
  target: textOrNull,
  timestamp: nonce,
  blockHeight: nonce,
  data: textOrNull
})

export const transactionSchema = z.object({
  id,
  owner,
  tags,
  recipient: z.string().max(100),
  anchor: z.string().max(4_000),
  signature,
  blockHeight: nonce.nullable(),
  bundledIn: id.optional(),
  data: blob.optional(),
  gateway: url,
  onChain: headerSchema.optional()
})

export const anomalySchema = z.object({
  kind: z.enum(['gap', 'twice', 'outOfOrder']),
  nonce,
  through: nonce.optional(),
  messages: z
    .array(z.unknown().transform((message) => readStoredMessage(message)))
    .refine((messages) => !messages.includes(undefined))
    .optional()
})

export const blockSchema = block
export const blockDifferenceSchema = z.object({ kept: block, other: block.extend({ gateway: url }) })
export const gatewayAnomalySchema = z.object({ id, gateway: url, proves: url })
export const claimFaultsSchema = z.array(
  z.object({
    kind: z.enum([
      'not-an-object',
      'key-twice',
      'invalid-utf8',
      'unknown-field',
      'unwritten-value',
      'number-not-exact',
      'number-lossy',
      'byte-order-mark'
    ]),
    path: z.string(),
    detail: z.string()
  })
)
const listingFault = z.object({
  kind: z.enum(['not-ascending', 'too-many', 'too-large', 'beyond-schedule', 'ambiguous', 'unread']),
  detail: z.string()
})
export const listingSchema = z.object({
  cursor: z.string().optional(),
  to: nonce.optional(),
  done: z.boolean(),
  last: evaluationKey.optional(),
  listed: nonce.optional(),
  bytes: nonce.optional(),
  dropped: nonce.optional(),
  odd: claimFaultsSchema.optional(),
  fault: listingFault.optional()
})
export const unreadCheckpointsSchema = z.object({
  faults: z.array(z.object({ reason: z.string(), count: nonce })),
  cut: nonce
})
export const shortfallSchema = z.object({ what: z.enum(['blocks', 'checkpoints']), reason: z.string() })
export const checkpointsReadSchema = z.object({ to: nonce, signers: z.array(z.string()) })
export const checkpointSchema = id
export const driveFileSchema = z.union([
  z.object({ kind: z.literal('data'), id }),
  z.object({ kind: z.enum(['tx', 'block']), id: z.string().max(100), content: blob, gateway: url })
])
export const attestationSchema = z.object({
  type: z.enum(['Attestation', 'Available']),
  id,
  item: id,
  blockHeight: nonce,
  gateway: url
})

const verdict = z.union([
  z.object({ status: z.literal('valid') }),
  z.object({ status: z.literal('invalid'), reason: z.string() }),
  z.object({
    status: z.literal('unverifiable'),
    reason: z.string(),
    hidden: z.array(z.enum(['data', 'anchor', 'tags', 'key', 'signature', 'signature-type']))
  }),
  z.object({ status: z.literal('unsupported'), reason: z.string(), signatureType: z.int() })
])

/** `of` is the hash of what was judged. */
export const verdictsSchema = z.object({ of: z.string(), assignment: verdict, message: verdict.nullable() })

export const snapshotSchema = z.object({
  nonce,
  key: evaluationKey,
  position: nonce,
  planDigest: z.string(),
  blob,
  memoryBytes: nonce,
  clock: z.number(),
  hashes: z.record(z.string(), z.string())
})

/** A result is kept as its text alone. */
export const computedSchema = z.object({
  key: evaluationKey,
  nonce: nonce.optional(),
  through: nonce.optional(),
  messageId: id.optional(),
  outcome: z.union([
    z.object({ kind: z.literal('result'), text: z.string(), profile: z.string().optional() }),
    z.object({
      kind: z.literal('skipped'),
      reason: z.enum(['duplicate-assignment', 'duplicate-push']),
      of: nonce
    }),
    z.object({
      kind: z.literal('inconclusive'),
      reason: z.string(),
      limit: z.literal(true).optional(),
      inputMissing: z.literal(true).optional()
    })
  ]),
  hostInputs: z.array(z.string()).optional(),
  dependsOnInstance: z.literal(true).optional(),
  assumed: z.string().optional(),
  memoryGrew: z.literal(true).optional(),
  stateHash: sha256.optional()
})

export const urlsSchema = z.array(url)
