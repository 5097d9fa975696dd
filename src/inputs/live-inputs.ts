/** Inputs that are still being fetched: a reader waits for records that have not arrived yet. */
import type { Inputs } from './inputs.ts'
import type { Run } from './run-record.ts'

/** How far records that arrive in nonce order are stored. */
export interface Watermark {
  /** The last nonce that is stored with all before it: -1 at first, infinite when no more will arrive. */
  reached(): number
  /** Resolves to `reached` as soon as that is at least `nonce`; rejects if the rest will not arrive. */
  waitFor(nonce: number): Promise<number>
  advance(nonce: number): void
  /** No more will arrive; with an error, because fetching failed. */
  end(failure?: { readonly error: unknown }): void
}

/** @param onWait called when a reader waits */
export function createWatermark(onWait?: () => void): Watermark {
  let reached = -1
  let failed: { readonly error: unknown } | undefined
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const go of woken) go()
  }
  return {
    reached: () => reached,
    async waitFor(nonce) {
      if (reached < nonce) onWait?.()
      while (reached < nonce && failed === undefined) await new Promise<void>((resolve) => void waiting.push(resolve))
      if (reached < nonce && failed !== undefined) throw failed.error
      return reached
    },
    advance(nonce) {
      if (nonce <= reached) return
      reached = nonce
      wake()
    },
    end(failure) {
      failed ??= failure
      if (failed === undefined) reached = Number.POSITIVE_INFINITY
      wake()
    }
  }
}

/** Waits for all parts, then rejects with the first failure in their order, if any. */
export async function whole(parts: readonly Promise<unknown>[]): Promise<void> {
  for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason
}

/** Runs the work that advances a watermark, then ends the watermark. */
export async function advancing(watermark: Watermark, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    watermark.end({ error })
    throw error
  }
  watermark.end()
}

export interface Watermarks {
  readonly schedule: Watermark
  /** By unit URL, the ordinates whose claims are all stored. Without it, nothing waits for claims. */
  readonly claims?: ReadonlyMap<string, Watermark>
}

/** Inputs whose schedule and claims are read as they arrive: their calls wait. */
export interface LiveInputs extends Inputs {
  readonly live: true
}

/** The same inputs, read up to the watermarks, and further as these advance. */
export function followInputs(inputs: Inputs, { schedule, claims }: Watermarks): LiveInputs {
  const ofRun = <T>(read: (run: Run, unit: string) => AsyncIterable<T>) => {
    return (run: Run, unit: string) => {
      const watermark = claims?.get(unit)
      if (watermark === undefined) return read(run, unit)
      return inParts(watermark, run.from, run.to, (from, to) => read({ ...run, from, to }, unit))
    }
  }
  const completeTo = async (unit: string, ordinate: number) =>
    (await claims?.get(unit)?.waitFor(ordinate)) ?? Number.POSITIVE_INFINITY
  return {
    ...inputs,
    live: true,
    schedule: {
      ...inputs.schedule,
      completeTo: schedule.reached,
      messages: (run, from, to) => inParts(schedule, from, to, (first, last) => inputs.schedule.messages(run, first, last))
    },
    claims: {
      ...inputs.claims,
      of: ofRun(inputs.claims.of),
      unavailable: ofRun(inputs.claims.unavailable),
      completeTo: (_run, unit, ordinate) => completeTo(unit, ordinate),
      async at(run, unit, ordinate) {
        await completeTo(unit, ordinate)
        return inputs.claims.at(run, unit, ordinate)
      }
    }
  }
}

/** Reads each part as soon as it is stored. */
async function* inParts<T>(
  watermark: Watermark,
  from: number,
  to: number,
  read: (from: number, to: number) => AsyncIterable<T>
): AsyncGenerator<T> {
  for (let next = from; next <= to; ) {
    const last = Math.min(to, await watermark.waitFor(next))
    yield* read(next, last)
    next = last + 1
  }
}
