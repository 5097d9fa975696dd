/** Signatures verified, and memories unpacked, on threads of their own. */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { SignatureStatus } from '../ans104/signature-status.ts'
import type { MemoryDifference } from '../memory/difference.ts'
import type { MemoryQuestion, Unpacked } from '../memory/worker.ts'
import { AuditError } from '../model/errors.ts'
import type { MemoryLayout, WireItem } from '../model/records.ts'
import { verifyMessage } from './message-item.ts'

export interface Verifier {
  /** One verdict for each item, in order. Calls may overlap: they are worked off in order. */
  verify(items: readonly WireItem[]): Promise<readonly SignatureStatus[]>
  /** What a file of gzip'd memory is; `failed` says why it cannot be read. */
  unpack(path: string, maxBytes: number): Promise<Unpacked | { readonly failed: string }>
  /** Where two memories, files as above, differ: that of a checkpoint, and the one that was computed. */
  compare(
    claimed: string,
    computed: string,
    maxBytes: number,
    layout: MemoryLayout
  ): Promise<MemoryDifference | { readonly failed: string }>
  close(): Promise<void>
}

/** So many items are verified at once, where they are asked for: a thread takes longer to start. */
const AT_ONCE_ITEMS = 64

/** The threads start when they are worth it: unpacking never waits for signatures. */
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

/** Answers come in the order of questions. */
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
      // An audit that is over does not wait for it.
      return asked.finally(() => waiting.length === 0 && running.unref())
    },
    async close(): Promise<void> {
      await worker?.terminate()
    }
  }
}
