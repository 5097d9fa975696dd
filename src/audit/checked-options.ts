/** The shape of what a caller of the library hands over: JavaScript has no types, and a slip must not end deep inside an audit. */
import { z } from 'zod'
import { AuditError } from '../model/errors.ts'
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
  compute: texts,
  gateway: texts,
  graphql: texts,
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
    checkpointOwners: texts,
    search: flag,
    start: text,
    trust: texts,
    minCoverage: z.number('must be a number').min(0, 'must not be below 0').max(100, 'must not be above 100'),
    maxExplanations: whole,
    jobs: whole.min(1, 'must not be below 1'),
    snapshots: flag,
    stateHash: text,
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
  if (issue.code === 'unrecognized_keys') throw usage(`there is no option ${JSON.stringify(issue.keys[0]?.slice(0, 80))}`)
  throw usage(issue.path.length === 0 ? 'the options must be an object' : `the option ${issue.path.join('.')} ${issue.message}`)
}

function usage(message: string): AuditError {
  return new AuditError('USAGE', message, { hint: 'AuditOptions and SourceOptions say what there is' })
}
