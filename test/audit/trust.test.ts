/** Trusted roles: which inputs of scheduler or gateway they let through, which they do not, and how the report names the trust. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { createData, EthereumSigner } from 'arbundles'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import type { Report } from '../../src/report/model.ts'
import type { FakeClaim, FakeEdge, FakeTransaction } from '../fakes/data.ts'
import { type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['count', 'error', 'count', 'count', 'count']
/** The nonce with the fault. */
const N = 3
let wasm: Uint8Array
let small: SmallProcess
/** Another history that the same scheduler signed, from nonce N on. */
let forked: SmallProcess
let folder: string

beforeAll(async () => {
  wasm = await compileSmallModule(FORMAT)
  small = await signedSmallProcess({ format: FORMAT, wasm, messages: WORDS })
  const messages = WORDS.map((word, place) => (place + 1 === N ? 'echo forked' : word))
  forked = await signedSmallProcess({ format: FORMAT, wasm, messages })
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-trust-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const result = (fields: object) => ({ Messages: [], Assignments: [], Spawns: [], Output: '', GasUsed: 0, ...fields })

/** The answers of a unit that was served `words`, except for a false one at `wrongAt`. */
function claims(words: readonly string[] = WORDS, wrongAt?: number): FakeClaim[] {
  let count = 0
  return words.map((word, place) => {
    const [verb, argument = ''] = word.split(' ')
    const counted = verb === 'count' ? { Output: String(++count) } : { Output: argument }
    const honest = verb === 'error' ? { Output: 'failed', Error: 'boom' } : counted
    const claimed = place + 1 === wrongAt ? { Output: 'another' } : honest
    return { id: small.messageIds[place + 1] ?? '', status: 200, result: result(claimed) }
  })
}
const SPOILT_WORDS = WORDS.map((word, place) => (place + 1 === N ? 'echo spoilt' : word))

async function audited(
  network: Partial<FakeNetworkOptions>,
  trustedRoles?: AuditOptions['trustedRoles'],
  more: Partial<AuditOptions> = {}
): Promise<Report> {
  const { url, close } = await startFakeNetwork({ ...small, claims: claims(), ...network })
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    const fetchLimits = { patienceMs: 2_000, waitMinMs: 1, waitMaxMs: 20, idleMs: 2_000 }
    const store = path.join(folder, 'store')
    const given = trustedRoles === undefined ? {} : { trustedRoles }
    return await audit({ process: small.process.process_id, ...units, fetchLimits, store, ...given, ...more })
  } finally {
    await close()
  }
}

const lowered = ({ findings }: Report) =>
  findings
    .filter(({ code }) => code === 'TRUST_LOWERED')
    .map(({ severity, attribution, detail }) => [severity, attribution, detail])
const errors = ({ findings }: Report) =>
  findings.filter(({ severity }) => severity === 'error').map(({ code, nonce, attribution }) => [code, nonce, attribution])
const outcome = ({ verdict, firstDivergence }: Report) => [verdict, firstDivergence?.nonce]

const assignmentId = (of: SmallProcess, nonce: number) => of.schedule[nonce]?.node.assignment.id ?? ''
const lacking = (...ids: readonly string[]) => small.transactions.filter(({ id }) => !ids.includes(id))
const altered = (id: string, data: string) =>
  small.transactions.map((one) => (one.id === id ? { ...one, data: Buffer.from(data).toString('base64') } : one))

/** The schedule with changes to one edge. */
function scheduleWith(nonce: number, change: (node: FakeEdge['node']) => Partial<FakeEdge['node']>): FakeEdge[] {
  return small.schedule.map((edge, place) =>
    place === nonce ? { ...edge, node: { ...edge.node, ...change(edge.node) } } : edge
  )
}
const spoiltMessage = () =>
  scheduleWith(N, ({ message }) => ({ message: message === null ? null : { ...message, data: 'echo spoilt' } }))
/** A message that is not served as it was signed and that no gateway has. */
const spoiltNowhere = () => ({ schedule: spoiltMessage(), transactions: lacking(small.messageIds[N] ?? '') })

const addressOf = (signer: EthereumSigner) => createHash('sha256').update(signer.publicKey).digest('base64url')

const SCHEDULER = (count: string) => ['warning', 'auditor', `the scheduler: ${count}`]
const GATEWAY = (count: string) => ['warning', 'auditor', `the gateway: ${count}`]
const ONE = '1 input was accepted as it served it'
const NONE = 'no input needed it'

describe('trust in the scheduler', { timeout: 30_000 }, () => {
  it('accepts an invalid message as it was served, and keeps the error finding', async () => {
    const report = await audited({ ...spoiltNowhere(), claims: claims(SPOILT_WORDS) }, ['scheduler'])
    expect(outcome(report)).toEqual(['match', undefined])
    expect(report.trusted).toEqual([`the scheduler: ${ONE}`])
    expect(lowered(report)).toEqual([SCHEDULER(ONE)])
    expect(errors(report)).toEqual([['MESSAGE_SIGNATURE_INVALID', N, 'scheduler']])
    expect(report.coverage).toMatchObject({ compared: 6, unverified: 1 })
  })

  it('allows a mismatch from an invalid message on, with reasons that name the trust', async () => {
    const network = { ...spoiltNowhere(), claims: claims(SPOILT_WORDS, 5) }
    expect(outcome(await audited(network))).toEqual(['inconclusive', undefined])
    const report = await audited(network, ['scheduler'])
    expect(outcome(report)).toEqual(['mismatch', 5])
    const words = `nonce 5: the message of nonce ${N} as the scheduler served it`
    const reason = `1 evaluation: differs over inputs taken on trust, the first at ${words}`
    expect(report.reasons).toContain(reason)
    expect(report.claimants[0]?.reasons).toContain(reason)
    expect(outcome(await audited({ ...network, claims: claims(SPOILT_WORDS, N) }, ['scheduler']))).toEqual(['mismatch', N])
  })

  it('accepts an invalid message if Arweave has its assignment but not the message', async () => {
    const network = { ...spoiltNowhere(), claims: claims(SPOILT_WORDS, 5) }
    const report = await audited(network, ['scheduler'], { schedule: 'both' })
    expect([outcome(report), lowered(report)]).toEqual([['mismatch', 5], [SCHEDULER(ONE)]])
  })

  it('is not named in the reasons of a mismatch before the invalid message', async () => {
    const report = await audited({ ...spoiltNowhere(), claims: claims(SPOILT_WORDS, 1) }, ['scheduler'])
    expect(outcome(report)).toEqual(['mismatch', 1])
    expect(report.reasons.join()).not.toContain('trust')
    expect(report.trusted).toEqual([`the scheduler: ${ONE}`])
  })

  it('accepts assignments whose signature could not be checked', async () => {
    const schedule = small.schedule.map(({ node, cursor }) => ({ node, cursor }))
    const transactions = lacking(...small.schedule.map(({ node }) => node.assignment.id))
    const network = { schedule, transactions, claims: claims(WORDS, 4) }
    expect(outcome(await audited(network))).toEqual(['inconclusive', undefined])
    const report = await audited(network, ['scheduler'])
    expect([outcome(report), lowered(report)]).toEqual([
      ['mismatch', 4],
      [SCHEDULER('6 inputs were accepted as it served them')]
    ])
    expect(report.coverage.unverified).toBe(6)
    expect(report.reasons.join()).toContain('nonce 4: the assignment of nonce 0 as the scheduler served it')
  })

  it('accepts an invalid assignment and the next one, which follows from it', async () => {
    const schedule = scheduleWith(N, ({ assignment }) => ({
      assignment: {
        ...assignment,
        tags: assignment.tags.map((tag) => (tag.name === 'Timestamp' ? { ...tag, value: '1720000004444' } : tag))
      }
    }))
    const network = { schedule, transactions: lacking(assignmentId(small, N)), claims: claims(WORDS, 5) }
    const report = await audited(network, ['scheduler'])
    expect([outcome(report), lowered(report)]).toEqual([
      ['mismatch', 5],
      [SCHEDULER('2 inputs were accepted as it served them')]
    ])
    expect(errors(report)).toContainEqual(['ASSIGNMENT_SIGNATURE_INVALID', N, 'scheduler'])
  })

  it('does not accept input that the gateway served', async () => {
    const schedule = scheduleWith(N, () => ({ message: null }))
    const transactions = altered(small.messageIds[N] ?? '', 'echo spoilt')
    const report = await audited({ schedule, transactions, claims: claims(SPOILT_WORDS, 5) }, ['scheduler'])
    expect(outcome(report)).toEqual(['inconclusive', undefined])
    expect(lowered(report)).toEqual([['info', 'auditor', `the scheduler: ${NONE}`]])
  })
})

describe('trust in both roles', { timeout: 30_000 }, () => {
  const both = ['scheduler', 'gateway'] as const

  it('allows no blame after a message that the true item replaced, because the unit may have seen the other one', async () => {
    const report = await audited({ schedule: spoiltMessage(), claims: claims(WORDS, 5) }, both)
    expect(outcome(report)).toEqual(['inconclusive', undefined])
    expect(report.trusted).toEqual([`the scheduler: ${NONE}`, `the gateway: ${NONE}`])
  })

  it('allows no blame after two signed assignments of one nonce', async () => {
    const schedule = [...small.schedule.slice(0, N + 1), ...forked.schedule.slice(N, N + 1), ...small.schedule.slice(N)]
    const report = await audited({ schedule, claims: claims(WORDS, 5) }, both)
    expect(outcome(report)).toEqual(['inconclusive', undefined])
    expect(errors(report)).toContainEqual(['SCHEDULER_EQUIVOCATION', N, 'scheduler'])
  })

  it('accepts neither of two different unproven messages for one nonce', async () => {
    const { schedule: spoilt, transactions } = spoiltNowhere()
    const other = scheduleWith(N, ({ message }) => ({ message: message === null ? null : { ...message, data: 'echo other' } }))
    const schedule = [...spoilt.slice(0, N + 1), ...other.slice(N, N + 1), ...spoilt.slice(N + 1)]
    const report = await audited({ schedule, transactions, claims: claims(SPOILT_WORDS, 5) }, both)
    expect(outcome(report)).toEqual(['inconclusive', undefined])
    expect(report.trusted).toEqual([`the scheduler: ${NONE}`, `the gateway: ${NONE}`])
    const twice = [...spoilt.slice(0, N + 1), ...spoilt.slice(N)]
    const same = await audited({ schedule: twice, transactions, claims: claims(SPOILT_WORDS, 5) }, both, {
      store: path.join(folder, 'another')
    })
    expect(outcome(same)).toEqual(['mismatch', 5])
  })

  it('does not accept a gap in the schedule', async () => {
    const schedule = small.schedule.filter((_, place) => place !== N)
    const report = await audited({ schedule, claims: claims(WORDS, 5) }, both)
    expect(outcome(report)).toEqual(['inconclusive', undefined])
    expect(errors(report)).toContainEqual(['NONCE_GAP', N, 'scheduler'])
  })

  it('does not accept an assignment that somebody other than the scheduler signed', async () => {
    const edge = small.schedule[N]
    if (edge === undefined) throw new Error('no edge')
    const { tags } = edge.node.assignment
    const signer = new EthereumSigner(createHash('sha256').update('another').digest('hex'))
    // Any 32 bytes are an anchor, though its type is only a string.
    const anchor = Buffer.from(edge.assignmentAnchor ?? '', 'base64url') as unknown as string
    const item = createData('', signer, { tags: [...tags], anchor })
    await item.sign(signer)
    const owner = { address: addressOf(signer), key: item.owner }
    const signed = { ...edge.node.assignment, id: item.id, signature: item.signature, owner }
    const report = await audited({ schedule: scheduleWith(N, () => ({ assignment: signed })), claims: claims(WORDS, 4) }, both)
    expect(errors(report)).toContainEqual(['ASSIGNMENT_SIGNER_NOT_SCHEDULER', N, 'scheduler'])
    expect(outcome(report)).toEqual(['inconclusive', undefined])
  })

  it('does not accept an item that was assigned from the chain if no gateway has it', async () => {
    const schedule = scheduleWith(N, () => ({ message: null }))
    const report = await audited({ schedule, transactions: lacking(small.messageIds[N] ?? '') }, both)
    expect(outcome(report)).toEqual(['inconclusive', undefined])
    expect(report.trusted).toEqual([`the scheduler: ${NONE}`, `the gateway: ${NONE}`])
  })
})

describe('trust in the gateway', { timeout: 30_000 }, () => {
  it('accepts a module that is not the signed one, and keeps the error finding', async () => {
    const other = Buffer.from(await compileSmallModule(FORMAT, { initialPages: 21 })).toString('base64')
    const transactions = small.transactions.map((one) => (one.id === small.moduleId ? { ...one, data: other } : one))
    const refused = await audited({ transactions }, ['scheduler'])
    expect([outcome(refused), refused.coverage.evaluated]).toEqual([['inconclusive', undefined], 0])
    const report = await audited({ transactions }, ['gateway'])
    expect([outcome(report), lowered(report)]).toEqual([['match', undefined], [GATEWAY(ONE)]])
    expect(errors(report)).toEqual([['MODULE_SIGNATURE_INVALID', undefined, 'gateway']])
    expect(report.coverage).toMatchObject({ evaluated: 6, unverified: 6 })
    const wrong = await audited({ transactions, claims: claims(WORDS, 2) }, ['gateway'])
    expect(outcome(wrong)).toEqual(['mismatch', 2])
    expect(wrong.reasons.join()).toContain('nonce 2: the module as the gateway served it')
  })

  it('accepts an item that was assigned from the chain', async () => {
    const schedule = scheduleWith(N, () => ({ message: null }))
    const transactions = altered(small.messageIds[N] ?? '', 'echo spoilt')
    const network = { schedule, transactions, claims: claims(SPOILT_WORDS, 5) }
    const report = await audited(network, ['gateway'])
    expect([outcome(report), lowered(report)]).toEqual([['mismatch', 5], [GATEWAY(ONE)]])
    expect(errors(report)).toContainEqual(['MESSAGE_SIGNATURE_INVALID', N, 'gateway'])
    expect(report.reasons.join()).toContain(`nonce 5: the on-chain item of nonce ${N} as the gateway served it`)
  })

  it('accepts an invalid process only if scheduler and gateway serve the same one', async () => {
    const { process_id } = small.process
    const process = { ...small.process, data: 'altered' }
    const network = { process, transactions: altered(process_id, 'altered'), claims: claims(WORDS, 4) }
    expect(outcome(await audited(network))).toEqual(['inconclusive', undefined])
    const report = await audited(network, ['gateway'])
    expect([outcome(report), lowered(report)]).toEqual([['mismatch', 4], [GATEWAY(ONE)]])
    expect(report.findings).toContainEqual(expect.objectContaining({ code: 'SIGNATURE_NOT_CHECKED', attribution: 'scheduler' }))
    const alone = { ...network, transactions: small.transactions.map(without(process_id)) }
    const store = path.join(folder, 'another')
    expect(outcome(await audited(alone, ['gateway'], { store }))).toEqual(['inconclusive', undefined])
    expect(outcome(await audited(alone, ['scheduler'], { store }))).toEqual(['mismatch', 4])
  })

  it('does not accept input that the scheduler served', async () => {
    const report = await audited({ ...spoiltNowhere(), claims: claims(SPOILT_WORDS, 5) }, ['gateway'])
    expect(outcome(report)).toEqual(['inconclusive', undefined])
  })

  it('accepts a checkpoint as signed, and a finding that it differs says that this rests on trust', async () => {
    const [good, spoilt] = await checkpoints()
    const statuses = ({ checkpoints: all }: Report) => all.map(({ status }) => status)
    const profile = { profile: 'loader-0.0.49' } as const
    const signed = await audited({ transactions: [...small.transactions, good] }, ['gateway'], profile)
    expect([statuses(signed), lowered(signed)]).toEqual([['mismatch'], [['info', 'auditor', `the gateway: ${NONE}`]]])
    const network = { transactions: [...small.transactions, spoilt] }
    const store = path.join(folder, 'another')
    expect(statuses(await audited(network, [], { ...profile, store }))).toEqual(['unverified'])
    const report = await audited(network, ['gateway'], { ...profile, store })
    expect([statuses(report), lowered(report)]).toEqual([['mismatch'], [GATEWAY(ONE)]])
    expect(report.verdict).toBe('match')
    expect(errors(report).map(([code]) => code)).toEqual(['CHECKPOINT_SIGNATURE_INVALID', 'CHECKPOINT_STATE_MISMATCH'])
    const mismatch = report.findings.find(({ code }) => code === 'CHECKPOINT_STATE_MISMATCH')
    expect(mismatch?.detail).toContain('taken on trust: the checkpoint as the gateway served it')
  })
})

describe('trust that nothing needs', { timeout: 30_000 }, () => {
  it('changes no verdict and is still reported once for each role', async () => {
    const report = await audited({}, ['gateway', 'scheduler', 'gateway'])
    expect(report.verdict).toBe('match')
    expect(report.trusted).toEqual([`the gateway: ${NONE}`, `the scheduler: ${NONE}`])
    expect(lowered(report).map(([severity]) => severity)).toEqual(['info', 'info'])
    expect((await audited({})).trusted).toEqual([])
  })

  it('is refused if it names an unknown role', async () => {
    const trustedRoles = ['compute'] as unknown as NonNullable<AuditOptions['trustedRoles']>
    await expect(audit({ process: small.process.process_id, trustedRoles })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'the option trustedRoles.0 must be scheduler or gateway'
    })
  })
})

function without(id: string): (one: FakeTransaction) => FakeTransaction {
  return ({ data, ...one }) => (one.id === id || data === undefined ? one : { ...one, data })
}

/** A signed checkpoint of a memory that no replay reaches, and the same with an added tag, so that its signature is invalid. */
async function checkpoints(): Promise<readonly [FakeTransaction, FakeTransaction]> {
  const memory = Buffer.alloc(1024, 'no such memory')
  const signer = new EthereumSigner(createHash('sha256').update('key of a unit').digest('hex'))
  const { process_id: process } = small.process
  const nonce = 4
  const timestamp = small.schedule[nonce]?.node.assignment.tags.find(({ name }) => name === 'Timestamp')?.value ?? ''
  const sha256 = createHash('sha256').update(memory).digest('hex')
  const named = { Type: 'Checkpoint', Process: process, Nonce: String(nonce), Timestamp: timestamp, 'SHA-256': sha256 }
  const tags = Object.entries({ 'Data-Protocol': 'ao', Module: small.moduleId, ...named }).map(([name, value]) => ({
    name,
    value
  }))
  const data = gzipSync(memory)
  const item = createData(data, signer, { tags })
  await item.sign(signer)
  const one = {
    id: item.id,
    height: 1_500_000,
    owner: { address: addressOf(signer), key: item.owner },
    signature: item.signature,
    anchor: '',
    target: '',
    tags,
    data: data.toString('base64')
  }
  return [one, { ...one, tags: [...tags, { name: 'Added', value: 'later' }] }]
}
