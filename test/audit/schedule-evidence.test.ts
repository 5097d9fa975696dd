import { expect, test } from 'vitest'
import { createChecks } from '../../src/audit/schedule-evidence.ts'
import type { Finding } from '../../src/model/findings.ts'
import type { ScheduledMessage } from '../../src/model/records.ts'
import type { CheckedMessage } from '../../src/verify/checked-schedule.ts'
import { sealSigned } from '../../src/verify/seal.ts'
import { createTrust, type UnprovenInput } from '../../src/verify/trust.ts'

const COUNT = 1000

const doubtOf = (nonce: number): UnprovenInput => ({
  what: `nonce ${nonce}`,
  reason: `nonce ${nonce}`,
  servedBy: ['scheduler']
})

/** The scheduler altered every message with an even nonce, the gateway every other one. */
async function* spoilt(upTo = COUNT): AsyncGenerator<CheckedMessage> {
  for (let nonce = 0; nonce < upTo; nonce++) {
    const attribution = nonce % 2 === 0 ? 'scheduler' : 'gateway'
    const finding: Finding = { code: 'MESSAGE_SIGNATURE_INVALID', severity: 'error', attribution, nonce, detail: 'spoilt' }
    yield { scheduled: sealSigned({ nonce } as ScheduledMessage), findings: [finding], unproven: [doubtOf(nonce)] }
  }
}

async function readAll(messages: AsyncIterable<ScheduledMessage>): Promise<number> {
  let count = 0
  for await (const _ of messages) count++
  return count
}

test('bounds and counts findings and reports none twice if the schedule is read again', async () => {
  const checks = createChecks([], createTrust())
  expect(await readAll(checks.unbroken(spoilt(300)))).toBe(300)
  expect(await readAll(checks.unbroken(spoilt()))).toBe(COUNT)
  expect(await readAll(checks.unbroken(spoilt()))).toBe(COUNT)
  const found = checks.findings()
  for (const attribution of ['scheduler', 'gateway']) {
    const ofThese = found.filter((one) => one.attribution === attribution)
    expect(ofThese.filter(({ count }) => count === undefined)).toHaveLength(100)
    expect(ofThese.filter(({ count }) => count !== undefined).map(({ count }) => count)).toEqual([COUNT / 2 - 100])
  }
  expect(found).toHaveLength(202)
})

test('knows for every nonce whether it is verified, though findings are bounded', async () => {
  const checks = createChecks([], createTrust())
  await readAll(checks.unbroken(spoilt()))
  const unprovenInput = { ordinate: 0, reason: 'nonce 0' }
  expect(checks.standing(COUNT - 1)).toEqual({ unprovenInput, verified: false })
  expect(checks.standing(COUNT).verified).toBe(true)
})
