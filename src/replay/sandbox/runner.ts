/**
 * Runs messages one after another in one memory, and takes back what the CU takes back (protocol §2.10).
 *
 * No message on the way of success is copied. Behind the memory lies a sparse shadow of an earlier state; the successful
 * messages since then are kept. After an `Error` the shadow is put back and they are run again: the module is deterministic,
 * the clock is set to what it was. The shadow follows when running again would cost more than comparing, and right before a message
 * that is said to fail.
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
  /** Takes the last message back. Only once, and only right after it ran. */
  undo(): Promise<void>
  memory(): Uint8Array
  layout(): MemoryLayout
  /** What the instance holds, but for the memory's hash. */
  state(): Omit<InstanceState, 'sha256'>
}

/** A result's JSON; the loader takes what a memory can hold, a report cannot. */
const RESULT_MAX_CHARS = 64 * 1024 * 1024
const HISTORY_MAX = 256
const HISTORY_MAX_CHARS = 32 * 1024 * 1024
/** The rate of failures is that of so many messages, or twice as many. */
const RATE_MESSAGES = 64
/** Weight of the newest measurement in a running mean: of messages, which differ, and of syncs, which do not. */
const NEWEST = 0.1
const NEWEST_SYNC = 0.5

interface Done {
  readonly entry: SandboxMessage
  /** Where the clock stood before it: an error in between may have set it back. */
  readonly clock: number
  readonly chars: number
  /** Held against a later run of the same message: one that answers otherwise is no module to replay. */
  readonly text: string
}

/** What came of the clock since the sandbox was opened. */
interface ClockPast {
  readonly readFirst: boolean
  readonly began: boolean
}

interface Last {
  readonly clockBefore: number
  readonly pastBefore: ClockPast
  readonly kept: boolean
  /** The instance cannot be used for the state before: it grew, threw, or holds files. */
  readonly instanceUnusable: boolean
  /** Files were opened in the instance before it. */
  readonly hadFiles: boolean
  readonly handedBytesBefore: number | undefined
  readonly holdsMoreBefore: boolean
  /** The instance before it, which held more than its memory, where a new one took its place. */
  readonly replaced?: { readonly instance: Instance; readonly hasFiles: boolean }
}

/**
 * @param nowUs a clock in µs that the loader cannot replace
 * @param start copies a memory of `bytes` in before the first message, and sets the clock, ms
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
  /** The instance stands for one that had files, which this one has not. */
  let filesLost = false
  let last: Last | undefined
  let past: ClockPast = { readFirst: false, began: false }
  /** What was read while the instance was made, in a memory that is still there. */
  let readAtStart = start === undefined ? [...instance.host.unstated.values()] : []
  /** Of the memory that the CU hands to an instance; undefined before its first success: it writes nothing over what is there. */
  let handedBytes = start === undefined ? undefined : instance.memory().byteLength
  /**
   * A message ran out of memory, and the instance goes on with more than the memory that is handed to it: what that message wrote
   * before there was a memory, or behind its end.
   */
  let holdsMore = false
  /** Why no state is held from here on. */
  let broken: string | undefined
  let messages = 0
  /** Failures that nobody had said. */
  let surprises = 0
  /** What was said to fail, and how much of it did. */
  let said = 0
  let saidRightly = 0
  let messageUs = 1_000
  let syncUs = 5_000
  /** By any instance so far; emscripten2 lays the program's path down by itself. */
  let environmentRead = factory.laysPathDown

  function sync(): void {
    const begun = nowUs()
    const copies = shadow.bytes !== instance.memory().byteLength
    shadow.sync(instance.memory())
    // A first copy takes far longer than what follows.
    if (!copies) syncUs += (nowUs() - begun - syncUs) * NEWEST_SYNC
    history = []
    historyChars = 0
    syncDue = false
  }

  /** Whether running the history again, should the next messages fail, is dearer than a sync. */
  function syncPays(): boolean {
    const distance = history.length
    if (distance === 0) return false
    if (distance >= HISTORY_MAX || historyChars > HISTORY_MAX_CHARS) return true
    // Open files and a memory that resizing would not make are no part of the shadow: keep nothing to run again.
    if (instanceHasFiles || factory.sizeFor(shadow.bytes) !== shadow.bytes) return true
    const failRate = (surprises + 0.1) / (messages + 10)
    return (failRate * distance * distance * messageUs) / 2 > syncUs
  }

  /** Whether it pays to have a shadow of right before this message; not where those who say so are wrong more often than not. */
  function failsSurely(entry: SandboxMessage): boolean {
    return entry.claimedError === true && history.length > 0 && saidRightly + 1 >= said / 2
  }

  /** A new instance that holds what `copyInto` writes. */
  async function newInstance(copyInto: (target: Uint8Array) => void, bytes: number): Promise<Instance> {
    const next = await factory.create()
    factory.load(next, copyInto, bytes)
    return next
  }

  /** A new instance with the memory alone, in the place of one that held more. */
  async function beginWithMemoryAlone(copyInto: (target: Uint8Array) => void): Promise<void> {
    const bytes = handedBytes
    if (bytes === undefined) instance = await factory.create()
    else instance = await newInstance((target) => copyInto(target.subarray(0, bytes)), bytes)
    holdsMore = false
    instanceHasFiles = false
    syncDue = true
  }

  /** The CU goes on in a new instance: clock at its start, no open files, the memory at the size that resizing gives. */
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
      if (again.text !== text) throw new ModuleFault('the module answered the same message in the same state in two ways')
    }
  }

  /** The instance holds the state before the last message again. */
  async function restore(instanceUnusable: boolean): Promise<void> {
    if (instanceUnusable) instance = await newInstance((target) => shadow.restore(target), shadow.bytes)
    else shadow.restore(instance.memory())
    await runAgain(instance)
  }

  /** As `restore`, but the instance lives on with its clock, whatever it grew, and what lies there. */
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

  /** What a module does to a state that is to be brought back ends the replay there, and is no fault of the sandbox. */
  async function unlessBroken(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof ModuleFault)) throw error
      broken = error.message
    }
  }

  /** The memory that the CU goes on with. */
  function memoryNow(): Uint8Array {
    return holdsMore ? instance.memory().subarray(0, handedBytes) : instance.memory()
  }

  /** Of a message that was not run. */
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
      // Taken before a rollback, which runs other messages again.
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
          // Whoever knows failures leaves fewer of them to surprise.
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
      if (last === undefined) throw new Error('there is nothing to take back')
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

/** As V8 says it of a module's calls. */
function isStackExhausted(error: unknown): boolean {
  return error instanceof RangeError && /call stack/i.test(error.message)
}

/** The result, or, where it is too large, too deep or cannot be written as JSON, an empty one over which nothing is judged. */
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

/** Each once, by kind and name. */
function sortedInputs(inputs: readonly UnstatedInput[]): readonly UnstatedInput[] {
  const byName = new Map(inputs.map((input) => [`${input.kind} ${input.name}`, input]))
  return [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? [])
}
