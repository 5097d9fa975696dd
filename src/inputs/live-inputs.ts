/** How far what is fetched has come: whoever reads it meanwhile waits for what has not come yet. */
import type { Inputs, Run } from './inputs.ts'

/** What comes in the order of nonces. */
export interface Arrival {
  /** The last nonce that is there with all before it: -1 at first, infinite when nothing more comes. */
  cameTo(): number
  /** Resolves to `cameTo` as soon as that is `nonce` at least; rejects where the rest cannot be had. */
  until(nonce: number): Promise<number>
  reach(nonce: number): void
  /** Nothing more comes; with an error, because it could not be had. */
  end(failure?: { readonly error: unknown }): void
}

/** @param onWanted told when somebody waits */
export function createArrival(onWanted?: () => void): Arrival {
  let reached = -1
  let failed: { readonly error: unknown } | undefined
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const go of woken) go()
  }
  return {
    cameTo: () => reached,
    async until(nonce) {
      if (reached < nonce) onWanted?.()
      while (reached < nonce && failed === undefined) await new Promise<void>((resolve) => void waiting.push(resolve))
      if (reached < nonce && failed !== undefined) throw failed.error
      return reached
    },
    reach(nonce) {
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

/** Waits for all of them; then rejects as the first that did. */
export async function whole(parts: readonly Promise<unknown>[]): Promise<void> {
  for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason
}

/** Runs the work of an arrival, and ends it. */
export async function arriving(arrival: Arrival, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    arrival.end({ error })
    throw error
  }
  arrival.end()
}

export interface Arrivals {
  readonly schedule: Arrival
  /** By the unit's URL: ordinates of which all that it claims is there. None: nothing waits for claims. */
  readonly answers?: ReadonlyMap<string, Arrival>
}

/** The same inputs, of which schedule and answers are read as they come. */
export function following(inputs: Inputs, { schedule, answers }: Arrivals): Inputs {
  const ofRun = <T>(read: (run: Run, unit: string) => AsyncIterable<T>) => {
    return (run: Run, unit: string) => {
      const arrival = answers?.get(unit)
      if (arrival === undefined) return read(run, unit)
      return inParts(arrival, run.from, run.to, (from, to) => read({ ...run, from, to }, unit))
    }
  }
  const cameTo: Inputs['answersCameTo'] = async (_run, unit, ordinate) =>
    (await answers?.get(unit)?.until(ordinate)) ?? Number.POSITIVE_INFINITY
  return {
    ...inputs,
    scheduleCameTo: schedule.cameTo,
    schedule: (run, from, to) => inParts(schedule, from, to, (first, last) => inputs.schedule(run, first, last)),
    claims: ofRun(inputs.claims),
    unavailable: ofRun(inputs.unavailable),
    answersCameTo: cameTo,
    async claimsAt(run, unit, ordinate) {
      await cameTo(run, unit, ordinate)
      return inputs.claimsAt(run, unit, ordinate)
    }
  }
}

/** Reads what is there, again and again. */
async function* inParts<T>(
  arrival: Arrival,
  from: number,
  to: number,
  read: (from: number, to: number) => AsyncIterable<T>
): AsyncGenerator<T> {
  for (let next = from; next <= to; ) {
    const last = Math.min(to, await arrival.until(next))
    yield* read(next, last)
    next = last + 1
  }
}
