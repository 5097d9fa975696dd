/** One WASM instance through the loader, with the host's answers taken over. The only file that loads the loader. */
import { createRequire } from 'node:module'
import type { MemoryLayout } from '../../records.ts'
import { moduleFormat } from '../formats.ts'
import { clockStart, type ExecutionProfile } from '../profile.ts'
import type { Answer, Response } from './cu-result.ts'
import { type AskDrive, createWeaveDrive } from './drive.ts'
import { createHost, type Host, importName, takeOverGrowth, takeOverImports } from './host.ts'
import { declaredMemory, type MemoryLimits } from './memory-limits.ts'
import type { ModuleSetup } from './protocol.ts'

export interface Instance {
  readonly host: Host
  /** The memory's bytes now: growth makes the last view stale. */
  memory(): Uint8Array
  /** Where stack and heap lie, as far as the module says. */
  layout(): MemoryLayout
  /** Calls the module's `handle` with one message. Never throws: what the module throws is its answer. */
  handle(message: Readonly<Record<string, unknown>>): Promise<Answer>
}

export interface InstanceFactory {
  readonly clockStart: number
  /** A new instance: memory as the module initialises it, the clock at its start. */
  create(): Promise<Instance>
  /** How many bytes a new instance has after it was resized for a memory of `bytes` (emscripten's growth rule, §2.8). */
  sizeFor(bytes: number): number
  /** Resizes a new instance's memory as the loader does for a memory of `bytes`, and copies it in. */
  load(instance: Instance, memory: (target: Uint8Array) => void, bytes: number): void
}

type Handle = (memory: null, message: unknown, env: unknown) => Promise<Response>
type Loader = (hook: (imports: unknown, receive: (result: unknown) => void) => unknown, options: unknown) => Promise<Handle>
type Compile = (bytes: ArrayBuffer, options?: { readonly format: string }) => Promise<WebAssembly.Module>

const PAGE_BYTES = 65_536
/** The host of the instance that runs now, for what is refused globally. */
let running: Host | undefined

const DATA_FROM = 1024
const GROWTH_BOUND_BYTES = 100_663_296

/** Loads the loader, which takes a while: ahead of the module. */
export function loadLoader(): Loader {
  return createRequire(import.meta.url)('@permaweb/ao-loader') as Loader
}

/**
 * Compiles a module once and makes instances of it.
 *
 * @param wasm the module's bytes in an ArrayBuffer of their own
 * @param ask for the files that a module with WeaveDrive opens
 * @throws AuditError `MODULE_UNSUPPORTED` for a format the loader does not run; WebAssembly's own errors for a bad binary
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
  refuseHost(createRequire(import.meta.url))
  // emscripten2 writes the script's path onto the module's stack, whatever `environ_get` answers.
  process.argv[1] = profile.environment.find((text) => text.startsWith('_='))?.slice(2) ?? ''
  // The loader replaces `WebAssembly.compile` by one that meters where the format asks for it.
  const compile = WebAssembly.compile as unknown as Compile
  const module = await compile(wasm, { format: format.name })
  const declared = declaredMemory(new Uint8Array(wasm)) ?? { initialPages: 0, maximumPages: Number.POSITIVE_INFINITY }
  const start = clockStart(format, profile)
  const resizers = new WeakMap<Instance, (bytes: number) => void>()

  async function create(): Promise<Instance> {
    const host = createHost(start)
    let memory: WebAssembly.Memory | undefined
    const memoryNow = (): WebAssembly.Memory => {
      if (memory === undefined) throw new Error('the module has no memory yet')
      return memory
    }
    let resize = (_bytes: number) => {}
    let exported: Readonly<Record<string, unknown>> = {}
    const handle = await new Promise<Handle>((resolve, reject) => {
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
          // The loader waits for ever where its hook rejects.
          .catch(reject)
        return {}
      }
      const drive = setup.drive === true ? { WeaveDrive: createWeaveDrive(host, ask) } : {}
      const options = { ...setup.options, ...drive, format: format.name, UNSAFE_MEMORY: true }
      loader(hook, options).then(resolve, reject)
    })
    const instance: Instance = {
      host,
      memory: () => new Uint8Array(memoryNow().buffer),
      layout: () => layoutOf(exported, format.pointerBytes === 8),
      handle: async (message) => {
        running = host
        try {
          return { thrown: false, response: await handle(null, message, setup.env) }
        } catch (error) {
          return { thrown: true, error }
        }
      }
    }
    resizers.set(instance, resize)
    return instance
  }

  return {
    clockStart: start,
    create,
    sizeFor: (bytes) => sizeFor(declared, bytes),
    load(instance, copyInto, bytes) {
      if (instance.memory().byteLength < bytes) resizers.get(instance)?.(bytes)
      if (instance.memory().byteLength < bytes) throw new Error(`the module's memory cannot be resized to ${bytes} bytes`)
      copyInto(instance.memory())
      instance.host.memoryGrew = false
    }
  }
}

/** The stack's bounds as emscripten's modules tell them; the heap begins behind the stack, or where `sbrk` says. */
function layoutOf(exported: Readonly<Record<string, unknown>>, wide: boolean): MemoryLayout {
  const ask = (name: string, ...args: readonly unknown[]) => {
    const tell = exported[name]
    return typeof tell === 'function' ? Number(tell(...args)) : Number.NaN
  }
  const from = ask('emscripten_stack_get_end')
  const to = ask('emscripten_stack_get_base')
  if (!(from < to)) return {}
  // emscripten lays data from 1024 on, and the stack behind it, or the stack first.
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

/** emscripten: at least what is asked for, a fifth more than before if that is not over 96 MiB, whole pages. */
function sizeFor({ initialPages, maximumPages }: MemoryLimits, bytes: number): number {
  const initial = initialPages * PAGE_BYTES
  if (bytes <= initial) return initial
  const grown = Math.min(initial * 1.2, bytes + GROWTH_BOUND_BYTES)
  return Math.min(maximumPages * PAGE_BYTES, Math.ceil(Math.max(bytes, grown) / PAGE_BYTES) * PAGE_BYTES)
}

/** `os.execute` of the older formats runs a shell of the host; and true randomness would differ between two replays. */
function refuseHost(require: NodeJS.Require): void {
  const trouble = (what: string) => {
    if (running !== undefined) running.trouble ??= what
  }
  const fill = (view: NodeJS.ArrayBufferView) => {
    trouble("the module read the host's randomness")
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).fill(0)
    return view
  }
  const childProcess = require('node:child_process') as Record<string, unknown>
  childProcess['spawnSync'] = () => {
    trouble('the module tried to run a program on the host')
    throw new Error('a module may not run programs')
  }
  const crypto = require('node:crypto') as Record<string, unknown>
  crypto['randomFillSync'] = fill
  Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: fill, configurable: true })
}
