/** Verifies the schedule as one signed sequence: signer, tags, nonces, hash chain, clock (protocol §1.5, §1.6, §4.3). */
import { createHash } from 'node:crypto'
import { decodeBase64url, EMPTY } from '../ans104/bytes.ts'
import { ethereumAddress } from '../ans104/signature.ts'
import type { SignatureStatus } from '../ans104/signature-status.ts'
import type { Finding, FindingCode, Severity } from '../model/findings.ts'
import type { Address, ProcessId } from '../model/ids.ts'
import type { ScheduledMessage, Tag, WireItem } from '../model/records.ts'

/** Hash chains of processes from before this block may be wrong through nobody's fault (§1.6, §2.7). */
const CHAIN_SOUND_FROM_BLOCK = 1_440_000
const KEY_BYTES = 65

export interface ScheduleVerifierOptions {
  readonly process: { readonly id: ProcessId }
  /** The only permitted signer: the process's `Scheduler` tag. */
  readonly schedulerAddress: Address
}

export interface ScheduleStep {
  readonly findings: readonly Finding[]
  /** The scheduler signed exactly this message at exactly this place: signature, signer, tags and hash chain are all correct. */
  readonly proven: boolean
}

export interface ScheduleVerifier {
  /**
   * Judges the next message.
   *
   * @param scheduled in the order of nonces, from 0; a nonce that is served twice is passed twice
   * @param signature the verdict on its assignment: see `verifyMessage`
   */
  add(scheduled: ScheduledMessage, signature: SignatureStatus): ScheduleStep
}

/** The link with which the next message is compared. */
interface ChainLink {
  readonly scheduled: ScheduledMessage
  readonly status: SignatureStatus['status']
  /** Signed by the scheduler for exactly this process and place. */
  readonly sound: boolean
  readonly proven: boolean
}

/**
 * Verifies a schedule message by message, and keeps only the last message. It does not verify the messages themselves: an
 * assignment binds a message by its id.
 *
 * @example
 * ```ts
 * const verifier = createScheduleVerifier({ process, schedulerAddress: process.scheduler })
 * for (const scheduled of messages) {
 *   const { findings, proven } = verifier.add(scheduled, verifyMessage(scheduled.assignment))
 * }
 * ```
 */
export function createScheduleVerifier({ process, schedulerAddress }: ScheduleVerifierOptions): ScheduleVerifier {
  let age: Age | undefined
  let last: ChainLink | undefined

  return {
    add(scheduled, signature) {
      age ??= ageOf(process.id, scheduled)
      const own = judgeAssignment(scheduled, signature, process.id, schedulerAddress)
      const sound = signature.status === 'valid' && !hasError(own)
      const again =
        last === undefined || scheduled.nonce > last.scheduled.nonce ? undefined : judgeAgain(scheduled, sound, last)
      if (again !== undefined) return { findings: [...own, ...again.findings], proven: again.proven && !hasError(own) }

      const order = judgeOrder(scheduled, last)
      const expected = expectedChain(scheduled, process.id, last)
      const broken = expected !== undefined && expected !== scheduled.hashChain
      const chain = broken ? [brokenChain(scheduled, age === 'new' ? 'error' : 'warning')] : []
      const findings = [...own, ...order, ...(signature.status === 'invalid' ? [] : chain)]
      const proven = sound && expected !== undefined && !hasError(findings) && !(broken && age === 'unknown')
      last = { scheduled, status: signature.status, sound, proven }
      return { findings, proven }
    }
  }
}

type Age = 'old' | 'new' | 'unknown'

/**
 * Whether a process is from the time of broken chains. Only its first assignment is signed evidence of that. A process with an
 * assignment of its own is as old as that assignment; any other process is at least as old as its first message.
 */
function ageOf(process: ProcessId, { messageId, nonce, blockHeight }: ScheduledMessage): Age {
  if (blockHeight < CHAIN_SOUND_FROM_BLOCK) return 'old'
  return nonce === 0 && (messageId as string) === process ? 'new' : 'unknown'
}

/** Whether the scheduler signed an assignment for exactly this process, nonce and message; the hash chain is not checked. */
export function isSound(
  scheduled: ScheduledMessage,
  signature: SignatureStatus,
  { process, schedulerAddress }: ScheduleVerifierOptions
): boolean {
  return signature.status === 'valid' && !hasError(judgeAssignment(scheduled, signature, process.id, schedulerAddress))
}

function hasError(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === 'error')
}

/** Judges an assignment by itself. If its signature is invalid, its tags prove nothing and count against nobody. */
function judgeAssignment(
  scheduled: ScheduledMessage,
  signature: SignatureStatus,
  process: ProcessId,
  scheduler: Address
): Finding[] {
  const { nonce, assignment } = scheduled
  if (signature.status === 'invalid') return [finding('ASSIGNMENT_SIGNATURE_INVALID', 'error', nonce, signature.reason)]
  const findings: Finding[] = []
  if (signature.status !== 'valid') {
    findings.push(finding('SIGNATURE_NOT_CHECKED', 'warning', nonce, `the assignment: ${signature.reason}`))
  }
  if (!isSignedBy(assignment, scheduler)) {
    const detail = `signed by ${assignment.owner.address}; the process names ${scheduler}`
    findings.push(finding('ASSIGNMENT_SIGNER_NOT_SCHEDULER', 'error', nonce, detail))
  }
  const wrong = disagreements(scheduled, process)
  if (wrong.length > 0) {
    const detail = `the served values do not match the tags ${wrong.join(', ')}`
    findings.push(finding('ASSIGNMENT_TAGS_DISAGREE', 'error', nonce, detail))
  }
  const { message } = scheduled
  if (message !== null && message.id !== process && (message.target ?? '') !== process) {
    const detail = `the message is addressed to ${message.target || 'nobody'}`
    findings.push(finding('ASSIGNMENT_TAGS_DISAGREE', 'warning', nonce, detail))
  }
  return findings
}

/** Addresses are the hash of the key for every type; a `Scheduler` tag may also name an Ethereum address in its own form (§4.3). */
export function isSignedBy({ owner }: Pick<WireItem, 'owner'>, scheduler: Address): boolean {
  if (owner.address === scheduler) return true
  const key = decodeBase64url(owner.key) ?? EMPTY
  return key.length === KEY_BYTES && ethereumAddress(key).toLowerCase() === scheduler.toLowerCase()
}

/** The tags that are missing, repeated, or different from the values that the scheduler served with them. */
function disagreements(scheduled: ScheduledMessage, process: ProcessId): string[] {
  const { assignment, message, messageId, nonce, epoch, timestamp, blockHeight, hashChain } = scheduled
  const only = (name: string) => onlyValue(assignment.tags, name)
  const assigned = assignment.tags.some(({ name }) => name === 'Message') ? only('Message') : process
  const checks: readonly (readonly [string, boolean])[] = [
    ['Process', only('Process') === process],
    ['Epoch', only('Epoch') === String(epoch) && epoch === 0],
    ['Nonce', only('Nonce') === String(nonce)],
    ['Message', assigned === messageId && (message === null || message.id === messageId)],
    ['Hash-Chain', only('Hash-Chain') === hashChain],
    ['Timestamp', only('Timestamp') === String(timestamp)],
    ['Block-Height', /^\d+$/.test(only('Block-Height') ?? '') && Number(only('Block-Height')) === blockHeight]
  ]
  return checks.filter(([, agrees]) => !agrees).map(([name]) => name)
}

function onlyValue(tags: readonly Tag[], name: string): string | undefined {
  const named = tags.filter((tag) => tag.name === name)
  return named.length === 1 ? named[0]?.value : undefined
}

/** Judges a nonce that was served before, or one that comes too late to be compared with its neighbours. */
function judgeAgain(scheduled: ScheduledMessage, sound: boolean, last: ChainLink): ScheduleStep {
  const { nonce, assignment } = scheduled
  const before = last.scheduled
  if (nonce < before.nonce) {
    const detail = `this nonce comes after nonce ${before.nonce}`
    return { findings: [finding('SCHEDULE_OUT_OF_ORDER', 'warning', nonce, detail)], proven: false }
  }
  if (assignment.id !== before.assignment.id && sound && last.sound) {
    const detail = `two signed assignments: ${before.assignment.id} and ${assignment.id}`
    return { findings: [finding('SCHEDULER_EQUIVOCATION', 'error', nonce, detail)], proven: false }
  }
  const proven = assignment.id === before.assignment.id && last.proven
  return { findings: [finding('NONCE_TWICE', 'warning', nonce, 'this nonce appears twice')], proven }
}

/** Checks that nonces have no gap, and that the clock and the blocks do not go back. */
function judgeOrder({ nonce, timestamp, blockHeight }: ScheduledMessage, last: ChainLink | undefined): Finding[] {
  const findings: Finding[] = []
  const missing = (last?.scheduled.nonce ?? -1) + 1
  if (nonce > missing) {
    const count = nonce - missing
    const detail = count === 1 ? 'this nonce is missing' : `this nonce and all up to nonce ${nonce - 1} are missing`
    findings.push({ ...finding('NONCE_GAP', 'error', missing, detail), count })
  }
  if (last === undefined) return findings
  const back = [
    timestamp < last.scheduled.timestamp
      ? `the timestamp goes back from ${last.scheduled.timestamp} to ${timestamp}`
      : undefined,
    blockHeight < last.scheduled.blockHeight
      ? `the block goes back from ${last.scheduled.blockHeight} to ${blockHeight}`
      : undefined
  ].filter((what) => what !== undefined)
  if (back.length > 0)
    findings.push(finding('TIME_GOES_BACK', 'warning', nonce, `after nonce ${nonce - 1} ${back.join(' and ')}`))
  return findings
}

/** The hash chain by §1.6; undefined if the previous message is missing or its own chain is known to differ from the signed one. */
function expectedChain({ nonce }: ScheduledMessage, process: ProcessId, last: ChainLink | undefined): string | undefined {
  if (last === undefined) return nonce === 0 ? chain(process) : undefined
  const { scheduled, status } = last
  return status !== 'invalid' && scheduled.nonce === nonce - 1 ? chain(scheduled.assignment.id, scheduled.hashChain) : undefined
}

function chain(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(Buffer.from(part, 'base64url'))
  return hash.digest('base64url')
}

function brokenChain({ nonce }: ScheduledMessage, severity: Severity): Finding {
  return finding('HASH_CHAIN_BROKEN', severity, nonce, 'the hash chain does not follow from the previous message')
}

function finding(code: FindingCode, severity: Severity, nonce: number, detail: string): Finding {
  return { code, severity, attribution: 'scheduler', nonce, detail }
}
