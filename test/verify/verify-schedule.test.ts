import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ethereumAddress } from '../../src/ans104/signature.ts'
import { invalid, type SignatureStatus, unverifiable, VALID } from '../../src/ans104/signature-status.ts'
import type { Address } from '../../src/model/ids.ts'
import type { ScheduledMessage } from '../../src/model/records.ts'
import { wireOfItem } from '../../src/verify/as-signed.ts'
import { verifyMessage } from '../../src/verify/message-item.ts'
import { createScheduleVerifier, isSignedBy, isSound } from '../../src/verify/verify-schedule.ts'
import { addressOf, ethereumSigner, idOf, type ScheduledParts, scheduledMessage, signedItem } from './fixtures.ts'

const scheduler = ethereumSigner(31)
const stranger = ethereumSigner(32)
const processItem = signedItem(ethereumSigner(33), { tags: [{ name: 'Type', value: 'Process' }], data: 'boot' })
const process = idOf(processItem)
const message = (nonce: number, target: string = process) =>
  signedItem(ethereumSigner(34), { target: Buffer.from(target, 'base64url'), data: `message ${nonce}` })

const sha256 = (...ids: readonly string[]) =>
  createHash('sha256')
    .update(Buffer.concat(ids.map((id) => Buffer.from(id, 'base64url'))))
    .digest('base64url')

/** The process at nonce 0 and messages after it, with a correct hash chain; `parts` alters some. */
function schedule(
  count: number,
  parts: (nonce: number) => Partial<ScheduledParts> = () => ({}),
  signer = scheduler
): ScheduledMessage[] {
  const all: ScheduledMessage[] = []
  for (let nonce = 0; nonce < count; nonce++) {
    const last = all.at(-1)
    const hashChain = last === undefined ? sha256(process) : sha256(last.assignment.id, last.hashChain)
    const own = nonce === 0 ? {} : { message: message(nonce) }
    all.push(scheduledMessage(signer, nonce, { process, hashChain, ...own, ...parts(nonce) }))
  }
  return all.map((one, nonce) => (nonce === 0 && one.message === null ? { ...one, message: wireOfItem(processItem) } : one))
}

interface Setting {
  readonly schedulerAddress?: Address
  readonly verdict?: (scheduled: ScheduledMessage) => SignatureStatus
}

/** For each message: whether it is proven, then its findings as code, severity and nonce. */
function judge(messages: readonly ScheduledMessage[], setting: Setting = {}) {
  const { schedulerAddress = addressOf(scheduler), verdict = ({ assignment }) => verifyMessage(assignment) } = setting
  const verifier = createScheduleVerifier({ process: { id: process }, schedulerAddress })
  return messages.map((scheduled) => {
    const { findings, proven } = verifier.add(scheduled, verdict(scheduled))
    for (const { attribution } of findings) expect(attribution).toBe('scheduler')
    return [proven, ...findings.map(({ code, severity, nonce }) => `${code} ${severity} ${nonce}`)]
  })
}

const PROVEN = [true]
const at = <T>(list: readonly T[], place: number, change: (one: T) => T) =>
  list.map((one, index) => (index === place ? change(one) : one))

describe('a schedule', () => {
  it('is proven from the process on', () => {
    expect(judge(schedule(5))).toEqual([PROVEN, PROVEN, PROVEN, PROVEN, PROVEN])
  })

  it('is proven from its first message on if the process is older', () => {
    const messages = schedule(3, () => ({ message: message(7) }))
    expect(judge(messages)).toEqual([PROVEN, PROVEN, PROVEN])
  })

  it('may name its scheduler by an Ethereum address', () => {
    const schedulerAddress = ethereumAddress(scheduler.owner) as Address
    expect(judge(schedule(2), { schedulerAddress })).toEqual([PROVEN, PROVEN])
    expect(judge(schedule(2), { schedulerAddress: schedulerAddress.toLowerCase() as Address })).toEqual([PROVEN, PROVEN])
    const other = ethereumAddress(stranger.owner) as Address
    expect(judge(schedule(1), { schedulerAddress: other })).toEqual([[false, 'ASSIGNMENT_SIGNER_NOT_SCHEDULER error 0']])
  })

  it('is not proven if somebody else signed it', () => {
    expect(judge(schedule(2, undefined, stranger))).toEqual([
      [false, 'ASSIGNMENT_SIGNER_NOT_SCHEDULER error 0'],
      [false, 'ASSIGNMENT_SIGNER_NOT_SCHEDULER error 1']
    ])
  })
})

describe('signatures', () => {
  it('are reported if they are invalid, and the tags of such an assignment count against nobody', () => {
    const altered = at(schedule(4), 1, (one) => ({
      ...one,
      hashChain: sha256(process),
      timestamp: one.timestamp + 1,
      assignment: {
        ...one.assignment,
        tags: one.assignment.tags.map((tag) => (tag.name === 'Hash-Chain' ? { ...tag, value: sha256(process) } : tag))
      }
    }))
    expect(judge(altered)).toEqual([PROVEN, [false, 'ASSIGNMENT_SIGNATURE_INVALID error 1'], [false], PROVEN])
  })

  it('give a warning if they cannot be judged, and the chain is still checked', () => {
    const verdict = () => unverifiable(['anchor'], 'no anchor')
    expect(judge(schedule(2), { verdict })).toEqual([
      [false, 'SIGNATURE_NOT_CHECKED warning 0'],
      [false, 'SIGNATURE_NOT_CHECKED warning 1']
    ])
    const broken = schedule(2, (nonce) => (nonce === 1 ? { hashChain: sha256(process) } : {}))
    expect(judge(broken, { verdict })[1]).toEqual([false, 'SIGNATURE_NOT_CHECKED warning 1', 'HASH_CHAIN_BROKEN error 1'])
  })

  it('prove the schedule again by the chain after one that cannot be judged', () => {
    const verdict = ({ nonce, assignment }: ScheduledMessage) =>
      nonce === 0 ? unverifiable(['anchor'], 'none') : verifyMessage(assignment)
    expect(judge(schedule(3), { verdict })).toEqual([[false, 'SIGNATURE_NOT_CHECKED warning 0'], PROVEN, PROVEN])
  })

  it('are reported with the reason', () => {
    const verifier = createScheduleVerifier({
      process: { id: process },
      schedulerAddress: addressOf(scheduler)
    })
    const [first] = schedule(1)
    if (first === undefined) throw new Error('no message')
    expect(verifier.add(first, invalid('so it is')).findings).toEqual([
      { code: 'ASSIGNMENT_SIGNATURE_INVALID', severity: 'error', attribution: 'scheduler', nonce: 0, detail: 'so it is' }
    ])
  })
})

describe('tags', () => {
  const id = idOf(message(99))
  const signed: readonly (readonly [string, Readonly<Record<string, string | undefined>>])[] = [
    ['another process', { Process: id }],
    ['no process', { Process: undefined }],
    ['another epoch', { Epoch: '1' }],
    ['another nonce', { Nonce: '2' }],
    ['a nonce in another notation', { Nonce: '01' }],
    ['another message', { Message: id }],
    ['another chain', { 'Hash-Chain': id }],
    ['another time', { Timestamp: '1' }],
    ['another block', { 'Block-Height': '000001500002' }],
    ['a block that is no number', { 'Block-Height': '1500001.0' }]
  ]
  it.each(signed)('are reported if they disagree with the served values: %s', (_, overrides) => {
    const messages = schedule(2, (nonce) => (nonce === 1 ? { overrides } : {}))
    expect(judge(messages)[1]).toEqual([false, 'ASSIGNMENT_TAGS_DISAGREE error 1'])
  })

  it('are reported if one appears twice', () => {
    const twice = at(schedule(2), 1, (one) => {
      const tags = [...one.assignment.tags, { name: 'Nonce', value: '1' }]
      return { ...one, assignment: { ...one.assignment, tags } }
    })
    expect(judge(twice, { verdict: () => VALID })[1]).toEqual([false, 'ASSIGNMENT_TAGS_DISAGREE error 1'])
  })

  it('must name the served message', () => {
    const other = wireOfItem(message(98))
    expect(judge(at(schedule(2), 1, (one) => ({ ...one, message: other })))[1]).toEqual([
      false,
      'ASSIGNMENT_TAGS_DISAGREE error 1'
    ])
    expect(judge(at(schedule(2), 1, (one) => ({ ...one, message: null })))[1]).toEqual(PROVEN)
  })

  it('are reported for an epoch other than 0, even if it is served so', () => {
    const epoch = at(
      schedule(2, () => ({ overrides: { Epoch: '1' } })),
      1,
      (one) => ({ ...one, epoch: 1 })
    )
    expect(judge(epoch)[1]).toEqual([false, 'ASSIGNMENT_TAGS_DISAGREE error 1'])
  })

  it('give a warning if the message is addressed to another process', () => {
    const messages = schedule(2, (nonce) => (nonce === 1 ? { message: message(1, idOf(message(97))) } : {}))
    expect(judge(messages)[1]).toEqual([true, 'ASSIGNMENT_TAGS_DISAGREE warning 1'])
  })
})

describe('nonces', () => {
  it('are reported once if they are missing, and the chain does not prove the next message', () => {
    const messages = schedule(6)
    expect(judge(messages.filter(({ nonce }) => nonce !== 2))).toEqual([
      PROVEN,
      PROVEN,
      [false, 'NONCE_GAP error 2'],
      PROVEN,
      PROVEN
    ])
    expect(judge(messages.slice(3))).toEqual([[false, 'NONCE_GAP error 0'], PROVEN, PROVEN])
  })

  it('are counted if several are missing', () => {
    const verifier = createScheduleVerifier({
      process: { id: process },
      schedulerAddress: addressOf(scheduler)
    })
    const [first, , , fourth] = schedule(4)
    if (first === undefined || fourth === undefined) throw new Error('no message')
    verifier.add(first, VALID)
    expect(verifier.add(fourth, VALID).findings).toEqual([
      {
        code: 'NONCE_GAP',
        severity: 'error',
        attribution: 'scheduler',
        nonce: 1,
        count: 2,
        detail: 'this nonce and all up to nonce 2 are missing'
      }
    ])
  })

  it('give a warning if one appears twice, and the same assignment stays as proven as before', () => {
    const [first, second, third] = schedule(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('no message')
    expect(judge([first, second, second, third])).toEqual([PROVEN, PROVEN, [true, 'NONCE_TWICE warning 1'], PROVEN])
  })

  it('are no equivocation if the second assignment is signed for another process', () => {
    const messages = schedule(3)
    const other = schedule(2, (nonce) => (nonce === 1 ? { process: idOf(message(60)), message: message(50) } : {}))[1]
    if (other === undefined) throw new Error('no message')
    const foreign = ['ASSIGNMENT_TAGS_DISAGREE error 1', 'NONCE_TWICE warning 1']
    expect(judge([...messages.slice(0, 2), other, ...messages.slice(2)])).toEqual([PROVEN, PROVEN, [false, ...foreign], PROVEN])
  })

  it('are reported as equivocation if one has two signed assignments', () => {
    const messages = schedule(3)
    const other = schedule(2, (nonce) => (nonce === 1 ? { message: message(50) } : {}))[1]
    if (other === undefined) throw new Error('no message')
    const both = [...messages.slice(0, 2), other, ...messages.slice(2)]
    expect(judge(both)).toEqual([PROVEN, PROVEN, [false, 'SCHEDULER_EQUIVOCATION error 1'], PROVEN])
    const unsigned = (scheduled: ScheduledMessage) => (scheduled === other ? unverifiable(['anchor'], 'none') : VALID)
    expect(judge(both, { verdict: unsigned })[2]).toEqual([false, 'SIGNATURE_NOT_CHECKED warning 1', 'NONCE_TWICE warning 1'])
    const forged = (scheduled: ScheduledMessage) => (scheduled === other ? invalid('forged') : VALID)
    expect(judge(both, { verdict: forged })[2]).toEqual([
      false,
      'ASSIGNMENT_SIGNATURE_INVALID error 1',
      'NONCE_TWICE warning 1'
    ])
  })

  it('are no equivocation if a stranger signed the second assignment', () => {
    const other = schedule(2, (nonce) => (nonce === 1 ? { message: message(50) } : {}), stranger)[1]
    if (other === undefined) throw new Error('no message')
    expect(judge([...schedule(2), other])[2]).toEqual([
      false,
      'ASSIGNMENT_SIGNER_NOT_SCHEDULER error 1',
      'NONCE_TWICE warning 1'
    ])
  })

  it('are reported as out of order if they come late', () => {
    const [first, second, third] = schedule(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('no message')
    expect(judge([first, second, first, third])).toEqual([PROVEN, PROVEN, [false, 'SCHEDULE_OUT_OF_ORDER warning 0'], PROVEN])
  })
})

describe('the hash chain', () => {
  const broken = schedule(4, (nonce) => (nonce === 2 ? { hashChain: sha256(process) } : {}))

  it('gives an error if it breaks, and continues from the signed values', () => {
    expect(judge(broken)).toEqual([PROVEN, PROVEN, [false, 'HASH_CHAIN_BROKEN error 2'], PROVEN])
  })

  /** The same break in a schedule that begins at this block, with the process's own assignment or without. */
  const brokenFrom = (height: number, own: boolean) =>
    schedule(4, (nonce) => ({
      ...(own || nonce > 0 ? {} : { message: message(9) }),
      ...(nonce === 2 ? { hashChain: sha256(process) } : {}),
      overrides: { 'Block-Height': String(height + nonce) }
    })).map((one, nonce) => ({ ...one, blockHeight: height + nonce }))

  it('gives a warning if it breaks in a process whose first assignment is from before block 1440000', () => {
    for (const own of [true, false]) expect(judge(brokenFrom(1_439_999, own))[2]).toEqual([true, 'HASH_CHAIN_BROKEN warning 2'])
    expect(judge(brokenFrom(1_440_000, true))[2]).toEqual([false, 'HASH_CHAIN_BROKEN error 2'])
  })

  it('accuses nobody and proves nothing if it breaks in a process of unknown age', () => {
    expect(judge(brokenFrom(1_440_000, false))[2]).toEqual([false, 'HASH_CHAIN_BROKEN warning 2'])
  })

  it('must begin with the id of the process', () => {
    const wrong = schedule(1, () => ({ hashChain: sha256(idOf(message(1))) }))
    expect(judge(wrong)).toEqual([[false, 'HASH_CHAIN_BROKEN error 0']])
  })
})

describe('time', () => {
  const moved = (fields: Partial<ScheduledMessage>, overrides: Readonly<Record<string, string>>) =>
    at(
      schedule(3, (nonce) => (nonce === 1 ? { overrides } : {})),
      1,
      (one) => ({ ...one, ...fields })
    )

  it('gives a warning if it goes back', () => {
    expect(judge(moved({ timestamp: 1 }, { Timestamp: '1' }))).toEqual([PROVEN, [true, 'TIME_GOES_BACK warning 1'], PROVEN])
    expect(judge(moved({ blockHeight: 1 }, { 'Block-Height': '1' }))).toEqual([
      PROVEN,
      [true, 'TIME_GOES_BACK warning 1'],
      PROVEN
    ])
  })

  it('gives no warning if it stands still', () => {
    const timestamp = 1_720_000_000_000
    expect(
      judge(moved({ timestamp, blockHeight: 1_500_000 }, { Timestamp: String(timestamp), 'Block-Height': '1500000' }))[1]
    ).toEqual(PROVEN)
  })
})

describe('findings', () => {
  /** The details of the findings about the last of `messages`. */
  const details = (
    messages: readonly ScheduledMessage[],
    verdict: (message: ScheduledMessage) => SignatureStatus = () => VALID
  ) => {
    const verifier = createScheduleVerifier({
      process: { id: process },
      schedulerAddress: addressOf(scheduler)
    })
    return messages
      .map((scheduled) => verifier.add(scheduled, verdict(scheduled)))
      .at(-1)
      ?.findings.map(({ detail }) => detail)
  }
  const messages = schedule(4)
  const changed = (fields: Partial<ScheduledMessage>) => at(messages.slice(0, 2), 1, (one) => ({ ...one, ...fields }))

  it('name the tags that do not match the served values', () => {
    const id = idOf(message(99))
    const all = { epoch: 1, timestamp: 1_720_000_000_999, blockHeight: 1_500_009, messageId: id as never }
    expect(details(changed(all))).toEqual(['the served values do not match the tags Epoch, Message, Timestamp, Block-Height'])
    expect(details(changed({ hashChain: id }))).toEqual([
      'the served values do not match the tags Hash-Chain',
      'the hash chain does not follow from the previous message'
    ])
    const without = schedule(2, (nonce) => (nonce === 1 ? { overrides: { Process: undefined, Nonce: '7' } } : {}))
    expect(details(without)).toEqual(['the served values do not match the tags Process, Nonce'])
  })

  it('name a block height that has other characters than digits', () => {
    for (const height of ['x1500001', '1500001x', ' 1500001', '']) {
      const odd = schedule(2, (nonce) => (nonce === 1 ? { overrides: { 'Block-Height': height } } : {}))
      expect(details(odd)).toEqual(['the served values do not match the tags Block-Height'])
    }
    const absent = schedule(2, (nonce) => (nonce === 1 ? { overrides: { 'Block-Height': undefined } } : {}))
    expect(details(absent)).toEqual(['the served values do not match the tags Block-Height'])
  })

  it('name the signer, and the address of the message', () => {
    const [first] = schedule(1, undefined, stranger)
    if (first === undefined) throw new Error('no message')
    expect(details([first])).toEqual([`signed by ${addressOf(stranger)}; the process names ${addressOf(scheduler)}`])
    const other = idOf(message(97))
    const to = (target: string) => schedule(2, (nonce) => (nonce === 1 ? { message: message(1, target) } : {}))
    expect(details(to(other))).toEqual([`the message is addressed to ${other}`])
    expect(details(to(''))).toEqual(['the message is addressed to nobody'])
    const nobody = at(to(''), 1, (one) => ({ ...one, message: one.message && { ...one.message, target: null } }))
    expect(details(nobody)).toEqual(['the message is addressed to nobody'])
  })

  it('name the assignment that was not checked', () => {
    expect(details(messages.slice(0, 1), () => unverifiable(['anchor'], 'no anchor'))).toEqual(['the assignment: no anchor'])
  })

  it('name the nonces that they are about', () => {
    const [zero, one, two, three] = messages
    if (zero === undefined || one === undefined || two === undefined || three === undefined) throw new Error('no message')
    expect(details([zero, two])).toEqual(['this nonce is missing'])
    expect(details([zero, three])).toEqual(['this nonce and all up to nonce 2 are missing'])
    expect(details([zero, one, one])).toEqual(['this nonce appears twice'])
    expect(details([zero, one, zero])).toEqual(['this nonce comes after nonce 1'])
    const other = schedule(2, (nonce) => (nonce === 1 ? { message: message(50) } : {}))[1]
    if (other === undefined) throw new Error('no message')
    expect(details([zero, one, other])).toEqual([`two signed assignments: ${one.assignment.id} and ${other.assignment.id}`])
  })

  it('name the time or block that goes back, with both values', () => {
    const parts = (nonce: number) => (nonce === 1 ? { overrides: { Timestamp: '5', 'Block-Height': '6' } } : {})
    const early = at(schedule(2, parts), 1, (one) => ({ ...one, timestamp: 5, blockHeight: 6 }))
    expect(details(early)).toEqual([
      'after nonce 0 the timestamp goes back from 1720000000000 to 5 and the block goes back from 1500000 to 6'
    ])
  })

  it('do not change the state of an assignment that appears twice', () => {
    const [zero, one] = messages
    if (zero === undefined || one === undefined) throw new Error('no message')
    expect(judge([one, one])).toEqual([
      [false, 'NONCE_GAP error 0'],
      [false, 'NONCE_TWICE warning 1']
    ])
    const later = (scheduled: ScheduledMessage) => (scheduled === one ? unverifiable(['anchor'], 'none') : VALID)
    expect(judge([zero, one, { ...one }], { verdict: later })[2]).toEqual([false, 'NONCE_TWICE warning 1'])
  })
})

describe('isSound', () => {
  const options = { process: { id: process }, schedulerAddress: addressOf(scheduler) }

  it('requires a valid signature of the scheduler over the served values, but not the hash chain', () => {
    const [, , third] = schedule(3)
    if (third === undefined) throw new Error('no message')
    expect(isSound(third, VALID, options)).toBe(true)
    expect(isSound(third, unverifiable(['anchor'], 'none'), options)).toBe(false)
    expect(isSound(third, invalid('forged'), options)).toBe(false)
    expect(isSound({ ...third, nonce: 1 }, VALID, options)).toBe(false)
    expect(isSound(third, VALID, { ...options, schedulerAddress: addressOf(stranger) })).toBe(false)
  })
})

describe('isSignedBy', () => {
  it('accepts the address of the owner, and no address of a key that cannot be read', () => {
    const address = addressOf(scheduler)
    expect(isSignedBy({ owner: { address, key: '*' } }, address)).toBe(true)
    expect(isSignedBy({ owner: { address: 'other', key: '*' } }, address)).toBe(false)
    const short = Buffer.from(scheduler.owner.subarray(0, 64))
    const named = ethereumAddress(short) as Address
    expect(isSignedBy({ owner: { address: 'other', key: short.toString('base64url') } }, named)).toBe(false)
  })
})
