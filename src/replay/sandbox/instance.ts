/** Runs one WASM instance through the loader and replaces the host's answers. Only this file loads the loader. */
import { createRequire } from 'node:module'
import type { MemoryLayout } from '../../model/records.ts'
import { moduleFormat } from '../formats.ts'
import type { ExecutionProfile } from '../profile.ts'
import type { ModuleAnswer, Response } from './cu-result.ts'
import { type AskDrive, createWeaveDrive } from './drive.ts'
import { ModuleFault } from './fault.ts'
import { createHost, type Host, takeOverGrowth, takeOverImports } from './host.ts'
import { importName } from './imports.ts'
import { declaredMemory, type MemoryLimits } from './memory-limits.ts'
import type { ModuleSetup } from './protocol.ts'
import { takeOverGlobals } from './refusals.ts'
import { takeOverDate } from './time.ts'

export interface Instance {
  readonly host: Host
  /** Returns the memory's current bytes: growth makes earlier views stale. */
  memory(): Uint8Array
  /** Returns the places of stack and heap, as far as the module reports them. */
  layout(): MemoryLayout
  /** Calls the module's `handle` with one message. Never throws: an error that the module throws is its answer. */
  handle(message: Readonly<Record<string, unknown>>): Promise<ModuleAnswer>
}

export interface InstanceFactory {
  /** The loader's glue writes the program's path into the module, even if the module does not request it. */
  readonly laysPathDown: boolean
  /** The clock at the start of an instance, known once one exists: the value to which the loader moved it, or the profile's. */
  readonly clockStart: number
  /**
   * Creates a new instance, with the memory as the module initialises it and the clock at its start.
   *
   * @throws ModuleFault if the module cannot be instantiated
   */
  create(): Promise<Instance>
  /** Returns the size of a new instance after it was resized for a memory of `bytes` (emscripten's growth rule, §2.8). */
  sizeFor(bytes: number): number
  /**
   * Resizes a new instance's memory as the loader does for a memory of `bytes`, and copies that memory into it.
   *
   * @throws ModuleFault if the module cannot hold the memory
   */
  load(instance: Instance, memory: (target: Uint8Array) => void, bytes: number): void
}

type Handle = (memory: null, message: unknown, env: unknown) => Promise<Response>
type Loader = (hook: (imports: unknown, receive: (result: unknown) => void) => unknown, options: unknown) => Promise<Handle>
type Compile = (bytes: ArrayBuffer, options?: { readonly format: string }) => Promise<WebAssembly.Module>

const PAGE_BYTES = 65_536
/** The host of the instance whose code runs now, or for which the loader's code runs. */
let running: Host | undefined
let takenOver = false
const compiled = new WeakMap<ArrayBuffer, { readonly format: string; readonly module: WebAssembly.Module }>()

const DATA_FROM = 1024
/** Formats that call `main` with the program's path, or do not stub the path that the host reports. */
const PATH_ON_STACK: ReadonlySet<string> = new Set(['wasm32-unknown-emscripten', 'wasm32-unknown-emscripten2'])
const GROWTH_BOUND_BYTES = 100_663_296

/**
 * Loads the loader, which takes a while, so call it before the module is known. It first replaces what the loader could reach of
 * the host.
 */
export function loadLoader(): Loader {
  const require = createRequire(import.meta.url)
  if (!takenOver) {
    takenOver = true
    takeOverDate(() => running)
    takeOverGlobals(require, () => running)
  }
  return require('@permaweb/ao-loader') as Loader
}

/** Runs `act` as the code of one instance. Calls come one after another: no other instance runs meanwhile. */
async function runningAs<T>(host: Host, act: () => Promise<T>): Promise<T> {
  running = host
  try {
    return await act()
  } finally {
    running = undefined
  }
}

/**
 * Compiles a module once and makes instances of it.
 *
 * @param wasm the module's bytes in their own ArrayBuffer
 * @param ask returns the files that a module with WeaveDrive opens
 * @throws AuditError `MODULE_UNSUPPORTED` for a format that the loader does not run; ModuleFault for a bad binary
 */
export async function createInstanceFactory(
  wasm: ArrayBuffer,
  setup: ModuleSetup,
  profile: ExecutionProfile,
  heapBytes: number,
  ask: AskDrive
): Promise<InstanceFactory> {
  const format = moduleFormat(setup.format)
  const loader = loadLoader()
  process.env['TZ'] = profile.timeZone ?? 'UTC'
  // emscripten2 writes the script's path to the module's stack, whatever `environ_get` answers.
  process.argv[1] = profile.environment.find((text) => text.startsWith('_='))?.slice(2) ?? ''
  // The loader replaces `WebAssembly.compile` by one that adds metering if the format requires it.
  const compile = WebAssembly.compile as unknown as Compile
  const known = compiled.get(wasm)
  const module =
    known?.format === format.name
      ? known.module
      : await compile(wasm, { format: format.name }).catch((error: unknown) => {
          throw new ModuleFault('the module does not compile', error)
        })
  compiled.set(wasm, { format: format.name, module })
  const declared = declaredMemory(new Uint8Array(wasm)) ?? { initialPages: 0, maximumPages: Number.POSITIVE_INFINITY }
  const initialBytes = declared.initialPages * PAGE_BYTES
  if (initialBytes > heapBytes)
    throw new ModuleFault(`the module begins with ${initialBytes} bytes of memory, the auditor's limit is ${heapBytes}`)
  const resizers = new WeakMap<Instance, (bytes: number) => void>()
  let start = 0

  async function create(): Promise<Instance> {
    const host = createHost()
    let memory: WebAssembly.Memory | undefined
    const memoryNow = (): WebAssembly.Memory => {
      if (memory === undefined) throw new Error('it exports no memory')
      return memory
    }
    let resize = (_bytes: number) => {}
    let exported: Readonly<Record<string, unknown>> = {}
    const load = (resolve: (handle: Handle) => void, reject: (error: unknown) => void) => {
      const hook = (given: unknown, receive: (result: unknown) => void) => {
        const imports = given as Record<string, Record<string, unknown>>
        takeOverImports(imports, host, format, profile, memoryNow)
        resize = resizerOf(imports, format.pointerBytes === 8)
        WebAssembly.instantiate(module, given as WebAssembly.Imports)
          .then((instance) => {
            exported = instance.exports
            memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory)
            takeOverGrowth(memoryNow(), host, declared, heapBytes)
            receive({ exports: instance.exports })
          })
          // The loader waits for ever if its hook rejects.
          .catch(reject)
        return {}
      }
      const drive = setup.drive === true ? { WeaveDrive: createWeaveDrive(host, ask) } : {}
      const options = { ...setup.options, ...drive, format: format.name, UNSAFE_MEMORY: true }
      loader(hook, options).then(resolve, reject)
    }
    const handle = await runningAs(host, () => new Promise<Handle>(load)).catch((error: unknown) => {
      throw new ModuleFault('the module cannot be instantiated', error)
    })
    start = profile.clock.start ?? host.clock
    host.clock = start
    host.clockBegan = start
    host.clockStep = profile.clock.step
    host.files.instanceMade()
    const instance: Instance = {
      host,
      memory: () => new Uint8Array(memoryNow().buffer),
      layout: () => layoutOf(exported, format.pointerBytes === 8),
      handle: (message) =>
        runningAs(host, async () => {
          try {
            return { thrown: false, response: await handle(null, message, setup.env) }
          } catch (error) {
            return { thrown: true, error }
          }
        })
    }
    resizers.set(instance, resize)
    return instance
  }

  return {
    get clockStart() {
      return start
    },
    laysPathDown: PATH_ON_STACK.has(format.name),
    create,
    sizeFor: (bytes) => sizeFor(declared, bytes),
    load(instance, copyInto, bytes) {
      if (instance.memory().byteLength < bytes) resizers.get(instance)?.(bytes)
      if (instance.memory().byteLength < bytes) throw new ModuleFault(`the module's memory cannot be resized to ${bytes} bytes`)
      copyInto(instance.memory())
      instance.host.memoryGrew = false
    }
  }
}

/**
 * Returns the stack's bounds as emscripten's modules report them. The heap begins after the stack, or at the address from `sbrk`.
 */
function layoutOf(exported: Readonly<Record<string, unknown>>, wide: boolean): MemoryLayout {
  const ask = (name: string, ...args: readonly unknown[]) => {
    const tell = exported[name]
    return typeof tell === 'function' ? Number(tell(...args)) : Number.NaN
  }
  const from = ask('emscripten_stack_get_end')
  const to = ask('emscripten_stack_get_base')
  if (!(from < to)) return {}
  // emscripten puts data at 1024 and the stack after it, or the stack first.
  const heapFrom = from > DATA_FROM ? to : ask('sbrk', wide ? 0n : 0)
  return { stack: { from, to }, ...(heapFrom >= to ? { heapFrom } : {}) }
}

function resizerOf(imports: Record<string, Record<string, unknown>>, wide: boolean): (bytes: number) => void {
  for (const [key, value] of Object.values(imports).flatMap((namespace) => Object.entries(namespace))) {
    if (typeof value !== 'function' || importName(key, value) !== 'emscripten_resize_heap') continue
    const resizeHeap = value as (bytes: number | bigint) => unknown
    return (bytes) => resizeHeap(wide ? BigInt(bytes) : bytes)
  }
  return () => {}
}

/**
 * emscripten's rule: whole pages, at least the requested size, and up to a fifth more than before, but at most 96 MiB over the
 * request.
 */
function sizeFor({ initialPages, maximumPages }: MemoryLimits, bytes: number): number {
  const initial = initialPages * PAGE_BYTES
  if (bytes <= initial) return initial
  const grown = Math.min(initial * 1.2, bytes + GROWTH_BOUND_BYTES)
  return Math.min(maximumPages * PAGE_BYTES, Math.ceil(Math.max(bytes, grown) / PAGE_BYTES) * PAGE_BYTES)
}
