import fc from 'fast-check'
import type { MessageId } from '../../src/model/ids.ts'
import type { Claim, ClaimUnavailable, Evaluation, EvaluationResult, ResultField } from '../../src/model/records.ts'

export const CU = 'https://cu.example'
export const ALL: readonly ResultField[] = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error', 'GasUsed']
export const LISTED: readonly ResultField[] = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error']

export const messageId = (name: string) => name.padEnd(43, 'A') as MessageId
export const keyOf = (nonce: number) => ({ ordinate: nonce, timestamp: 1_720_000_000_000 + nonce })

/** A plausible result, different for each number. */
export function resultOf(quantity: number): EvaluationResult {
  const Tags = [
    { name: 'Action', value: 'Credit-Notice' },
    { name: 'Quantity', value: String(quantity) },
    { name: 'X-Note', value: 'a' },
    { name: 'X-Note', value: 'b' }
  ]
  return {
    Messages: [{ Target: 'T', Data: '', Anchor: '1', Tags }],
    Spawns: [],
    Assignments: [],
    Output: { data: 'done' },
    GasUsed: 0
  }
}

export function evaluated(nonce: number, result: EvaluationResult, more: Partial<Evaluation> = {}): Evaluation {
  const outcome = { kind: 'result', result, text: JSON.stringify(result) } as const
  return { key: keyOf(nonce), nonce, messageId: messageId(`m${nonce}`), outcome, ...more }
}

export function skipped(
  nonce: number,
  of: number,
  reason: 'duplicate-push' | 'duplicate-assignment' = 'duplicate-push'
): Evaluation {
  return { key: keyOf(nonce), nonce, messageId: messageId(`m${nonce}`), outcome: { kind: 'skipped', reason, of } }
}

export function cronEvaluated(nonce: number, timestamp: number, result: EvaluationResult): Evaluation {
  const outcome = { kind: 'result', result, text: JSON.stringify(result) } as const
  return { key: { ordinate: nonce, cron: '0-30-seconds', timestamp }, outcome }
}

export function claimOf({ key }: Pick<Evaluation, 'key'>, value: EvaluationResult, more: Partial<Claim> = {}): Claim {
  const raw = JSON.stringify(value)
  const asked = more.kind === undefined || more.kind === 'result' ? { messageId: messageId(`m${key.ordinate}`) } : {}
  const receivedAt = '2026-01-01T00:00:00.000Z'
  return { claimant: CU, kind: 'result', key, covers: ALL, value, raw, receivedAt, ...asked, ...more }
}

/** The same claim as `/results` would list it: without gas. */
export function listedOf(evaluation: Pick<Evaluation, 'key'>, value: EvaluationResult, more: Partial<Claim> = {}): Claim {
  const { GasUsed: _, ...listed } = value
  return claimOf(evaluation, listed, { kind: 'listed', covers: LISTED, ...more })
}

export function unavailableOf(nonce: number, status: number): ClaimUnavailable {
  const receivedAt = '2026-01-01T00:00:00.000Z'
  return { claimant: CU, key: keyOf(nonce), messageId: messageId(`m${nonce}`), status, detail: 'gone', receivedAt }
}

const tagName = fc.constantFrom('Action', 'Quantity', 'X-Note', '__proto__', 'constructor', 'From', '')
const tagArbitrary = fc.record({ name: tagName, value: fc.string({ maxLength: 3 }) })
export const tagsArbitrary = fc.array(tagArbitrary, { maxLength: 8 })
export const distinctTags = fc.uniqueArray(fc.record({ name: fc.string(), value: fc.string() }), {
  selector: ({ name }) => name,
  minLength: 2,
  maxLength: 8
})

const item = fc.record({ Target: fc.string(), Data: fc.string(), Tags: tagsArbitrary })

/** Results as modules write them, some with odd names. */
export const resultArbitrary: fc.Arbitrary<EvaluationResult> = fc.record({
  Messages: fc.array(item, { maxLength: 3 }),
  Spawns: fc.array(item, { maxLength: 2 }),
  Assignments: fc.array(fc.record({ Message: fc.string(), Processes: fc.array(fc.string(), { maxLength: 2 }) }), {
    maxLength: 2
  }),
  Output: fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 3 })),
  GasUsed: fc.nat()
})

/** `count` nested arrays. */
export function nested(count: number, core: string): unknown {
  return JSON.parse(`${'['.repeat(count)}${core}${']'.repeat(count)}`)
}
