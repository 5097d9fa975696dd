/** The schedule as one signed order: signer, tags, nonces, hash chain, clock (protocol §1.5, §1.6, §4.3). */
import { createHash } from 'node:crypto'
import { decodeBase64url, EMPTY } from '../ans104/bytes.ts'
import { ethereumAddress } from '../ans104/signature.ts'
import type { SignatureStatus } from '../ans104/signature-status.ts'
import type { Finding, FindingCode, Severity } from '../model/findings.ts'
import type { Address, ProcessId } from '../model/ids.ts'
import type { ScheduledMessage, Tag, WireItem } from '../model/records.ts'

/** Chains of processes from before this block may be wrong without anybody's fault (§1.6, §2.7). */
const CHAIN_SOUND_FROM_BLOCK = 1_440_000
const KEY_BYTES = 65

export interface ScheduleVerifierOptions {
  readonly process: { readonly id: ProcessId }
  /** Who may sign: the process's `Scheduler` tag. */
  readonly schedulerAddress: Address
}

export interface ScheduleStep {
  readonly findings: readonly Finding[]
  /** The scheduler signed just this at just this place: signature, signer and tags hold, and the chain from the one before. */
  readonly proven: boolean
}

export interface ScheduleVerifier {
  /**
   * Judges the next message.
   *
   * @param scheduled in the order of nonces, from 0; what comes twice comes twice here too
   * @param signature the verdict on its assignment: see `verifyMessage`
   */
  add(scheduled: ScheduledMessage, signature: SignatureStatus): ScheduleStep
}

/** What the next message is held against. */
interface ChainLink {
  readonly scheduled: ScheduledMessage
  readonly status: SignatureStatus['status']
  /** Signed by the scheduler, for just this process and place. */
  readonly sound: boolean
  readonly proven: boolean
}

/**
 * Verifies a schedule message by message. It keeps the last message only. Whether messages are valid themselves is not asked
 * here: an assignment binds a message by its id.
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
 * Whether a process is from the time of broken chains, by its first assignment: nothing else that says so is signed. A process with
 * an assignment of its own is as old as that; another is no younger than its first message.
 */
function ageOf(process: ProcessId, { messageId, nonce, blockHeight }: ScheduledMessage): Age {
  if (blockHeight < CHAIN_SOUND_FROM_BLOCK) return 'old'
  return nonce === 0 && (messageId as string) === process ? 'new' : 'unknown'
}

/** Whether the scheduler signed an assignment for just this process, nonce and message; where it stands in the chain is not asked. */
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

/** What an assignment says by itself. One whose signature is invalid says nothing: its tags are not held against anybody. */
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
  if (wrong.length > 0) findings.push(finding('ASSIGNMENT_TAGS_DISAGREE', 'error', nonce, `${wrong.join(', ')} not as served`))
  const { message } = scheduled
  if (message !== null && message.id !== process && (message.target ?? '') !== process) {
    const detail = `the message is signed for ${message.target || 'nobody'}`
    findings.push(finding('ASSIGNMENT_TAGS_DISAGREE', 'warning', nonce, detail))
  }
  return findings
}

/** Addresses are the hash of the key, whatever its type; a `Scheduler` tag may name an Ethereum one in its own form (§4.3). */
export function isSignedBy({ owner }: Pick<WireItem, 'owner'>, scheduler: Address): boolean {
  if (owner.address === scheduler) return true
  const key = decodeBase64url(owner.key) ?? EMPTY
  return key.length === KEY_BYTES && ethereumAddress(key).toLowerCase() === scheduler.toLowerCase()
}

/** The tags that are missing, there twice, or other than what the scheduler served beside them. */
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

/** A nonce that was there before, or one that comes too late to be held against its neighbours. */
function judgeAgain(scheduled: ScheduledMessage, sound: boolean, last: ChainLink): ScheduleStep {
  const { nonce, assignment } = scheduled
  const before = last.scheduled
  if (nonce < before.nonce) {
    const detail = `nonce ${nonce} comes after nonce ${before.nonce}`
    return { findings: [finding('SCHEDULE_OUT_OF_ORDER', 'warning', nonce, detail)], proven: false }
  }
  if (assignment.id !== before.assignment.id && sound && last.sound) {
    const detail = `two signed assignments: ${before.assignment.id} and ${assignment.id}`
    return { findings: [finding('SCHEDULER_EQUIVOCATION', 'error', nonce, detail)], proven: false }
  }
  const proven = assignment.id === before.assignment.id && last.proven
  return { findings: [finding('NONCE_TWICE', 'warning', nonce, `nonce ${nonce} is there twice`)], proven }
}

/** Nonces without a gap; a clock and blocks that do not go back. */
function judgeOrder({ nonce, timestamp, blockHeight }: ScheduledMessage, last: ChainLink | undefined): Finding[] {
  const findings: Finding[] = []
  const missing = (last?.scheduled.nonce ?? -1) + 1
  if (nonce > missing) {
    const which = nonce - missing === 1 ? `nonce ${missing} is` : `nonces ${missing} to ${nonce - 1} are`
    findings.push({ ...finding('NONCE_GAP', 'error', missing, `${which} missing`), count: nonce - missing })
  }
  if (last === undefined) return findings
  const back = [
    timestamp < last.scheduled.timestamp ? `the timestamp ${last.scheduled.timestamp} to ${timestamp}` : undefined,
    blockHeight < last.scheduled.blockHeight ? `the block ${last.scheduled.blockHeight} to ${blockHeight}` : undefined
  ].filter((what) => what !== undefined)
  if (back.length > 0) findings.push(finding('TIME_GOES_BACK', 'warning', nonce, `from nonce ${nonce - 1}: ${back.join(', ')}`))
  return findings
}

/** The hash chain by §1.6; undefined where the message before is missing or its own chain is known not to be what was signed. */
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
  return finding('HASH_CHAIN_BROKEN', severity, nonce, 'the hash chain does not follow from the message before')
}

function finding(code: FindingCode, severity: Severity, nonce: number, detail: string): Finding {
  return { code, severity, attribution: 'scheduler', nonce, detail }
}
