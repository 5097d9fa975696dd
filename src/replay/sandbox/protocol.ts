/** The messages between the sandbox and its child over IPC. */

import type { KnownMemory } from '../../memory/fingerprint.ts'
import type { StartMemory } from '../../memory/start-memory.ts'
import type { Fault, MemoryLayout, UnstatedInput } from '../../model/records.ts'
import type { DriveAnswer, DriveQuestion } from '../drive/source.ts'
import type { ExecutionProfile } from '../profile.ts'

/** The inputs that the CU gives the module besides the message, fixed for a process (protocol §2.4, §2.9). */
export interface ModuleSetup {
  /** Path of the module's file. */
  readonly wasmPath: string
  readonly format: string
  /** The second argument of `handle`. */
  readonly env: unknown
  readonly options: Readonly<Record<string, unknown>>
  /** Whether the module has WeaveDrive. */
  readonly drive?: boolean
}

export interface SandboxLimits {
  /** Limit on the wall time of one message. */
  readonly messageMs: number
  /** Limit on the module's memory. */
  readonly heapBytes: number
  /** Limit on the child's resident memory: the heap, its shadow and the engine. */
  readonly residentBytes: number
}

/** One evaluation: the message as the module reads it, and whether the CU started a new instance right before it. */
export interface SandboxMessage {
  readonly message: Readonly<Record<string, unknown>>
  readonly fresh: boolean
  /** Somebody claims that the message failed, so it pays to keep the memory before it. Changes no result. */
  readonly claimedError?: true
}

export interface SandboxResult {
  /** The result's JSON, as the CU would return it. */
  readonly text: string
  /** The CU discarded the memory: `Error`, a throw, or the out-of-memory text. */
  readonly rolledBack: boolean
  /** The import names of called host functions whose answer the profile decides, sorted. */
  readonly hostInputs: readonly string[]
  /** The module read its C environment, in this message or before. */
  readonly readsEnvironment?: true
  /** Inputs that it read and that the profile does not state, by kind and name. */
  readonly unstated?: readonly UnstatedInput[]
  /** The clock when the message began; undefined if the message did not read it. */
  readonly clockRead?: number
  /** It read the clock, whose value was not that of a new instance. */
  readonly clockMoved?: true
  /** An earlier message ran out of memory, and its instance held more than the memory: a new instance may give another result. */
  readonly instanceHeldMore?: true
  readonly memoryBytes: number
  /** Time inside the module's `handle`, µs. */
  readonly handleUs: number
  /** Set if the host, not the module, decided the result, which then proves nothing about anybody. */
  readonly hostTrouble?: string
  /** Who caused the trouble, if not the host. */
  readonly fault?: Fault
  /** The trouble is that nobody has an input. */
  readonly inputMissing?: true
  /** The module requested more memory and received it. */
  readonly memoryGrew?: true
  /** Why a unit may have read something else here: the audit may blame nobody from here on. */
  readonly assumed?: string
}

/** The state of an instance. */
export interface InstanceState {
  /** Hash of the memory in lowercase hex, as in a checkpoint's tag (§3). */
  readonly sha256: string
  readonly memoryBytes: number
  /** The module's clock, ms. */
  readonly clock: number
  /** The clock at the start of an instance, ms. */
  readonly clockStart: number
  /** Memory and clock are the whole state: a new instance that starts with them continues in the same way. */
  readonly movable: boolean
  /** A message read the clock with which the sandbox was opened. */
  readonly readFirstClock: boolean
  /** A new instance began after the sandbox was opened, so the clock no longer depends on its value at that time. */
  readonly beganInstance: boolean
}

export type SandboxRequest =
  | {
      readonly op: 'open'
      readonly setup: ModuleSetup
      readonly profile: ExecutionProfile
      readonly limits: SandboxLimits
      readonly start?: StartMemory
    }
  /**
   * `pause`: stop after the first message whose result may depend on when its instance began, so that it can be undone. Until
   * `resume` or `undo` the child answers all runs at once without results, and `hash` and `export` with `done`.
   */
  | { readonly op: 'run'; readonly batch: readonly SandboxMessage[]; readonly pause: boolean }
  /** Undoes the last message: restores memory and clock to their values before it. */
  | { readonly op: 'undo' }
  | { readonly op: 'resume' }
  /** `likely`: memories that the hashed one probably equals. */
  | { readonly op: 'hash'; readonly likely: readonly KnownMemory[] }
  /** Writes the gzipped memory to a file. */
  | { readonly op: 'export'; readonly path: string }
  /** Answers the one `drive` that waits. The child sends no reply. */
  | { readonly op: 'driven'; readonly answer: DriveAnswer }

export type SandboxReply =
  | { readonly op: 'done' }
  | { readonly op: 'opened'; readonly memoryBytes: number; readonly clockStart: number; readonly layout: MemoryLayout }
  /** Answers `open`: nothing can run, and the module is the cause. */
  | { readonly op: 'refused'; readonly reason: string }
  | { readonly op: 'state'; readonly state: InstanceState }
  | { readonly op: 'results'; readonly results: readonly SandboxResult[]; readonly last: boolean; readonly paused: boolean }
  | { readonly op: 'failed'; readonly message: string }
  /** Not a reply: the child now compiles and instantiates the module. */
  | { readonly op: 'begun' }
  /** Not a reply: a running module opens a file. */
  | { readonly op: 'drive'; readonly question: DriveQuestion }

/** The watchdog's report on file descriptor 3 before it kills the child. */
export interface WatchdogReport {
  readonly limit: 'time' | 'memory'
  /** The place of the running message in its batch; -1 while the module is opened. */
  readonly index: number
}
