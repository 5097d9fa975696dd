/** Verifies signatures and unpacks memories on threads of their own. */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { SignatureStatus } from '../ans104/signature-status.ts'
import type { MemoryDifference } from '../memory/difference.ts'
import type { MemoryQuestion, Unpacked } from '../memory/worker.ts'
import { AuditError } from '../model/errors.ts'
import type { MemoryLayout, WireItem } from '../model/records.ts'
import { verifyMessage } from './message-item.ts'

export interface Verifier {
  /**
   * One verdict for each item, in order. Calls may overlap; they are processed in order.
   *
   * @throws AuditError `SANDBOX_FAILED` if the thread fails, as `unpack` and `compare` do
   */
  verify(items: readonly WireItem[]): Promise<readonly SignatureStatus[]>
  /** Unpacks a memory's gzip file; `failed` says why it cannot be read. */
  unpack(path: string, maxBytes: number): Promise<Unpacked | { readonly failed: string }>
  /** Compares two memories, given as gzip files: a checkpoint's memory and the computed one. */
  compare(
    claimed: string,
    computed: string,
    maxBytes: number,
    layout: MemoryLayout
  ): Promise<MemoryDifference | { readonly failed: string }>
  close(): Promise<void>
}

/** The first items are verified on the calling thread, because a new thread takes longer to start. */
const AT_ONCE_ITEMS = 64

/** Each thread starts when it is first needed. There are two, so that unpacking never waits for signatures. */
export function createVerifier(): Verifier {
  let atOnce = AT_ONCE_ITEMS
  const signatures = createThread<readonly WireItem[]>('#signature-worker')
  const memories = createThread<MemoryQuestion>('#memory-worker')
  return {
    async verify(items) {
      atOnce -= items.length
      if (atOnce >= 0) return items.map(verifyMessage)
      return signatures.ask(items) as Promise<readonly SignatureStatus[]>
    },
    unpack: (path, maxBytes) =>
      memories.ask({ kind: 'unpack', path, maxBytes }) as Promise<Unpacked | { readonly failed: string }>,
    compare: (claimed, computed, maxBytes, layout) =>
      memories.ask({ kind: 'compare', claimed, computed, maxBytes, layout }) as Promise<
        MemoryDifference | { readonly failed: string }
      >,
    async close() {
      await Promise.all([signatures.close(), memories.close()])
    }
  }
}

interface PendingQuestion {
  resolve(answer: unknown): void
  reject(error: unknown): void
}

/** Answers arrive in the order of the questions. */
function createThread<Question>(file: string) {
  let worker: Worker | undefined
  const waiting: PendingQuestion[] = []

  function start(): Worker {
    const started = new Worker(createRequire(import.meta.url).resolve(file))
    started.on('message', (answer) => waiting.shift()?.resolve(answer))
    started.on('error', (cause) => {
      const failure = new AuditError('SANDBOX_FAILED', 'the thread that verifies inputs failed', { cause })
      for (const one of waiting.splice(0)) one.reject(failure)
    })
    return started
  }

  return {
    ask(question: Question): Promise<unknown> {
      const running = worker ?? start()
      worker = running
      running.ref()
      const asked = new Promise((resolve, reject) => waiting.push({ resolve, reject }))
      running.postMessage(question)
      // An idle thread must not keep a finished audit alive.
      return asked.finally(() => waiting.length === 0 && running.unref())
    },
    async close(): Promise<void> {
      await worker?.terminate()
    }
  }
}
