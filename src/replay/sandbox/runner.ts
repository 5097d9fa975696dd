/**
 * Runs messages one after another in one memory, and rolls back what the CU rolls back (protocol §2.10).
 *
 * A successful message copies no memory. The runner keeps a sparse shadow of an earlier state and the successful messages since
 * then. After an `Error` it restores the shadow and runs these messages again: the module is deterministic, and the clock is set
 * to its earlier values. The shadow catches up when running again would cost more than comparing, and right before a message with
 * a claimed error.
 */

import type { MemoryLayout, UnstatedInput } from '../../model/records.ts'
import { defined } from '../../util/defined.ts'
import { nestsDeeperThan, RESULT_MAX_DEPTH } from '../../util/json-depth.ts'
import { messageChars } from '../message-chars.ts'
import { type CuResult, cuResult, type ModuleAnswer } from './cu-result.ts'
import { ModuleFault } from './fault.ts'
import type { Instance, InstanceFactory } from './instance.ts'
import type { InstanceState, SandboxMessage, SandboxResult } from './protocol.ts'
import { copyDifferences, createShadow } from './shadow.ts'

export interface Runner {
  run(entry: SandboxMessage): Promise<SandboxResult>
  /** Undoes the last message. Call it only once, right after the message ran. */
  undo(): Promise<void>
  memory(): Uint8Array
  layout(): MemoryLayout
  /** Returns the state of the instance without the memory's hash. */
  state(): Omit<InstanceState, 'sha256'>
}

/** Limit on a result's JSON: the loader accepts anything that fits into a memory, but a report cannot. */
const RESULT_MAX_CHARS = 64 * 1024 * 1024
const HISTORY_MAX = 256
const HISTORY_MAX_CHARS = 32 * 1024 * 1024
/** The failure rate covers this many messages, or up to twice as many. */
const RATE_MESSAGES = 64
/** Weight of the newest measurement in a running mean: of messages, which differ much, and of syncs, which do not. */
const NEWEST = 0.1
const NEWEST_SYNC = 0.5

interface Done {
  readonly entry: SandboxMessage
  /** The clock before it: an error in between may have reset it. */
  readonly clock: number
  readonly chars: number
  /** The result, to compare with a later run of the same message: a module with another answer cannot be replayed. */
  readonly text: string
}

/** The history of the clock since the sandbox was opened. */
interface ClockPast {
  readonly readFirst: boolean
  readonly began: boolean
}

interface Last {
  readonly clockBefore: number
  readonly pastBefore: ClockPast
  readonly kept: boolean
  /** The instance cannot go back to the state before: it grew, threw, or holds files. */
  readonly instanceUnusable: boolean
  /** The instance had opened files before the message. */
  readonly hadFiles: boolean
  readonly handedBytesBefore: number | undefined
  readonly holdsMoreBefore: boolean
  /** The instance before the message, if it held more than its memory and a new one replaced it. */
  readonly replaced?: { readonly instance: Instance; readonly hasFiles: boolean }
}

/**
 * @param nowUs returns the time in µs from a clock that the loader cannot replace
 * @param start a memory of `bytes` to copy in before the first message, and the clock to set, ms
 */
export async function createRunner(
  factory: InstanceFactory,
  nowUs: () => number,
  start?: { readonly bytes: number; readonly clock: number | undefined; copyInto(target: Uint8Array): void }
): Promise<Runner> {
  let instance = await factory.create()
  if (start !== undefined) {
    factory.load(instance, (target) => start.copyInto(target), start.bytes)
    instance.host.clock = start.clock ?? factory.clockStart
  }
  const shadow = createShadow()
  let history: Done[] = []
  let historyChars = 0
  let syncDue = true
  let instanceHasFiles = false
  /** The instance replaces one that had files, and lacks these files. */
  let filesLost = false
  let last: Last | undefined
  let past: ClockPast = { readFirst: false, began: false }
  /** Inputs read during the creation of the instance, whose memory is still in use. */
  let readAtStart = start === undefined ? [...instance.host.unstated.values()] : []
  /** Size of the memory that the CU gives an instance; undefined before the first success, when the CU overwrites no memory. */
  let handedBytes = start === undefined ? undefined : instance.memory().byteLength
  /**
   * A message ran out of memory, and the instance continues with more than the memory that the CU gives it: with bytes that the
   * message wrote before there was a memory, or after its end.
   */
  let holdsMore = false
  /** Why there is no state from here on. */
  let broken: string | undefined
  let messages = 0
  /** Number of failures that nobody had claimed. */
  let surprises = 0
  /** Number of claimed failures, and how many of them were true. */
  let said = 0
  let saidRightly = 0
  let messageUs = 1_000
  let syncUs = 5_000
  /** Whether any instance so far read it; emscripten2 writes the program's path by itself. */
  let environmentRead = factory.laysPathDown

  function sync(): void {
    const begun = nowUs()
    const copies = shadow.bytes !== instance.memory().byteLength
    shadow.sync(instance.memory())
    // The first copy takes far longer than later ones.
    if (!copies) syncUs += (nowUs() - begun - syncUs) * NEWEST_SYNC
    history = []
    historyChars = 0
    syncDue = false
  }

  /** Whether a sync costs less than the expected cost of running the history again if the next messages fail. */
  function syncPays(): boolean {
    const distance = history.length
    if (distance === 0) return false
    if (distance >= HISTORY_MAX || historyChars > HISTORY_MAX_CHARS) return true
    // The shadow contains neither open files nor a memory size that resizing would not produce, so keep nothing to run again.
    if (instanceHasFiles || factory.sizeFor(shadow.bytes) !== shadow.bytes) return true
    const failRate = (surprises + 0.1) / (messages + 10)
    return (failRate * distance * distance * messageUs) / 2 > syncUs
  }

  /** Whether a sync right before this message pays; it does not if claimed failures are wrong more often than right. */
  function failsSurely(entry: SandboxMessage): boolean {
    return entry.claimedError === true && history.length > 0 && saidRightly + 1 >= said / 2
  }

  /** Creates an instance with the memory that `copyInto` writes. */
  async function newInstance(copyInto: (target: Uint8Array) => void, bytes: number): Promise<Instance> {
    const next = await factory.create()
    factory.load(next, copyInto, bytes)
    return next
  }

  /** Replaces an instance that held more than the memory by a new one with only the memory. */
  async function beginWithMemoryAlone(copyInto: (target: Uint8Array) => void): Promise<void> {
    const bytes = handedBytes
    if (bytes === undefined) instance = await factory.create()
    else instance = await newInstance((target) => copyInto(target.subarray(0, bytes)), bytes)
    holdsMore = false
    instanceHasFiles = false
    syncDue = true
  }

  /**
   * Continues in a new instance, as the CU does: the clock at its start, no open files, and the memory size that resizing gives.
   */
  async function beginInstance(): Promise<void> {
    if (holdsMore) await beginWithMemoryAlone((target) => copyDifferences(instance.memory(), target))
    const memory = instance.memory()
    if (instanceHasFiles || factory.sizeFor(memory.byteLength) !== memory.byteLength) {
      instance = await newInstance((target) => copyDifferences(memory, target), memory.byteLength)
      instanceHasFiles = false
      syncDue = true
    }
    filesLost = false
    instance.host.clock = factory.clockStart
    past = { ...past, began: true }
  }

  /** Runs the history again in `target`, which holds the shadow's state. */
  async function runAgain(target: Instance): Promise<void> {
    for (const { entry, clock, text } of history) {
      target.host.beginMessage(entry.message['Timestamp'])
      target.host.clock = clock
      const again = cuResult(await target.handle(entry.message))
      if (again.text !== text)
        throw new ModuleFault('the module gave two different answers to the same message in the same state')
    }
  }

  /** Restores the state before the last message. */
  async function restore(instanceUnusable: boolean): Promise<void> {
    if (instanceUnusable) instance = await newInstance((target) => shadow.restore(target), shadow.bytes)
    else shadow.restore(instance.memory())
    await runAgain(instance)
  }

  /** Like `restore`, but the instance keeps its clock, its grown size, and the bytes there. */
  async function restoreMemoryOnly(bytes: number): Promise<void> {
    const clock = instance.host.clock
    if (history.length === 0) shadow.restore(instance.memory().subarray(0, bytes))
    else {
      const other = await newInstance((target) => shadow.restore(target), shadow.bytes)
      await runAgain(other)
      copyDifferences(other.memory(), instance.memory())
    }
    instance.host.clock = clock
    syncDue = true
  }

  /** If the module makes it impossible to restore a state, the replay ends there, and the sandbox is not at fault. */
  async function unlessBroken(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof ModuleFault)) throw error
      broken = error.message
    }
  }

  /** The memory with which the CU continues. */
  function memoryNow(): Uint8Array {
    return holdsMore ? instance.memory().subarray(0, handedBytes) : instance.memory()
  }

  /** Returns the result of a message that did not run. */
  function nothing(hostTrouble: string): SandboxResult {
    const { text } = cuResult({ thrown: true, error: 'no result' })
    const memoryBytes = instance.memory().byteLength
    return { text, rolledBack: true, hostInputs: [], memoryBytes, handleUs: 0, hostTrouble, fault: 'process' }
  }

  return {
    memory: memoryNow,

    layout: () => instance.layout(),

    state() {
      const memoryBytes = memoryNow().byteLength
      return {
        memoryBytes,
        clock: instance.host.clock,
        clockStart: factory.clockStart,
        movable: handedBytes !== undefined && !holdsMore && !instanceHasFiles && factory.sizeFor(memoryBytes) === memoryBytes,
        readFirstClock: past.readFirst,
        beganInstance: past.began
      }
    },

    async run(entry) {
      if (broken !== undefined) return nothing(broken)
      const before = {
        clockBefore: instance.host.clock,
        pastBefore: past,
        handedBytesBefore: handedBytes,
        holdsMoreBefore: holdsMore,
        ...(entry.fresh && holdsMore ? { replaced: { instance, hasFiles: instanceHasFiles } } : {})
      }
      if (entry.fresh) await unlessBroken(beginInstance)
      if (broken !== undefined) return nothing(broken)
      if (syncDue || failsSurely(entry) || syncPays()) sync()
      const heldMore = holdsMore
      const { host } = instance
      host.beginMessage(entry.message['Timestamp'])
      const clockBefore = host.clock
      const begun = nowUs()
      const answer = await instance.handle(entry.message)
      const handleUs = nowUs() - begun
      const result = resultOf(answer, host)
      if (answer.thrown && isStackExhausted(answer.error)) host.trouble ??= STACK_EXHAUSTED
      const memoryBytes = instance.memory().byteLength
      if (filesLost && host.filesTouched) host.trouble ??= 'files that were open before could not be opened again'
      environmentRead ||= host.environmentRead
      const instanceUnusable = answer.thrown || host.memoryGrew || host.filesTouched
      // Read before a rollback, which runs other messages again.
      const unstated = sortedInputs([...readAtStart, ...host.unstated.values()])
      readAtStart = []
      const seen = {
        hostInputs: [...host.inputs].sort(),
        ...(environmentRead ? { readsEnvironment: true as const } : {}),
        ...(unstated.length === 0 ? {} : { unstated }),
        ...(host.memoryGrew ? { memoryGrew: true as const } : {}),
        ...(host.clockRead ? { clockRead: clockBefore } : {}),
        ...(host.clockRead && clockBefore !== factory.clockStart ? { clockMoved: true as const } : {}),
        ...(heldMore ? { instanceHeldMore: true as const } : {}),
        ...defined({ hostTrouble: host.trouble }),
        ...(host.inputMissing ? { inputMissing: true as const } : {}),
        ...defined({ assumed: host.assumed })
      }
      messages++
      if (messages >= 2 * RATE_MESSAGES) {
        messages /= 2
        surprises /= 2
      }
      if (entry.claimedError === true) said++
      messageUs += (handleUs - messageUs) * NEWEST
      const hadFiles = instanceHasFiles
      if (host.filesTouched) instanceHasFiles = true
      if (host.clockRead && !past.began) past = { ...past, readFirst: true }
      last = { ...before, kept: result.keepsMemory, instanceUnusable, hadFiles }
      if (result.keepsMemory) {
        const chars = result.text.length + messageChars(entry.message)
        history.push({ entry, clock: clockBefore, text: result.text, chars })
        historyChars += chars
        if (host.memoryGrew || host.filesTouched) syncDue = true
        handedBytes = memoryBytes
        holdsMore = false
      } else {
        if (entry.claimedError === true) {
          saidRightly++
          // If failures are claimed, fewer of them come as a surprise.
          surprises /= 2
        } else surprises++
        await unlessBroken(async () => {
          if (!result.newInstance) {
            if (handedBytes !== undefined) await restoreMemoryOnly(handedBytes)
            holdsMore = handedBytes === undefined || memoryBytes > handedBytes
            syncDue = true
            return
          }
          if (heldMore) {
            await beginWithMemoryAlone((target) => shadow.restore(target))
            return beginInstance()
          }
          await restore(instanceUnusable)
          if (instanceUnusable) instanceHasFiles = false
          await beginInstance()
        })
      }
      const fault = broken === undefined ? {} : { hostTrouble: broken, fault: 'process' as const }
      return { text: result.text, rolledBack: !result.keepsMemory, memoryBytes, handleUs, ...seen, ...fault }
    },

    async undo() {
      if (last === undefined) throw new Error('there is no message to undo')
      const { kept, hadFiles, holdsMoreBefore, replaced } = last
      if (replaced !== undefined) {
        instance = replaced.instance
        instanceHasFiles = replaced.hasFiles
        history = []
        historyChars = 0
        syncDue = true
      } else if (kept || holdsMore || holdsMoreBefore) {
        const instanceUnusable = last.instanceUnusable || holdsMore || holdsMoreBefore
        if (kept) historyChars -= history.pop()?.chars ?? 0
        await unlessBroken(() => restore(instanceUnusable))
        filesLost ||= instanceUnusable && hadFiles
        syncDue = false
      }
      holdsMore = holdsMoreBefore
      handedBytes = last.handedBytesBefore
      instance.host.clock = last.clockBefore
      past = last.pastBefore
      last = undefined
    }
  }
}

const STACK_EXHAUSTED =
  'the message used up the stack that this auditor gives a module; how much a CU gives depends on its thread and its Node'

/** Recognizes V8's error for too many nested calls in a module. */
function isStackExhausted(error: unknown): boolean {
  return error instanceof RangeError && /call stack/i.test(error.message)
}

/**
 * Returns the result. If it is too large, too deep or cannot be written as JSON, returns an empty one that the audit does not
 * judge.
 */
function resultOf(answer: ModuleAnswer, host: Instance['host']): CuResult {
  try {
    const result = cuResult(answer)
    const tooLarge = result.text.length > RESULT_MAX_CHARS
    if (!tooLarge && !nestsDeeperThan(result.text, RESULT_MAX_DEPTH)) return result
    host.trouble ??= tooLarge
      ? `the result is larger than ${RESULT_MAX_CHARS} characters`
      : `the result nests deeper than ${RESULT_MAX_DEPTH} levels`
  } catch (error) {
    host.trouble ??= `the result cannot be written as JSON (${error instanceof Error ? error.message : 'unknown error'})`
  }
  return cuResult({ thrown: true, error: 'no result' })
}

/** Returns each input once, sorted by kind and name. */
function sortedInputs(inputs: readonly UnstatedInput[]): readonly UnstatedInput[] {
  const byName = new Map(inputs.map((input) => [`${input.kind} ${input.name}`, input]))
  return [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? [])
}
