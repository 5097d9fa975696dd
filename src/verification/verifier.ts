/** Signatures verified on a thread of their own. */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { AuditError } from '../errors.ts'
import type { WireItem } from '../records.ts'
import type { Verdict } from '../verify/verdict.ts'

export interface Verifier {
  /** One verdict for each item, in order. Calls may overlap: they are worked off in order. */
  verify(items: readonly WireItem[]): Promise<readonly Verdict[]>
  close(): Promise<void>
}

interface Waiting {
  resolve(verdicts: readonly Verdict[]): void
  reject(error: unknown): void
}

/** The thread starts with the first question. */
export function createVerifier(): Verifier {
  let worker: Worker | undefined
  const waiting: Waiting[] = []

  function start(): Worker {
    const started = new Worker(createRequire(import.meta.url).resolve('#verification-worker'))
    started.on('message', (verdicts: readonly Verdict[]) => waiting.shift()?.resolve(verdicts))
    started.on('error', (cause) => {
      const failure = new AuditError('SANDBOX_FAILED', 'the thread that verifies signatures failed', { cause })
      for (const one of waiting.splice(0)) one.reject(failure)
    })
    // An audit that is over does not wait for it.
    started.unref()
    return started
  }

  return {
    verify(items) {
      worker ??= start()
      worker.ref()
      const asked = new Promise<readonly Verdict[]>((resolve, reject) => waiting.push({ resolve, reject }))
      worker.postMessage(items)
      return asked.finally(() => waiting.length === 0 && worker?.unref())
    },
    async close() {
      await worker?.terminate()
    }
  }
}
