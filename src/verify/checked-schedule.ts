/**
 * The schedule as it was signed. If the scheduler shows an item that differs from the signed one, the signed one replaces it if a
 * gateway has it. An item that no source proves is marked, because nobody may be blamed because of it.
 */
import { createHash } from 'node:crypto'
import { type SignatureStatus, VALID } from '../ans104/signature-status.ts'
import type { Finding } from '../model/findings.ts'
import type { TransactionId } from '../model/ids.ts'
import type { ScheduledMessage, WireItem } from '../model/records.ts'
import { asSigned, signedWire } from './as-signed.ts'
import { showsOddAnchor } from './chain-item.ts'
import { type ChooseAssignmentOptions, chooseAssignment, wholeCopy } from './choose-assignment.ts'
import type { Proof } from './message-item.ts'
import { serversOfProcess } from './process-and-module.ts'
import { proveItem, type RawItem, type RawProof } from './raw-item.ts'
import { readScheduled } from './scheduled-edge.ts'
import { sealSigned, sealUnproven } from './seal.ts'
import type { Checked } from './signed.ts'
import type { UnprovenInput } from './trust.ts'
import { createScheduleVerifier } from './verify-schedule.ts'

/** The verdicts on the signatures of one edge of the schedule, as the scheduler shows it. */
export interface EdgeVerdicts {
  /** The hash of the judged items: the verdicts do not apply to other bytes. */
  readonly of: string
  readonly assignment: SignatureStatus
  /** null if an on-chain item was assigned. */
  readonly message: SignatureStatus | null
}

export interface CheckedMessage {
  /** Built from signed bytes, if it is proven. */
  readonly scheduled: Checked<ScheduledMessage>
  readonly findings: readonly Finding[]
  /** Why it proves nothing; then nothing after it does either. */
  readonly unproven: readonly UnprovenInput[]
  /** How the scheduler shows it wrongly, in two ways or not at all: a Compute Unit may have seen something else. */
  readonly tampered?: string
}

export interface CheckOptions extends ChooseAssignmentOptions {
  /** In nonce order. */
  readonly schedule: AsyncIterable<ScheduledMessage>
  /** The raw item of an id; undefined if no gateway has it. */
  rawItem(id: TransactionId): Promise<RawItem | undefined>
  /** `proveItem` by default; or one that remembers its proofs. */
  prove?(raw: RawItem): RawProof
  /** Verdicts from an earlier reading of the same bytes, by nonce; both ends inclusive. */
  known?(from: number, to: number): Promise<ReadonlyMap<number, EdgeVerdicts>>
  remember?(verdicts: readonly (readonly [number, EdgeVerdicts])[]): Promise<void>
}

const BATCH_EDGES = 32
const BATCHES_AHEAD = 4

/** Checks message by message; signatures are verified ahead of time. */
export async function* checkSchedule(options: CheckOptions): AsyncGenerator<CheckedMessage> {
  const { process } = options
  const order = createScheduleVerifier({ process, schedulerAddress: process.scheduler })
  for await (const { scheduled, verdicts } of withVerdicts(options)) {
    const { nonce } = scheduled
    const assignment = await checkAssignment(options, scheduled, verdicts.assignment)
    const weighed = await chooseAssignment(options, assignment.scheduled, assignment.verdict)
    const replaced = weighed.scheduled !== assignment.scheduled
    const itsMessage = replaced ? (weighed.message ?? null) : verdicts.message
    const message = await checkMessage(options, weighed.scheduled, itsMessage)
    const step = order.add(message.scheduled, weighed.assignment)
    const equivocations = weighed.conflicting
      .flatMap((conflicting) => order.add(conflicting, VALID).findings)
      .filter(({ code }) => code === 'SCHEDULER_EQUIVOCATION')
    const undecided = [
      ...(step.proven ? [] : [unprovenAssignment(nonce, step.findings)]),
      ...(message.unproven === undefined ? [] : [message.unproven])
    ]
    const unproven = undecided.length > 0 && (await hasConflicting(options, scheduled)) ? undecided.map(beyondTrust) : undecided
    const shownOtherwise = message.findings.filter(
      ({ code }) => code === 'MESSAGE_SIGNATURE_INVALID' && message.unproven === undefined
    )
    const [tampered] = [...assignment.findings, ...weighed.findings, ...equivocations, ...shownOtherwise]
    const reason = tampered?.detail ?? message.tampered ?? unsure(message.scheduled)
    const [first] = unproven
    const truth = inOneForm(message.scheduled)
    yield {
      scheduled: first === undefined ? sealSigned(truth) : sealUnproven(truth, first),
      findings: [...assignment.findings, ...weighed.findings, ...step.findings, ...equivocations, ...message.findings],
      unproven,
      ...(reason === undefined ? {} : { tampered: `nonce ${nonce}: ${reason}` })
    }
  }
}

/** An assignment with an invalid or unchecked signature is the scheduler's word; any other error also rules out trusting it. */
function unprovenAssignment(nonce: number, findings: readonly Finding[]): UnprovenInput {
  const wrong = findings.some(({ code, severity }) => severity === 'error' && code !== 'ASSIGNMENT_SIGNATURE_INVALID')
  const what = `the assignment of nonce ${nonce}`
  return { what, reason: `${what} is not proven`, servedBy: wrong ? [] : ['scheduler'] }
}

/** Whether sources disagree on this nonce, so that nobody knows which version a Compute Unit received. */
async function hasConflicting(
  { conflictingAssignments }: CheckOptions,
  { nonce, assignment, message }: ScheduledMessage
): Promise<boolean> {
  const conflicting = (await conflictingAssignments?.(nonce)) ?? []
  return conflicting.some((other) => {
    const { id, tags } = other.assignment
    if (id !== assignment.id || JSON.stringify(tags) !== JSON.stringify(assignment.tags)) return true
    // An item that could not be fetched contradicts nothing.
    return other.unclear !== true && JSON.stringify(other.message) !== JSON.stringify(message)
  })
}

function beyondTrust(unproven: UnprovenInput): UnprovenInput {
  return { ...unproven, servedBy: [] }
}

/** Passes on a single form of fields that can be shown in two ways, because a module could distinguish them. */
function inOneForm(scheduled: ScheduledMessage): ScheduledMessage {
  const { assignment, message } = scheduled
  return { ...scheduled, assignment: { ...signedWire(assignment), id: assignment.id }, message: message && signedWire(message) }
}

/** Why a Compute Unit may have seen something else, although everything here is signed. */
function unsure({ message, unserved, unclear }: ScheduledMessage): string | undefined {
  if (message?.anchor === '') return 'its anchor is shown as an empty string, but schedulers show null'
  if (unserved === true) return 'the scheduler does not serve it; the copy on Arweave is used'
  return unclear === true ? 'Arweave does not show whether the item was sent or assigned from the chain' : undefined
}

interface MessageWithVerdicts {
  readonly scheduled: ScheduledMessage
  readonly verdicts: EdgeVerdicts
}

async function* withVerdicts(options: CheckOptions): AsyncGenerator<MessageWithVerdicts> {
  const ahead: Promise<readonly MessageWithVerdicts[]>[] = []
  let batch: ScheduledMessage[] = []
  const send = () => {
    const judged = judgeBatch(options, batch)
    // It is awaited later, in order; until then a failure must not count as unhandled.
    judged.catch(() => {})
    ahead.push(judged)
    batch = []
  }
  for await (const scheduled of options.schedule) {
    batch.push(scheduled)
    if (batch.length >= BATCH_EDGES) send()
    if (ahead.length > BATCHES_AHEAD) yield* (await ahead.shift()) ?? []
  }
  send()
  for (const judged of ahead) yield* await judged
}

async function judgeBatch(
  { verifier, known, remember }: CheckOptions,
  batch: readonly ScheduledMessage[]
): Promise<MessageWithVerdicts[]> {
  const [first, last] = [batch[0], batch.at(-1)]
  if (first === undefined || last === undefined) return []
  const kept = await known?.(first.nonce, last.nonce)
  // Verdicts are kept only for items that the scheduler serves.
  const hashes = batch.map(hashOf)
  const earlier = batch.map(({ nonce, unserved }, place) => {
    const found = unserved ? undefined : kept?.get(nonce)
    return found?.of === hashes[place] ? found : undefined
  })
  const items: WireItem[] = []
  for (const [place, { assignment, message }] of batch.entries()) {
    if (earlier[place] === undefined) items.push(assignment, ...(message === null ? [] : [message]))
  }
  const answers = [...(items.length === 0 ? [] : await verifier.verify(items))]
  const missing: SignatureStatus = { status: 'unverifiable', reason: 'it was not verified', hidden: [] }
  const fresh: (readonly [number, EdgeVerdicts])[] = []
  const judged = batch.map((scheduled, place): MessageWithVerdicts => {
    const found = earlier[place]
    if (found !== undefined) return { scheduled, verdicts: found }
    const assignment = answers.shift() ?? missing
    const of = hashes[place] ?? ''
    const verdicts = { of, assignment, message: scheduled.message === null ? null : (answers.shift() ?? missing) }
    if (scheduled.unserved !== true) fresh.push([scheduled.nonce, verdicts])
    return { scheduled, verdicts }
  })
  if (fresh.length > 0) await remember?.(fresh)
  return judged
}

function hashOf({ assignment, message }: ScheduledMessage): string {
  return createHash('sha256')
    .update(JSON.stringify([assignment, message]))
    .digest('base64url')
}

interface CheckedAssignment {
  readonly scheduled: ScheduledMessage
  readonly verdict: SignatureStatus
  readonly findings: readonly Finding[]
}

/** Replaces an assignment that differs from the signed one by the item with its id. */
async function checkAssignment(
  options: CheckOptions,
  scheduled: ScheduledMessage,
  verdict: SignatureStatus
): Promise<CheckedAssignment> {
  if (verdict.status === 'valid') return { scheduled, verdict, findings: [] }
  const { proof } = await fetchAndProve(options, scheduled.assignment.id)
  if (proof?.item === undefined) return { scheduled, verdict, findings: [] }
  const { wire, changed } = asSigned(scheduled.assignment, proof.item)
  if (changed.length === 0) return { scheduled, verdict: VALID, findings: [] }
  const { data: _, ...assignment } = wire
  const truth = readScheduled({ message: scheduled.message, assignment })
  // An item whose tags state another nonce cannot replace this assignment.
  if (truth === undefined || truth.nonce !== scheduled.nonce) return { scheduled, verdict, findings: [] }
  const detail = `the scheduler's assignment differs from the signed one (${changed.join(', ')}); the signed one is used`
  return {
    scheduled: truth,
    verdict: VALID,
    findings: [finding('ASSIGNMENT_SIGNATURE_INVALID', 'error', 'scheduler', scheduled.nonce, detail)]
  }
}

interface CheckedItem {
  readonly scheduled: ScheduledMessage
  readonly findings: readonly Finding[]
  readonly unproven?: UnprovenInput
  /** Why a Compute Unit may have seen something else. */
  readonly tampered?: string
}

async function checkMessage(
  options: CheckOptions,
  scheduled: ScheduledMessage,
  verdict: SignatureStatus | null
): Promise<CheckedItem> {
  const { nonce, message, messageId } = scheduled
  if (message === null || verdict === null) return checkOnChain(options, scheduled)
  if (verdict.status === 'valid') return { scheduled, findings: [] }
  const { proof, raw } = await fetchAndProve(options, messageId)
  if (proof?.item === undefined) {
    const copy = await wholeCopy(options, scheduled)
    if (copy !== undefined) {
      const detail = `the scheduler's message differs from the signed one (${verdict.reason}); the signed one is used`
      const findings = [finding('MESSAGE_SIGNATURE_INVALID', 'error', 'scheduler', nonce, detail)]
      return { scheduled: { ...scheduled, message: copy }, findings }
    }
    const tampered = verdict.status === 'invalid'
    const what = `the message of nonce ${nonce}`
    const why =
      raw === undefined ? 'no gateway has the item' : `the gateway's item does not prove it either (${reasonOf(proof)})`
    const detail = `${verdict.reason}; ${why}`
    return {
      scheduled,
      findings: [
        tampered
          ? finding('MESSAGE_SIGNATURE_INVALID', 'error', 'scheduler', nonce, detail)
          : finding('SIGNATURE_NOT_CHECKED', 'warning', 'scheduler', nonce, detail)
      ],
      unproven: { what, reason: `${what} is not proven: ${detail}`, servedBy: serversOfMessage(options, message, raw) }
    }
  }
  const { wire, changed } = asSigned(message, proof.item)
  if (changed.length > 0) {
    const detail = `the scheduler's message differs from the signed one (${changed.join(', ')}); the signed one is used`
    const replaced = { ...wire, data: wire.data ?? null }
    return {
      scheduled: { ...scheduled, message: replaced },
      findings: [finding('MESSAGE_SIGNATURE_INVALID', 'error', 'scheduler', nonce, detail)]
    }
  }
  if (!message.data?.includes('\u{FFFD}')) return { scheduled, findings: [] }
  const detail = 'its data is not valid UTF-8: both the unit and this replay see U+FFFD in place of the invalid bytes'
  return { scheduled, findings: [finding('MESSAGE_DATA_LOSSY', 'info', 'process', nonce, detail)] }
}

/** An item that was assigned from the chain comes only from the gateway (§1.8). */
async function checkOnChain(options: CheckOptions, scheduled: ScheduledMessage): Promise<CheckedItem> {
  const { nonce, messageId } = scheduled
  const { proof, raw } = await fetchAndProve(options, messageId)
  if (raw !== undefined && proof?.facts !== undefined) {
    if (!showsOddAnchor(raw.record, proof.facts)) return { scheduled, findings: [] }
    return { scheduled, findings: [], tampered: 'gateways show its anchor in more than one form' }
  }
  const detail = raw === undefined ? `no gateway has the item ${messageId}` : `the item ${messageId}: ${reasonOf(proof)}`
  const code = raw === undefined ? 'INPUT_MISSING' : 'MESSAGE_SIGNATURE_INVALID'
  const unproven: UnprovenInput = {
    what: `the on-chain item of nonce ${nonce}`,
    reason: `nonce ${nonce}: ${detail}`,
    servedBy: raw === undefined ? [] : ['gateway']
  }
  return { scheduled, findings: [finding(code, 'error', 'gateway', nonce, detail)], unproven }
}

/** The first message is the process itself, which a gateway serves too. */
function serversOfMessage({ process }: CheckOptions, message: WireItem, raw: RawItem | undefined): UnprovenInput['servedBy'] {
  const alike = raw !== undefined && new TextDecoder().decode(raw.data) === (message.data ?? '')
  return message.id === process.id && alike ? serversOfProcess(message, raw) : ['scheduler']
}

async function fetchAndProve(
  options: CheckOptions,
  id: TransactionId
): Promise<{ readonly proof?: RawProof; readonly raw?: RawItem }> {
  const raw = await options.rawItem(id)
  return raw === undefined ? {} : { raw, proof: (options.prove ?? proveItem)(raw) }
}

function reasonOf(proof: Proof | undefined): string {
  return proof === undefined || proof.verdict.status === 'valid' ? 'unknown' : proof.verdict.reason
}

function finding(
  code: Finding['code'],
  severity: Finding['severity'],
  attribution: Finding['attribution'],
  nonce: number,
  detail: string
): Finding {
  return { code, severity, attribution, nonce, detail }
}
