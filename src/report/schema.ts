/**
 * The schema of a report: `parseReport` checks against it, and `docs/report-schema.json` is generated from it. A test checks that the
 * types in `model.ts` equal it. Objects may have further fields, because later versions may add some.
 */
import { z } from 'zod'
import { RULE_NAMES } from '../attribution/rules.ts'
import { AUDIT_ERROR_CODES } from '../model/errors.ts'
import { FINDING_CODES } from '../model/findings.ts'
import { MAX_DIFFERENCES, MAX_EVALUATIONS, MAX_FINDINGS } from './bounds.ts'

/**
 * The name of each part's type.
 *
 * @public `scripts/report-schema.mjs` imports it after a build
 */
export const reportTypes = z.registry<{ readonly id: string }>()

const count = z.int().min(0)
const nonce = z.int().min(0)
const milliseconds = z.number().min(0)
const texts = z.array(z.string())
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const verdict = z.enum(['match', 'mismatch', 'inconclusive'])

const evaluationKey = z
  .object({ ordinate: z.int(), cron: z.string().exactOptional(), timestamp: z.int() })
  .register(reportTypes, { id: 'EvaluationKey' })

const coverage = z
  .object({
    scheduled: count,
    cron: count,
    evaluated: count,
    compared: count,
    skipped: count,
    unclaimed: count,
    unread: count,
    unverified: count
  })
  .register(reportTypes, { id: 'Coverage' })

const difference = z
  .object({
    path: z.string(),
    claimed: z.unknown().optional(),
    computed: z.unknown().optional(),
    cut: z.literal(true).exactOptional()
  })
  .register(reportTypes, { id: 'ReportedDifference' })

const differences = z.array(difference).max(MAX_DIFFERENCES)

const evaluation = z
  .object({
    key: evaluationKey,
    nonce: nonce.exactOptional(),
    through: nonce.exactOptional(),
    message: z.string().exactOptional(),
    status: z.enum(['match', 'match-profile', 'mismatch', 'skipped', 'unclaimed', 'inconclusive']),
    claimant: z.string().exactOptional(),
    profile: z.string().exactOptional(),
    differences: differences.exactOptional(),
    differencesCut: count.exactOptional(),
    reason: z.string().exactOptional()
  })
  .register(reportTypes, { id: 'ReportedEvaluation' })

const divergence = z
  .object({
    key: evaluationKey,
    nonce: nonce.exactOptional(),
    message: z.string().exactOptional(),
    claimant: z.string(),
    differences,
    differencesCut: count.exactOptional()
  })
  .register(reportTypes, { id: 'FirstDivergence' })

const tolerance = z
  .object({
    kind: z.enum([
      'tag-order',
      'instance-boundary',
      'instances-per-message',
      'duplicate-evaluated',
      'duplicate-answer',
      'repeated-answer',
      'checkpoint-answer',
      'gas-left-out',
      'gas-unlisted',
      'known-blocks',
      'program-path',
      'time-zone'
    ]),
    count,
    bits: z.number().min(0),
    first: evaluationKey.exactOptional()
  })
  .register(reportTypes, { id: 'Tolerance' })

const numbers = z.array(z.int())

const profile = z
  .object({
    name: z.string(),
    environment: texts,
    clock: z.object({ start: z.number(), step: z.number() }),
    instances: z.union([z.enum(['one', 'per-message']), numbers]),
    blocks: z
      .union([
        z.enum(['all', 'stepwise', 'one-stream']),
        numbers,
        z.object({ unknown: numbers, ends: numbers.exactOptional() }),
        z.object({ known: numbers, ends: numbers.exactOptional() })
      ])
      .exactOptional(),
    timeZone: z.string().exactOptional(),
    loader: z.string(),
    source: z.string(),
    proven: z.boolean(),
    tried: texts,
    instancesTried: count
  })
  .register(reportTypes, { id: 'ProfileReport' })

const claimant = z
  .object({
    id: z.string(),
    kind: z.enum(['compute-unit', 'checkpoint-signer']),
    audited: z.boolean(),
    address: z.string().exactOptional(),
    verdict,
    reasons: texts,
    remarks: texts,
    coverage,
    firstDivergence: divergence.nullable(),
    rules: z.array(z.enum(RULE_NAMES)),
    tolerances: z.array(tolerance),
    profile: profile.exactOptional()
  })
  .register(reportTypes, { id: 'ClaimantReport' })

const unreachable = z
  .object({
    unit: z.enum(['scheduler', 'gateway', 'compute-unit']),
    url: z.string(),
    code: z.enum(AUDIT_ERROR_CODES),
    detail: z.string(),
    hint: z.string().exactOptional()
  })
  .register(reportTypes, { id: 'UnreachableUnit' })

const shownBytes = z.object({ hex: z.string().regex(/^([0-9a-f]{2})*$/), text: z.string() })

const memoryRange = z
  .object({
    offset: count,
    length: count,
    place: z.enum(['environment', 'data', 'stack', 'heap', 'unknown']),
    shownFrom: count,
    a: shownBytes,
    b: shownBytes
  })
  .register(reportTypes, { id: 'MemoryRange' })

const memoryDifference = z
  .object({
    bytesA: count,
    bytesB: count,
    differingPages: count,
    differingBytes: count,
    ranges: z.array(memoryRange),
    cut: count
  })
  .register(reportTypes, { id: 'MemoryDifference' })

const checkpoint = z
  .object({
    id: z.string(),
    nonce,
    signer: z.string(),
    claimedSha256: z.string(),
    dataSha256: sha256.nullable(),
    computedSha256: sha256.nullable(),
    status: z.enum(['match', 'mismatch', 'unverified', 'unread']),
    memory: memoryDifference.exactOptional()
  })
  .register(reportTypes, { id: 'CheckpointReport' })

const finding = z
  .object({
    code: z.enum(FINDING_CODES),
    severity: z.enum(['info', 'warning', 'error']),
    attribution: z.enum(['compute-unit', 'scheduler', 'gateway', 'process', 'module', 'checkpoint-signer', 'auditor']),
    nonce: nonce.exactOptional(),
    key: evaluationKey.exactOptional(),
    claimant: z.string().exactOptional(),
    count: count.exactOptional(),
    detail: z.string()
  })
  .register(reportTypes, { id: 'Finding' })

const timings = z
  .object({
    fetchMs: milliseconds,
    verifyMs: milliseconds,
    replayMs: milliseconds,
    moduleMs: milliseconds,
    compareMs: milliseconds,
    messagesPerSecond: z.number().min(0),
    resumedAfter: nonce.nullable(),
    jobs: count,
    partsAhead: z.object({ begun: count, proven: count })
  })
  .register(reportTypes, { id: 'Timings' })

export const reportSchema = z
  .object({
    schema: z.literal('ao-audit/report/v1'),
    date: z.iso.datetime(),
    digest: sha256,
    inputsDigest: sha256.nullable(),
    verdict,
    reasons: texts,
    remarks: texts,
    trusted: texts,
    unreachable: z.array(unreachable),
    processId: z.string(),
    process: z
      .object({
        id: z.string(),
        owner: z.string(),
        scheduler: z.string(),
        module: z.object({ id: z.string(), sha256, format: z.string() })
      })
      .nullable(),
    range: z.object({ from: nonce, to: nonce }).nullable(),
    start: z.object({ checkpoint: z.string(), nonce, signer: z.string() }).nullable(),
    coverage,
    notChecked: texts,
    claimants: z.array(claimant),
    evaluations: z.array(evaluation).max(MAX_EVALUATIONS),
    evaluationsCut: count,
    firstDivergence: divergence.nullable(),
    checkpoints: z.array(checkpoint),
    findings: z.array(finding).max(MAX_FINDINGS),
    findingsCut: count,
    profile: profile.nullable(),
    stateHashes: z.record(z.string(), sha256),
    tool: z.object({ version: z.string(), node: z.string(), loader: z.string() }),
    timings
  })
  .register(reportTypes, { id: 'Report' })
