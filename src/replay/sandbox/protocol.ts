/** What the sandbox and its child say to each other over IPC. */

import type { KnownMemory } from '../../memory/fingerprint.ts'
import type { StartMemory } from '../../memory/start-memory.ts'
import type { Fault, MemoryLayout, UnstatedInput } from '../../model/records.ts'
import type { DriveAnswer, DriveQuestion } from '../drive/source.ts'
import type { ExecutionProfile } from '../profile.ts'

/** What the CU hands to the module besides the message: fixed for a process (protocol §2.4, §2.9). */
export interface ModuleSetup {
  /** The module's file. */
  readonly wasmPath: string
  readonly format: string
  /** The second argument of `handle`. */
  readonly env: unknown
  readonly options: Readonly<Record<string, unknown>>
  /** Whether the module is given WeaveDrive. */
  readonly drive?: boolean
}

export interface SandboxLimits {
  /** Wall time of one message. */
  readonly messageMs: number
  /** The module's memory. */
  readonly heapBytes: number
  /** The child's resident memory: heap, its shadow and the engine. */
  readonly residentBytes: number
}

/** One evaluation: the message as the module reads it, and whether the CU began a new instance right before. */
export interface SandboxMessage {
  readonly message: Readonly<Record<string, unknown>>
  readonly fresh: boolean
  /** Somebody says that it failed: worth keeping the memory before it. Changes no result. */
  readonly claimedError?: true
}

export interface SandboxResult {
  /** The result's JSON as the CU would answer it. */
  readonly text: string
  /** The CU discarded the memory: `Error`, a throw, or the out-of-memory text. */
  readonly rolledBack: boolean
  /** Host functions called whose answer the profile decides, by import name, sorted. */
  readonly hostInputs: readonly string[]
  /** The module has asked for its C environment, in this message or before. */
  readonly readsEnvironment?: true
  /** What it read that the profile does not state, by kind and name. */
  readonly unstated?: readonly UnstatedInput[]
  /** Where the clock stood when the message began; undefined where it was not read. */
  readonly clockRead?: number
  /** It read the clock, which stood elsewhere than where an instance begins. */
  readonly clockMoved?: true
  /** A message ran out of memory before it, and its instance held more than the memory: in a new one it may come out otherwise. */
  readonly instanceHeldMore?: true
  readonly memoryBytes: number
  /** Time inside the module's `handle`, µs. */
  readonly handleUs: number
  /** Set where the host, not the module, decided the result: then it says nothing about anybody. */
  readonly hostTrouble?: string
  /** Whose doing the trouble is, where it is not the host's. */
  readonly fault?: Fault
  /** The trouble is that nobody has an input. */
  readonly inputMissing?: true
  /** The module asked for more memory, and got it. */
  readonly memoryGrew?: true
  /** Why a unit may have read something else here: from here on nobody may be blamed. */
  readonly assumed?: string
}

/** What an instance holds. */
export interface InstanceState {
  /** Lowercase hex of the memory, as a checkpoint's tag has it (§3). */
  readonly sha256: string
  readonly memoryBytes: number
  /** Where the module's clock stands, ms. */
  readonly clock: number
  /** Where it stands when an instance begins, ms. */
  readonly clockStart: number
  /** Memory and clock are all there is: an instance that begins with them goes on the same. */
  readonly movable: boolean
  /** Where the clock stood when the sandbox was opened was read. */
  readonly readFirstClock: boolean
  /** A new instance began since the sandbox was opened: where the clock stands has nothing to do with where it stood then. */
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
   * `pause`: stop after the first message whose result may depend on when its instance began, so that it can be undone. Until `resume` or `undo` all runs
   * are answered at once, with nothing, and `hash` and `export` with `done`.
   */
  | { readonly op: 'run'; readonly batch: readonly SandboxMessage[]; readonly pause: boolean }
  /** Takes the last message back: memory and clock as before it. */
  | { readonly op: 'undo' }
  | { readonly op: 'resume' }
  /** `likely`: what the memory may well be. */
  | { readonly op: 'hash'; readonly likely: readonly KnownMemory[] }
  /** Writes the memory, gzip'd, to a file. */
  | { readonly op: 'export'; readonly path: string }
  /** To the one `drive` that waits; no reply comes. */
  | { readonly op: 'driven'; readonly answer: DriveAnswer }

export type SandboxReply =
  | { readonly op: 'done' }
  | { readonly op: 'opened'; readonly memoryBytes: number; readonly clockStart: number; readonly layout: MemoryLayout }
  /** To `open`: it is the module's doing that nothing can be run. */
  | { readonly op: 'refused'; readonly reason: string }
  | { readonly op: 'state'; readonly state: InstanceState }
  | { readonly op: 'results'; readonly results: readonly SandboxResult[]; readonly last: boolean; readonly paused: boolean }
  | { readonly op: 'failed'; readonly message: string }
  /** No reply: the module is compiled and instantiated now. */
  | { readonly op: 'begun' }
  /** No reply: a module wants a file while it runs. */
  | { readonly op: 'drive'; readonly question: DriveQuestion }

/** What the watchdog writes to file descriptor 3 before it ends the child. */
export interface WatchdogReport {
  readonly limit: 'time' | 'memory'
  /** Which message of the running batch was under way; -1 for none: the module was opened. */
  readonly index: number
}
