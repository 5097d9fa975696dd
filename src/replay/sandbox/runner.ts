/**
 * Runs messages one after another in one memory, and rolls back what the CU rolls back (protocol §2.10).
 *
 * A successful message copies no memory. The runner keeps a sparse shadow of an earlier state and the successful messages since
 * then. After an `Error` it restores the shadow and runs these messages again: the module is deterministic, and the clock is set
 * to its earlier values. The shadow catches up when running again would cost more than comparing, and right before a message with
 * a claimed error.
 */

import type { MemoryLayout } from '../../model/records.ts'
import { defined } from '../../util/defined.ts'
import { cuResult } from './cu-result.ts'
import { ModuleFault } from './fault.ts'
import type { Instance, InstanceFactory } from './instance.ts'
import { judgeableResult } from './judgeable-result.ts'
import { createMessageHistory } from './message-history.ts'
import type { InstanceState, SandboxMessage, SandboxResult } from './protocol.ts'
import { copyDifferences, createShadow } from './shadow.ts'
import { createSyncCost } from './sync-cost.ts'
import { sortedInputs } from './unstated-inputs.ts'

export interface Runner {
  run(entry: SandboxMessage): Promise<SandboxResult>
  /** Undoes the last message. Call it only once, right after the message ran. */
  undo(): Promise<void>
  memory(): Uint8Array
  layout(): MemoryLayout
  /** Returns the state of the instance without the memory's hash. */
  state(): Omit<InstanceState, 'sha256'>
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
  const history = createMessageHistory()
  const cost = createSyncCost()
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
  /** Whether any instance so far read it; emscripten2 writes the program's path by itself. */
  let environmentRead = factory.laysPathDown

  function sync(): void {
    const begun = nowUs()
    const copies = shadow.bytes !== instance.memory().byteLength
    shadow.sync(instance.memory())
    // The first copy takes far longer than later ones.
    if (!copies) cost.synced(nowUs() - begun)
    history.clear()
    syncDue = false
  }

  /** Whether a sync costs less than the expected cost of running the history again if the next messages fail. */
  function syncPays(): boolean {
    if (history.length === 0) return false
    if (history.isFull) return true
    // The shadow contains neither open files nor a memory size that resizing would not produce, so keep nothing to run again.
    if (instanceHasFiles || factory.sizeFor(shadow.bytes) !== shadow.bytes) return true
    return cost.pays(history.length)
  }

  /** Whether a sync right before this message pays; it does not if claimed failures are wrong more often than right. */
  function failsSurely(entry: SandboxMessage): boolean {
    return entry.claimedError === true && history.length > 0 && cost.believesClaims()
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

  /** Restores the state before the last message. */
  async function restore(instanceUnusable: boolean): Promise<void> {
    if (instanceUnusable) instance = await newInstance((target) => shadow.restore(target), shadow.bytes)
    else shadow.restore(instance.memory())
    await history.runAgain(instance)
  }

  /** Like `restore`, but the instance keeps its clock, its grown size, and the bytes there. */
  async function restoreMemoryOnly(bytes: number): Promise<void> {
    const clock = instance.host.clock
    if (history.length === 0) shadow.restore(instance.memory().subarray(0, bytes))
    else {
      const other = await newInstance((target) => shadow.restore(target), shadow.bytes)
      await history.runAgain(other)
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
      const result = judgeableResult(answer, host)
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
      const claimedError = entry.claimedError === true
      cost.ran(handleUs, claimedError)
      const hadFiles = instanceHasFiles
      if (host.filesTouched) instanceHasFiles = true
      if (host.clockRead && !past.began) past = { ...past, readFirst: true }
      last = { ...before, kept: result.keepsMemory, instanceUnusable, hadFiles }
      if (result.keepsMemory) {
        history.push(entry, clockBefore, result.text)
        if (host.memoryGrew || host.filesTouched) syncDue = true
        handedBytes = memoryBytes
        holdsMore = false
      } else {
        cost.failed(claimedError)
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
        history.clear()
        syncDue = true
      } else if (kept || holdsMore || holdsMoreBefore) {
        const instanceUnusable = last.instanceUnusable || holdsMore || holdsMoreBefore
        if (kept) history.pop()
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
