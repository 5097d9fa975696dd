/** The shape of what a caller of the library hands over: JavaScript has no types, and a slip must not end deep inside an audit. */
import { z } from 'zod'
import { AuditError } from '../model/errors.ts'
import { isAddress, isArweaveId } from '../model/ids.ts'
import { TRUST_ROLES } from '../verify/trust.ts'
import type { AuditOptions, SourceOptions } from './audit-options.ts'

const text = z.string('must be a text')
const texts = z.array(text, 'must be a list of texts')
const flag = z.boolean('must be true or false')
const whole = z.int('must be a whole number').min(0, 'must not be below 0')
const limits = z.record(z.string(), z.number(), 'must be an object of numbers')
const call = z.custom((value) => typeof value === 'function', 'must be a function')

const sources = {
  process: text,
  scheduler: text,
  schedule: z.enum(['scheduler', 'arweave', 'both'], 'must be scheduler, arweave or both'),
  computes: texts,
  gateways: texts,
  graphqls: texts,
  from: whole,
  to: whole,
  fetchLimits: limits,
  allowPrivate: flag,
  store: text,
  onPull: call,
  onRequest: call,
  signal: z.instanceof(AbortSignal, { error: 'must be an AbortSignal' })
}
const pullSchema = z.strictObject(sources).partial()
const auditSchema = z
  .strictObject({
    ...sources,
    archive: text,
    profile: z.union([text, z.object({ environment: texts })], 'must be a name or a profile'),
    checkpointOwners: z.array(
      text.refine(isAddress, 'must be an address: 43 characters of base64url, or 0x and 40 hex digits'),
      'must be a list of addresses'
    ),
    search: flag,
    start: z.strictObject(
      { checkpoint: text.refine(isArweaveId, "must be a checkpoint's id: 43 characters of base64url") },
      { error: (issue) => (issue.code === 'invalid_type' ? 'must be { checkpoint: id }' : undefined) }
    ),
    trustedRoles: z.array(z.enum(TRUST_ROLES, `must be ${TRUST_ROLES.join(' or ')}`), 'must be a list of roles'),
    minCoverage: z.number('must be a number').min(0, 'must not be below 0').max(100, 'must not be above 100'),
    maxExplanations: whole,
    jobs: whole.min(1, 'must not be below 1'),
    snapshots: flag,
    stateHashes: z.union(
      [z.literal('last'), z.array(whole), z.strictObject({ every: whole.min(1, 'must not be below 1') })],
      'must be "last", a list of nonces, or { every: n } with n from 1'
    ),
    sandboxLimits: limits,
    onEvaluation: call,
    onReplayed: call,
    onPass: call
  })
  .partial()

/** @throws AuditError `USAGE`, naming the first option that is not as it must be */
export function checkAuditOptions(options: AuditOptions): void {
  check(auditSchema, options)
  checkRange(options)
}

/** @throws AuditError `USAGE`, as above */
export function checkSourceOptions(options: SourceOptions): void {
  check(pullSchema, options)
  checkRange(options)
}

function checkRange({ from, to }: SourceOptions): void {
  if (from !== undefined && to !== undefined && from > to)
    throw new AuditError('USAGE', `the range starts at nonce ${from}, after its end at nonce ${to}`)
}

function check(schema: z.ZodType, options: unknown): void {
  const [issue] = schema.safeParse(options).error?.issues ?? []
  if (issue === undefined) return
  if (issue.code === 'unrecognized_keys') {
    const name = [...issue.path, issue.keys[0]?.slice(0, 80)].join('.')
    throw usage(`there is no option ${JSON.stringify(name)}`)
  }
  throw usage(issue.path.length === 0 ? 'the options must be an object' : `the option ${issue.path.join('.')} ${issue.message}`)
}

function usage(message: string): AuditError {
  return new AuditError('USAGE', message, { hint: 'AuditOptions and SourceOptions say what there is' })
}
