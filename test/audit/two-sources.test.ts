/** Whole audits with the scheduler's schedule, with Arweave's, and with both compared. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { EthereumSigner } from 'arbundles'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import { pullArchive } from '../../src/audit/pull-archive.ts'
import type { Report } from '../../src/report/model.ts'
import { bundled } from '../fakes/bundles.ts'
import { type FakeClaim, type FakeTransaction, idOf } from '../fakes/data.ts'
import { type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['count', 'error', 'count', 'count', 'count']
/** The nonce with the fault. */
const N = 3
let small: SmallProcess
/** The same process with another history from nonce N on, signed by the same scheduler. */
let forked: SmallProcess
let folder: string

beforeAll(async () => {
  const wasm = await compileSmallModule(FORMAT)
  small = await signedSmallProcess({ format: FORMAT, wasm, messages: WORDS })
  const messages = WORDS.map((word, place) => (place + 1 === N ? 'echo forked' : word))
  forked = await signedSmallProcess({ format: FORMAT, wasm, messages })
  expect(forked.process).toEqual(small.process)
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-sources-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const result = (fields: object) => ({ Messages: [], Assignments: [], Spawns: [], Output: '', GasUsed: 0, ...fields })

/** The answers of an honest unit, except for a false one at `wrongAt`. */
function claims(wrongAt?: number): FakeClaim[] {
  let count = 0
  return WORDS.map((word, place) => {
    const honest = word === 'count' ? { Output: String(++count) } : { Output: 'failed', Error: 'boom' }
    const claimed = place + 1 === wrongAt ? { Output: 'another' } : honest
    return { id: small.messageIds[place + 1] ?? '', status: 200, result: result(claimed) }
  })
}

async function withNetwork<T>(
  network: Partial<FakeNetworkOptions>,
  use: (options: AuditOptions & { process: string }) => Promise<T>
): Promise<T> {
  const served = { ...small, claims: claims(), ...network }
  const { url, close } = await startFakeNetwork(served)
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    const fetchLimits = { patienceMs: 2_000, waitMinMs: 1, waitMaxMs: 20, idleMs: 2_000 }
    return await use({ process: small.process.process_id, ...units, fetchLimits, store: path.join(folder, 'store') })
  } finally {
    await close()
  }
}

function audited(network: Partial<FakeNetworkOptions>, schedule: AuditOptions['schedule'] = 'both'): Promise<Report> {
  return withNetwork(network, (options) => audit({ ...options, ...(schedule === undefined ? {} : { schedule }) }))
}

const found = ({ findings }: Report) =>
  findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ code, severity, nonce, attribution }) => [code, severity, nonce, attribution])
const GAP = ['NONCE_GAP', 'error', N, 'scheduler']
const EQUIVOCATION = ['SCHEDULER_EQUIVOCATION', 'error', N, 'scheduler']

const assignmentOf = (of: SmallProcess, nonce: number) => of.schedule[nonce]?.node.assignment.id ?? ''
const withoutAnchors = (of: SmallProcess) => of.schedule.map(({ node, cursor }) => ({ node, cursor }))
const without = (nonce: number) => small.schedule.filter((_, place) => place !== nonce)
/** The gateway's transaction of an item of one of the two histories. */
const transactionOf = (of: SmallProcess, id: string) => of.transactions.filter((one) => one.id === id)
const lacking = (...ids: readonly string[]) => small.transactions.filter(({ id }) => !ids.includes(id))
const detailOf = (report: Report, code: string) => report.findings.find((finding) => finding.code === code)?.detail

describe('an audit with both sources', { timeout: 30_000 }, () => {
  it('is a match without findings if the sources agree', async () => {
    const report = await audited({})
    expect([report.verdict, found(report)]).toEqual(['match', []])
    expect(report.coverage).toMatchObject({ scheduled: 6, evaluated: 6, compared: 6, unverified: 0 })
  })

  it('blames a unit as an audit with one source does', async () => {
    const report = await audited({ claims: claims(4) })
    expect([report.verdict, report.firstDivergence?.nonce]).toEqual(['mismatch', 4])
  })

  it('takes a nonce that the scheduler leaves out from Arweave and reports it', async () => {
    const report = await audited({ schedule: without(N) })
    expect([report.verdict, found(report)]).toEqual(['match', [GAP]])
    expect(report.coverage).toMatchObject({ scheduled: 6, compared: 6, unverified: 0 })
    expect(detailOf(report, 'NONCE_GAP')).toBe('the scheduler did not serve this nonce; taken from Arweave')
  })

  it('blames a unit before a nonce that the scheduler leaves out, but not from there on', async () => {
    const behind = await audited({ schedule: without(N), claims: claims(N) })
    expect([behind.verdict, behind.firstDivergence]).toEqual(['inconclusive', null])
    const before = await audited({ schedule: without(N), claims: claims(N - 1) })
    expect([before.verdict, before.firstDivergence?.nonce]).toEqual(['mismatch', N - 1])
  })

  it('is inconclusive if both sources lack a nonce', async () => {
    const report = await audited({ schedule: without(N), transactions: lacking(assignmentOf(small, N)) })
    expect(report.verdict).toBe('inconclusive')
    expect(found(report)).toEqual([GAP, ['NONCE_GAP', 'warning', N, 'gateway']])
    expect(detailOf(report, 'NONCE_GAP')).toContain('Arweave does not have it either')
  })

  it('uses the assignment on Arweave if the scheduler serves one that nobody signed', async () => {
    const schedule = small.schedule.map((edge, place) => {
      const { node } = edge
      return place === N ? { ...edge, node: { ...node, assignment: { ...node.assignment, id: idOf('nobody') } } } : edge
    })
    const report = await audited({ schedule })
    expect(report.verdict).toBe('match')
    expect(found(report)).toContainEqual(['ASSIGNMENT_SIGNATURE_INVALID', 'error', N, 'scheduler'])
    expect(detailOf(report, 'ASSIGNMENT_SIGNATURE_INVALID')).toContain(
      `${assignmentOf(small, N)}, which the scheduler signed, is used`
    )
    const blamed = await audited({ schedule, claims: claims(4) })
    expect(blamed.verdict).toBe('inconclusive')
  })

  it('uses the copy in a bundle on Arweave if the scheduler alters an item and no gateway has it by its id', async () => {
    const schedule = small.schedule.map((edge, place) => {
      const { message, assignment } = edge.node
      if (place === N && message !== null)
        return { ...edge, node: { assignment, message: { ...message, data: 'echo spoilt' } } }
      if (place !== N + 1) return edge
      const tags = assignment.tags.map((tag) => (tag.name === 'Hash-Chain' ? { ...tag, value: idOf('no chain') } : tag))
      return { ...edge, node: { message, assignment: { ...assignment, tags } } }
    })
    const assignments = new Set(small.schedule.map(({ node }) => node.assignment.id))
    const transactions = (await inBundles()).map((one) => {
      const { data: _, ...bare } = one
      return assignments.has(one.id) ? bare : one
    })
    const alone = await audited({ schedule, transactions }, 'scheduler')
    expect(alone.verdict).toBe('inconclusive')
    const report = await audited({ schedule, transactions })
    expect([report.verdict, found(report)]).toEqual([
      'match',
      [
        ['MESSAGE_SIGNATURE_INVALID', 'error', N, 'scheduler'],
        ['ASSIGNMENT_SIGNATURE_INVALID', 'error', N + 1, 'scheduler']
      ]
    ])
    expect(report.coverage.unverified).toBe(0)
  })

  it('accuses nobody of an anchor that the scheduler does not show', async () => {
    const hidden = withoutAnchors(small)
    const assignments = new Set(small.schedule.map(({ node }) => node.assignment.id))
    const transactions = small.transactions.map(({ data, ...one }) =>
      assignments.has(one.id) || data === undefined ? one : { ...one, data }
    )
    const alone = await audited({ schedule: hidden, transactions, claims: claims(4) }, 'scheduler')
    expect(alone.verdict).toBe('inconclusive')
    const report = await audited({ schedule: hidden, transactions, claims: claims(4) })
    expect([report.verdict, report.firstDivergence?.nonce]).toEqual(['mismatch', 4])
    expect(found(report).filter(([, , , who]) => who !== 'compute-unit')).toEqual([])
    const another = withoutAnchors(forked)
    const schedule = hidden.map((edge, place) => (place === N ? (another[N] ?? edge) : edge))
    const unknown = await audited({ schedule, transactions, claims: claims(4) })
    expect(unknown.verdict).toBe('inconclusive')
    expect(found(unknown)).toContainEqual(['SIGNATURE_NOT_CHECKED', 'warning', N, 'scheduler'])
    expect(found(unknown).filter(([, severity]) => severity === 'error')).toEqual([])
  })

  it('reports the nonces for which Arweave has no assignment to compare', async () => {
    const ids = small.schedule.slice(2).map(({ node }) => node.assignment.id)
    const report = await audited({ transactions: lacking(...ids) })
    expect([report.verdict, found(report)]).toEqual(['match', [['NONCE_GAP', 'warning', 2, 'gateway']]])
    expect(detailOf(report, 'NONCE_GAP')).toContain('this nonce and all up to nonce 5')
  })

  it('reports assignments on Arweave that the scheduler withholds after its newest nonce', async () => {
    const report = await audited({ schedule: small.schedule.slice(0, 4) })
    expect(report.range).toEqual({ from: 0, to: 3 })
    expect([report.verdict, found(report)]).toEqual(['match', [['NONCE_GAP', 'error', 4, 'scheduler']]])
    expect(detailOf(report, 'NONCE_GAP')).toContain('this nonce and all up to nonce 5')
  })
})

describe('two signed assignments of one nonce', { timeout: 30_000 }, () => {
  const beside = () => [...small.transactions, ...transactionOf(forked, assignmentOf(forked, N))]

  it('are found and both named, and the served one is replayed', async () => {
    const report = await audited({ transactions: beside() })
    expect([report.verdict, found(report)]).toEqual(['match', [EQUIVOCATION]])
    const detail = detailOf(report, 'SCHEDULER_EQUIVOCATION')
    expect(detail).toContain(assignmentOf(small, N))
    expect(detail).toContain(assignmentOf(forked, N))
  })

  it('are found if Arweave has only the other one', async () => {
    const others = transactionOf(forked, assignmentOf(forked, N))
    const report = await audited({ transactions: [...lacking(assignmentOf(small, N)), ...others] })
    expect([report.verdict, found(report)]).toEqual(['match', [EQUIVOCATION]])
  })

  it('are found if the scheduler serves both, even without a second source', async () => {
    const schedule = [...small.schedule.slice(0, N + 1), ...forked.schedule.slice(N, N + 1), ...small.schedule.slice(N)]
    const report = await audited({ schedule }, 'scheduler')
    expect(report.verdict).toBe('match')
    expect(found(report)).toContainEqual(EQUIVOCATION)
    expect(found(report)).toContainEqual(['NONCE_TWICE', 'warning', N, 'scheduler'])
  })

  it('allow blame of a unit before them but not from there on', async () => {
    const behind = await audited({ transactions: beside(), claims: claims(N) })
    expect([behind.verdict, behind.firstDivergence]).toEqual(['inconclusive', null])
    const before = await audited({ transactions: beside(), claims: claims(N - 1) })
    expect([before.verdict, before.firstDivergence?.nonce]).toEqual(['mismatch', N - 1])
  })

  it('are not reported if a gateway changed the second or somebody else signed it', async () => {
    const [other] = transactionOf(forked, assignmentOf(forked, N))
    if (other === undefined) throw new Error('no assignment')
    const changed = { ...other, tags: other.tags.map((tag) => (tag.name === 'Timestamp' ? { ...tag, value: '1' } : tag)) }
    const [owned] = transactionOf(small, small.messageIds[1] ?? '')
    const foreign = { ...other, id: idOf('foreign'), owner: owned?.owner ?? other.owner }
    const report = await audited({ transactions: [...small.transactions, changed, foreign] })
    expect([report.verdict, found(report)]).toEqual(['match', []])
  })
})

describe('an audit with Arweave alone', { timeout: 30_000 }, () => {
  const faults = [{ kind: 'destroy', unit: 'scheduler' }] as const

  it('works without the scheduler, but blames nobody if Arweave does not show which messages were sent', async () => {
    const honest = await audited({ faults }, 'arweave')
    expect([honest.verdict, found(honest)]).toEqual(['match', []])
    expect(honest.coverage).toMatchObject({ scheduled: 6, compared: 6, unverified: 0 })
    const wrong = await audited({ faults, claims: claims(4) }, 'arweave')
    expect([wrong.verdict, wrong.firstDivergence]).toEqual(['inconclusive', null])
    expect(wrong.reasons.join()).toContain('Arweave does not show')
  })

  it('blames a unit if the scheduler bundled each assignment with its message', async () => {
    const transactions = await inBundles()
    const honest = await audited({ faults, transactions }, 'arweave')
    expect([honest.verdict, found(honest)]).toEqual(['match', []])
    const wrong = await audited({ faults, transactions, claims: claims(4) }, 'arweave')
    expect([wrong.verdict, wrong.firstDivergence?.nonce]).toEqual(['mismatch', 4])
  })

  it('blames the gateway for a missing nonce and judges the nonces before it', async () => {
    const report = await audited({ faults, transactions: lacking(assignmentOf(small, N)) }, 'arweave')
    expect([report.verdict, found(report)]).toEqual(['inconclusive', [['NONCE_GAP', 'error', N, 'gateway']]])
    expect(report.coverage.compared).toBe(3)
  })

  it('finds two signed assignments of one nonce', async () => {
    const transactions = [...small.transactions, ...transactionOf(forked, assignmentOf(forked, N))]
    const report = await audited({ faults, transactions }, 'arweave')
    expect(found(report)).toContainEqual(EQUIVOCATION)
  })
})

describe('a stored schedule', { timeout: 30_000 }, () => {
  it('leads to the same report from an archive of both sources as online', async () => {
    const transactions = [
      ...small.transactions,
      ...transactionOf(forked, assignmentOf(forked, 2)),
      ...transactionOf(forked, assignmentOf(forked, 4))
    ]
    const file = path.join(folder, 'both.tar.gz')
    const options = { schedule: 'both' } as const
    const [online, offline] = await withNetwork({ schedule: without(N), transactions }, async (units) => {
      await pullArchive({ ...units, ...options }, file)
      const first = await audit({ ...units, ...options, store: path.join(folder, 'another') })
      return [first, await audit({ archive: file })]
    })
    expect(found(online)).toEqual([GAP, ['SCHEDULER_EQUIVOCATION', 'error', 4, 'scheduler']])
    const lasting = (report: Report) => ({ ...report, date: null, digest: null, timings: null })
    expect(lasting(offline)).toEqual(lasting(online))
  })

  it('is kept apart for each source in one store', async () => {
    await withNetwork({ schedule: without(N) }, async (units) => {
      const verdicts: string[] = []
      for (const schedule of ['both', 'scheduler', 'arweave', 'scheduler', 'both'] as const)
        verdicts.push((await audit({ ...units, schedule })).verdict)
      expect(verdicts).toEqual(['match', 'inconclusive', 'match', 'inconclusive', 'match'])
    })
  })

  it('keeps the true item of an altered message in an archive', async () => {
    const schedule = small.schedule.map((edge, place) => {
      const { node } = edge
      const message = node.message === null ? null : { ...node.message, data: 'echo spoilt' }
      return place === N ? { ...edge, node: { ...node, message } } : edge
    })
    const file = path.join(folder, 'spoilt.tar.gz')
    await withNetwork({ schedule }, (units) => pullArchive(units, file))
    const report = await audit({ archive: file })
    expect(report.verdict).toBe('match')
    expect(found(report)).toContainEqual(['MESSAGE_SIGNATURE_INVALID', 'error', N, 'scheduler'])
  })
})

/** The gateway's transactions in the older layout, in which it knows no message by its id. */
async function inBundles(): Promise<FakeTransaction[]> {
  const signer = new EthereumSigner(createHash('sha256').update(' key of scheduler').digest('hex'))
  const messages = new Set(small.messageIds.slice(1))
  const assignments = new Set(small.schedule.map(({ node }) => node.assignment.id))
  const others = small.transactions.filter(({ id }) => !messages.has(id) && !assignments.has(id))
  const pairs = small.messageIds.map(async (id, nonce) => {
    const [assignment] = transactionOf(small, assignmentOf(small, nonce))
    const [message] = transactionOf(small, id)
    if (assignment === undefined || message === undefined) throw new Error('no pair')
    return bundled([assignment, message], signer)
  })
  return [...others, ...(await Promise.all(pairs)).flat()]
}
