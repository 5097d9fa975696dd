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

/** The process at nonce 0 and messages after it, with a true hash chain; `parts` alters some. */
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

/** Per message: whether it is proven, then its findings as code, severity and nonce. */
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
  it('is proven from its process on', () => {
    expect(judge(schedule(5))).toEqual([PROVEN, PROVEN, PROVEN, PROVEN, PROVEN])
  })

  it('of an older process is proven from its first message on', () => {
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

  it('signed by somebody else is not proven', () => {
    expect(judge(schedule(2, undefined, stranger))).toEqual([
      [false, 'ASSIGNMENT_SIGNER_NOT_SCHEDULER error 0'],
      [false, 'ASSIGNMENT_SIGNER_NOT_SCHEDULER error 1']
    ])
  })
})

describe('signatures', () => {
  it('that are invalid are found, and what such an assignment says is held against nobody', () => {
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

  it('that cannot be judged leave a warning, and the chain is still held', () => {
    const verdict = () => unverifiable(['anchor'], 'no anchor')
    expect(judge(schedule(2), { verdict })).toEqual([
      [false, 'SIGNATURE_NOT_CHECKED warning 0'],
      [false, 'SIGNATURE_NOT_CHECKED warning 1']
    ])
    const broken = schedule(2, (nonce) => (nonce === 1 ? { hashChain: sha256(process) } : {}))
    expect(judge(broken, { verdict })[1]).toEqual([false, 'SIGNATURE_NOT_CHECKED warning 1', 'HASH_CHAIN_BROKEN error 1'])
  })

  it('after one that cannot be judged prove it again by the chain', () => {
    const verdict = ({ nonce, assignment }: ScheduledMessage) =>
      nonce === 0 ? unverifiable(['anchor'], 'none') : verifyMessage(assignment)
    expect(judge(schedule(3), { verdict })).toEqual([[false, 'SIGNATURE_NOT_CHECKED warning 0'], PROVEN, PROVEN])
  })

  it('carry the reason', () => {
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
    ['a nonce written otherwise', { Nonce: '01' }],
    ['another message', { Message: id }],
    ['another chain', { 'Hash-Chain': id }],
    ['another time', { Timestamp: '1' }],
    ['another block', { 'Block-Height': '000001500002' }],
    ['a block that is no number', { 'Block-Height': '1500001.0' }]
  ]
  it.each(signed)('that disagree with what is served are found: %s', (_, overrides) => {
    const messages = schedule(2, (nonce) => (nonce === 1 ? { overrides } : {}))
    expect(judge(messages)[1]).toEqual([false, 'ASSIGNMENT_TAGS_DISAGREE error 1'])
  })

  it('that are there twice disagree', () => {
    const twice = at(schedule(2), 1, (one) => {
      const tags = [...one.assignment.tags, { name: 'Nonce', value: '1' }]
      return { ...one, assignment: { ...one.assignment, tags } }
    })
    expect(judge(twice, { verdict: () => VALID })[1]).toEqual([false, 'ASSIGNMENT_TAGS_DISAGREE error 1'])
  })

  it('name the message that is served', () => {
    const other = wireOfItem(message(98))
    expect(judge(at(schedule(2), 1, (one) => ({ ...one, message: other })))[1]).toEqual([
      false,
      'ASSIGNMENT_TAGS_DISAGREE error 1'
    ])
    expect(judge(at(schedule(2), 1, (one) => ({ ...one, message: null })))[1]).toEqual(PROVEN)
  })

  it('of an epoch other than 0 disagree even where they are served so', () => {
    const epoch = at(
      schedule(2, () => ({ overrides: { Epoch: '1' } })),
      1,
      (one) => ({ ...one, epoch: 1 })
    )
    expect(judge(epoch)[1]).toEqual([false, 'ASSIGNMENT_TAGS_DISAGREE error 1'])
  })

  it('over a message that is signed for another process leave a warning', () => {
    const messages = schedule(2, (nonce) => (nonce === 1 ? { message: message(1, idOf(message(97))) } : {}))
    expect(judge(messages)[1]).toEqual([true, 'ASSIGNMENT_TAGS_DISAGREE warning 1'])
  })
})

describe('nonces', () => {
  it('that are missing are found once, and what follows them is not proven by the chain', () => {
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

  it('count how many are missing', () => {
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
        detail: 'nonces 1 to 2 are missing'
      }
    ])
  })

  it('that are there twice are a warning, the same assignment as proven as before', () => {
    const [first, second, third] = schedule(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('no message')
    expect(judge([first, second, second, third])).toEqual([PROVEN, PROVEN, [true, 'NONCE_TWICE warning 1'], PROVEN])
  })

  it('with an assignment that is signed for another process are none', () => {
    const messages = schedule(3)
    const other = schedule(2, (nonce) => (nonce === 1 ? { process: idOf(message(60)), message: message(50) } : {}))[1]
    if (other === undefined) throw new Error('no message')
    const foreign = ['ASSIGNMENT_TAGS_DISAGREE error 1', 'NONCE_TWICE warning 1']
    expect(judge([...messages.slice(0, 2), other, ...messages.slice(2)])).toEqual([PROVEN, PROVEN, [false, ...foreign], PROVEN])
  })

  it('with two signed assignments are equivocation', () => {
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

  it('by a stranger beside the scheduler are no equivocation', () => {
    const other = schedule(2, (nonce) => (nonce === 1 ? { message: message(50) } : {}), stranger)[1]
    if (other === undefined) throw new Error('no message')
    expect(judge([...schedule(2), other])[2]).toEqual([
      false,
      'ASSIGNMENT_SIGNER_NOT_SCHEDULER error 1',
      'NONCE_TWICE warning 1'
    ])
  })

  it('that come late are out of order', () => {
    const [first, second, third] = schedule(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('no message')
    expect(judge([first, second, first, third])).toEqual([PROVEN, PROVEN, [false, 'SCHEDULE_OUT_OF_ORDER warning 0'], PROVEN])
  })
})

describe('the hash chain', () => {
  const broken = schedule(4, (nonce) => (nonce === 2 ? { hashChain: sha256(process) } : {}))

  it('that breaks is an error, and goes on from what was signed', () => {
    expect(judge(broken)).toEqual([PROVEN, PROVEN, [false, 'HASH_CHAIN_BROKEN error 2'], PROVEN])
  })

  /** The same break, of a schedule that begins at this block, with the process's own assignment or without. */
  const brokenFrom = (height: number, own: boolean) =>
    schedule(4, (nonce) => ({
      ...(own || nonce > 0 ? {} : { message: message(9) }),
      ...(nonce === 2 ? { hashChain: sha256(process) } : {}),
      overrides: { 'Block-Height': String(height + nonce) }
    })).map((one, nonce) => ({ ...one, blockHeight: height + nonce }))

  it('that breaks in a process from before block 1440000 is a warning: its first assignment says so', () => {
    for (const own of [true, false]) expect(judge(brokenFrom(1_439_999, own))[2]).toEqual([true, 'HASH_CHAIN_BROKEN warning 2'])
    expect(judge(brokenFrom(1_440_000, true))[2]).toEqual([false, 'HASH_CHAIN_BROKEN error 2'])
  })

  it('that breaks in a process of which no assignment tells the age accuses nobody, and proves nothing', () => {
    expect(judge(brokenFrom(1_440_000, false))[2]).toEqual([false, 'HASH_CHAIN_BROKEN warning 2'])
  })

  it('begins with the process', () => {
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

  it('that goes back is a warning', () => {
    expect(judge(moved({ timestamp: 1 }, { Timestamp: '1' }))).toEqual([PROVEN, [true, 'TIME_GOES_BACK warning 1'], PROVEN])
    expect(judge(moved({ blockHeight: 1 }, { 'Block-Height': '1' }))).toEqual([
      PROVEN,
      [true, 'TIME_GOES_BACK warning 1'],
      PROVEN
    ])
  })

  it('that stands still is none', () => {
    const timestamp = 1_720_000_000_000
    expect(
      judge(moved({ timestamp, blockHeight: 1_500_000 }, { Timestamp: String(timestamp), 'Block-Height': '1500000' }))[1]
    ).toEqual(PROVEN)
  })
})

describe('findings', () => {
  /** What is said of the last of `messages`. */
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

  it('name the tags that are not as served', () => {
    const id = idOf(message(99))
    const all = { epoch: 1, timestamp: 1_720_000_000_999, blockHeight: 1_500_009, messageId: id as never }
    expect(details(changed(all))).toEqual(['Epoch, Message, Timestamp, Block-Height not as served'])
    expect(details(changed({ hashChain: id }))).toEqual([
      'Hash-Chain not as served',
      'the hash chain does not follow from the message before'
    ])
    const without = schedule(2, (nonce) => (nonce === 1 ? { overrides: { Process: undefined, Nonce: '7' } } : {}))
    expect(details(without)).toEqual(['Process, Nonce not as served'])
  })

  it('need a block height of digits alone', () => {
    for (const height of ['x1500001', '1500001x', ' 1500001', '']) {
      const odd = schedule(2, (nonce) => (nonce === 1 ? { overrides: { 'Block-Height': height } } : {}))
      expect(details(odd)).toEqual(['Block-Height not as served'])
    }
    const absent = schedule(2, (nonce) => (nonce === 1 ? { overrides: { 'Block-Height': undefined } } : {}))
    expect(details(absent)).toEqual(['Block-Height not as served'])
  })

  it('name who signed, and for whom a message is', () => {
    const [first] = schedule(1, undefined, stranger)
    if (first === undefined) throw new Error('no message')
    expect(details([first])).toEqual([`signed by ${addressOf(stranger)}; the process names ${addressOf(scheduler)}`])
    const other = idOf(message(97))
    const to = (target: string) => schedule(2, (nonce) => (nonce === 1 ? { message: message(1, target) } : {}))
    expect(details(to(other))).toEqual([`the message is signed for ${other}`])
    expect(details(to(''))).toEqual(['the message is signed for nobody'])
    const nobody = at(to(''), 1, (one) => ({ ...one, message: one.message && { ...one.message, target: null } }))
    expect(details(nobody)).toEqual(['the message is signed for nobody'])
  })

  it('name what was not checked', () => {
    expect(details(messages.slice(0, 1), () => unverifiable(['anchor'], 'no anchor'))).toEqual(['the assignment: no anchor'])
  })

  it('name the nonces', () => {
    const [zero, one, two, three] = messages
    if (zero === undefined || one === undefined || two === undefined || three === undefined) throw new Error('no message')
    expect(details([zero, two])).toEqual(['nonce 1 is missing'])
    expect(details([zero, three])).toEqual(['nonces 1 to 2 are missing'])
    expect(details([zero, one, one])).toEqual(['nonce 1 is there twice'])
    expect(details([zero, one, zero])).toEqual(['nonce 0 comes after nonce 1'])
    const other = schedule(2, (nonce) => (nonce === 1 ? { message: message(50) } : {}))[1]
    if (other === undefined) throw new Error('no message')
    expect(details([zero, one, other])).toEqual([`two signed assignments: ${one.assignment.id} and ${other.assignment.id}`])
  })

  it('name what goes back, and from where to where', () => {
    const parts = (nonce: number) => (nonce === 1 ? { overrides: { Timestamp: '5', 'Block-Height': '6' } } : {})
    const early = at(schedule(2, parts), 1, (one) => ({ ...one, timestamp: 5, blockHeight: 6 }))
    expect(details(early)).toEqual(['from nonce 0: the timestamp 1720000000000 to 5, the block 1500000 to 6'])
  })

  it('of the same assignment again keep what it was before', () => {
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

  it('asks for a valid signature of the scheduler over what is served, and not for the chain', () => {
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
  it('takes an address of its own for the owner, and a key that cannot be read for none', () => {
    const address = addressOf(scheduler)
    expect(isSignedBy({ owner: { address, key: '*' } }, address)).toBe(true)
    expect(isSignedBy({ owner: { address: 'other', key: '*' } }, address)).toBe(false)
    const short = Buffer.from(scheduler.owner.subarray(0, 64))
    const named = ethereumAddress(short) as Address
    expect(isSignedBy({ owner: { address: 'other', key: short.toString('base64url') } }, named)).toBe(false)
  })
})
