/**
 * Makes explicit what a module can request from its host: the C environment, the clock, growth, and everything that depends on more
 * than arguments and memory. Works on the import object that the loader gives its instantiation hook (profiles §4).
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
/** Replaces the host's real time if the loader reads it before its counter runs; nothing else produces this number. */
const REAL_TIME = 1_500_000_000_000.125
/** The start of the glue's counter, in every format. */
const COUNTER_FROM = 10_000

/** The host of one instance: its state, and a record of its answers. */
export interface Host extends TimeKeeper, Asking {
  /** The next answer of the clock, the one counter that both the module and the loader read. */
  clock: number
  /** The increment of each reading. */
  clockStep: number
  /** The clock when the instance was created. */
  clockBegan: number
  /** The module read the clock, or saw a value read from it. */
  clockRead: boolean
  /** The names of called host functions whose answer the profile decides. */
  readonly inputs: Set<string>
  /** The module read its C environment since the instance began. */
  environmentRead: boolean
  /** Inputs that the profile does not state. */
  readonly unstated: Map<string, UnstatedInput>
  readonly files: FileState
  /** The instance holds state outside the memory. */
  filesTouched: boolean
  memoryGrew: boolean
  /** Set if the host, not the module, decided the result, which then proves nothing. */
  trouble: string | undefined
  /** Why a unit may have read something other than this replay served. */
  assumed: string | undefined
  /** The trouble is that nobody has an input. */
  inputMissing: boolean
  /** The time of the message, ms: the value of `new Date()`. */
  messageTime: number
  /** Clears the notes about the message before. */
  beginMessage(time: unknown): void
  /** Notes that the module sees a value read from the clock. */
  readClock(name: string): void
  /** Calls one import and notes its inputs under its name. */
  call<T>(name: string, act: () => T): T
}

type Imports = Record<string, Record<string, unknown>>
type HostFunction = (...args: unknown[]) => unknown

/** Creates the host of an instance that does not exist yet. */
export function createHost(): Host {
  let counting = false
  let calling = 'start'
  /** Times from which dates were made during the current import call. */
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

  /** Notes the times of a file: the host's real time, or the counter at the time when the file was created or written. */
  function noteTimes(name: string): void {
    // Nothing tracks a terminal's times across an undone message.
    if (seen.includes(REAL_TIME) || (seen.length > 0 && host.files.terminalWritten)) host.note('real-time', name)
    else if (seen.some((ms) => ms >= host.clockBegan)) host.readClock(name)
  }

  return host
}

/** Reads a message's `Timestamp`, ms: a number, or text with a number. */
function timeOf(time: unknown): number {
  const ms = Number(time)
  return Number.isSafeInteger(ms) && Math.abs(ms) <= 8.64e15 ? ms : 0
}

/**
 * Replaces every function in `imports` whose answer the profile decides, and watches every other one whose answer depends on more
 * than arguments and memory.
 *
 * @param memory returns the instance's memory, once it exists
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
      // The two oldest formats answer 0 or something that is not a number, whatever the time is.
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

/**
 * Watches a time zone function. In two formats an instance writes the zone's names only once, and this is state outside the
 * memory.
 */
function watchTimeZone(
  name: string,
  original: HostFunction & { readonly called?: boolean },
  host: Host,
  stated: boolean
): HostFunction {
  return (...args) => {
    host.inputs.add(name)
    if (!stated) host.note('time-zone', name)
    // `tzset_js` reports the zone in the year of the unit's evaluation, which is not before the message's year.
    else if (name === 'tzset_js' && !sameSince(host.messageTime)) host.note('real-time', name)
    const before = original.called
    const answer = original(...args)
    if (original.called !== before) host.filesTouched = true
    return answer
  }
}

/** Whether the zone has had the same offsets and daylight saving in all years since a time. */
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

/** Limits and watches the growth of a memory, and accepts both index types: Node 24 and later want a BigInt on wasm64. */
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
      if (permitted) host.trouble ??= `the host could not provide ${total * PAGE_BYTES} bytes of memory`
      throw error
    }
  }
}
