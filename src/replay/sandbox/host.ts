/**
 * What a module can ask of its host, made explicit: the C environment, the clock, growth, and all that hangs on more than arguments
 * and memory. Works on the import object that the loader hands to its instantiation hook (profiles §4).
 */
import type { UnstatedInput } from '../../model/records.ts'
import type { ModuleFormat } from '../formats.ts'
import type { ExecutionProfile } from '../profile.ts'
import { type FileState, newFileState, watchFileCall } from './files.ts'
import { importKind, importName } from './imports.ts'
import type { MemoryLimits } from './memory-limits.ts'
import type { Asking } from './refusals.ts'
import type { TimeKeeper } from './time.ts'

const PAGE_BYTES = 65_536
/** In place of the host's real time where the loader looks at it before its counter runs; nothing else makes such a number. */
const REAL_TIME = 1_500_000_000_000.125
/** The glue's own, in every format. */
const COUNTER_FROM = 10_000

/** What one instance's host did and what state it holds. */
export interface Host extends TimeKeeper, Asking {
  /** What the clock answers next: the one counter that the module and the loader read. */
  clock: number
  /** What a reading adds to it. */
  clockStep: number
  /** Where it stood when the instance was made. */
  clockBegan: number
  /** The module read it, or saw what somebody had read from it. */
  clockRead: boolean
  /** Host functions whose answer the profile decides, by name. */
  readonly inputs: Set<string>
  /** The module asked for its C environment since the instance began. */
  environmentRead: boolean
  /** What the profile does not state. */
  readonly unstated: Map<string, UnstatedInput>
  readonly files: FileState
  /** The instance holds what is no part of the memory. */
  filesTouched: boolean
  memoryGrew: boolean
  /** Set where the host decided, not the module: the result says nothing. */
  trouble: string | undefined
  /** Why a unit may have read something else than was served here. */
  assumed: string | undefined
  /** The trouble is that nobody has an input. */
  inputMissing: boolean
  /** Of the message, ms: what `new Date()` is. */
  messageTime: number
  /** Forgets what was noted of the message before. */
  beginMessage(time: unknown): void
  /** Notes that the module sees what somebody read from the clock. */
  readClock(name: string): void
  /** Calls one import; what it reaches is noted by its name. */
  call<T>(name: string, act: () => T): T
}

type Imports = Record<string, Record<string, unknown>>
type HostFunction = (...args: unknown[]) => unknown

/** The host of an instance that is about to be made. */
export function createHost(): Host {
  let counting = false
  let calling = 'start'
  /** What was made a date while an import was called. */
  let seen: number[] = []
  const host: Host = {
    clock: 0,
    clockStep: 1,
    clockBegan: 0,
    clockRead: false,
    inputs: new Set(),
    environmentRead: false,
    unstated: new Map(),
    files: newFileState(),
    filesTouched: false,
    memoryGrew: false,
    trouble: undefined,
    assumed: undefined,
    inputMissing: false,
    messageTime: 0,
    randomBytes: 0,
    beginMessage(time) {
      host.clockRead = false
      host.inputs.clear()
      host.unstated.clear()
      host.files.beginMessage()
      host.filesTouched = false
      host.memoryGrew = false
      host.trouble = undefined
      host.assumed = undefined
      host.inputMissing = false
      host.messageTime = timeOf(time)
    },
    beginCounting() {
      counting = true
      host.clock = COUNTER_FROM
    },
    now() {
      if (!counting) return REAL_TIME
      const now = host.clock
      host.clock += host.clockStep
      return now
    },
    today: () => host.messageTime,
    saw(ms) {
      if (importKind(calling) === 'stat') seen.push(ms)
    },
    note(kind, name = calling) {
      host.unstated.set(`${kind} ${name}`, { kind, name })
    },
    readClock(name) {
      host.clockRead = true
      host.inputs.add(name)
    },
    call(name, act) {
      const before = calling
      calling = name
      seen = []
      try {
        return act()
      } finally {
        if (importKind(name) === 'stat') noteTimes(name)
        calling = before
      }
    }
  }

  /** The times of a file: the host's real one, or what the counter was when the file was made or written to. */
  function noteTimes(name: string): void {
    // What a terminal's times are after a message that was taken back is not followed.
    if (seen.includes(REAL_TIME) || (seen.length > 0 && host.files.terminalWritten)) host.note('real-time', name)
    else if (seen.some((ms) => ms >= host.clockBegan)) host.readClock(name)
  }

  return host
}

/** A message's `Timestamp`, ms: a number, or text of one. */
function timeOf(time: unknown): number {
  const ms = Number(time)
  return Number.isSafeInteger(ms) && Math.abs(ms) <= 8.64e15 ? ms : 0
}

/**
 * Replaces in `imports` every answer that the profile decides, and watches all that hangs on more than arguments and memory.
 *
 * @param memory answers the instance's memory, once there is one
 */
export function takeOverImports(
  imports: Imports,
  host: Host,
  format: ModuleFormat,
  profile: ExecutionProfile,
  memory: () => WebAssembly.Memory
): void {
  const environment = environmentImports(host, format, profile, memory)
  const watched: Readonly<Record<string, (name: string, original: HostFunction) => HostFunction>> = {
    environment: (name, original) => environment[name] ?? original,
    clock: (name, original) => {
      // The two oldest formats answer 0, or nothing that is a number, whatever the time is.
      if (format.clockStart === undefined) return original
      return () => {
        host.readClock(name)
        return host.now()
      }
    },
    'time-zone': (name, original) => watchTimeZone(name, original, host, profile.timeZone !== undefined),
    stat: (name, original) => watchFileCall(name, original, host),
    file: (name, original) => watchFileCall(name, original, host),
    drive: (_name, original) => original,
    pure: (name, original) => (name.endsWith('system') ? (...args) => host.call(name, () => original(...args)) : original)
  }
  for (const namespace of new Set(Object.values(imports))) {
    for (const [key, original] of Object.entries(namespace)) {
      if (typeof original !== 'function') continue
      const name = importName(key, original as HostFunction)
      const watch = watched[importKind(name) ?? '']
      namespace[key] =
        watch === undefined ? unknownImport(name, original as HostFunction, host) : watch(name, original as HostFunction)
    }
  }
}

function unknownImport(name: string, original: HostFunction, host: Host): HostFunction {
  return (...args) => {
    host.inputs.add(name)
    host.note('unknown-import', name)
    return original(...args)
  }
}

/** In two formats an instance writes the zone's names once, wherever it is asked: what is no part of the memory. */
function watchTimeZone(
  name: string,
  original: HostFunction & { readonly called?: boolean },
  host: Host,
  stated: boolean
): HostFunction {
  return (...args) => {
    host.inputs.add(name)
    if (!stated) host.note('time-zone', name)
    // It tells the zone of the year in which the unit evaluated, which is no earlier than the message's.
    else if (name === 'tzset_js' && !sameSince(host.messageTime)) host.note('real-time', name)
    const before = original.called
    const answer = original(...args)
    if (original.called !== before) host.filesTouched = true
    return answer
  }
}

/** Whether the zone has the same offsets, and daylight saving, in all years from a time on until now. */
function sameSince(time: number): boolean {
  const from = new Date(time).getFullYear()
  const to = new Date(performance.timeOrigin).getFullYear()
  const offsets = (year: number) => [0, 6].map((month) => new Date(year, month, 1).getTimezoneOffset()).join()
  for (let year = from + 1; year <= to; year++) if (offsets(year) !== offsets(from)) return false
  return true
}

function environmentImports(
  host: Host,
  format: ModuleFormat,
  profile: ExecutionProfile,
  memory: () => WebAssembly.Memory
): Readonly<Record<string, HostFunction>> {
  const environment = profile.environment.map((text) => Buffer.from(`${text}\0`))
  const putPointer = (at: unknown, value: number) => {
    const view = new DataView(memory().buffer)
    if (format.pointerBytes === 8) view.setBigUint64(Number(at), BigInt(value), true)
    else view.setUint32(Number(at), value, true)
  }
  return {
    environ_sizes_get(count, size) {
      host.environmentRead = true
      putPointer(count, environment.length)
      putPointer(
        size,
        environment.reduce((sum, bytes) => sum + bytes.byteLength, 0)
      )
      return 0
    },
    environ_get(table, buffer) {
      host.environmentRead = true
      let at = Number(buffer)
      environment.forEach((bytes, index) => {
        putPointer(Number(table) + index * format.pointerBytes, at)
        new Uint8Array(memory().buffer).set(bytes, at)
        at += bytes.byteLength
      })
      return 0
    }
  }
}

/** Bounds and watches the growth of a memory, and takes both index types: Node 24 and later want a BigInt on wasm64. */
export function takeOverGrowth(memory: WebAssembly.Memory, host: Host, declared: MemoryLimits, heapBytes: number): void {
  const grow = memory.grow.bind(memory) as (pages: number | bigint) => number | bigint
  const growEither = (pages: number): number => {
    try {
      return Number(grow(BigInt(pages)))
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      return Number(grow(pages))
    }
  }
  memory.grow = (asked: number) => {
    // The loader divides bytes by the page's size and leaves a fraction.
    const pages = Math.trunc(Number(asked))
    const total = memory.buffer.byteLength / PAGE_BYTES + pages
    const permitted = total <= declared.maximumPages
    if (permitted && total * PAGE_BYTES > heapBytes) {
      host.trouble ??= `the module asked for ${total * PAGE_BYTES} bytes of memory, the auditor's limit is ${heapBytes}`
      throw new RangeError('memory limit')
    }
    try {
      const before = growEither(pages)
      if (pages > 0) host.memoryGrew = true
      return before
    } catch (error) {
      if (permitted) host.trouble ??= `the host had no memory of ${total * PAGE_BYTES} bytes`
      throw error
    }
  }
}
