/** What is told of a nonce besides what the run's schedule has: twice by one source, or otherwise by the other. */
import { ARWEAVE } from './fetch/arweave-schedule.ts'
import { type Inputs, type Run, sourcesOf } from './inputs.ts'
import type { ScheduledMessage } from './records.ts'

/** Reads who told what twice, once; the second source is asked nonce by nonce. */
export async function readRivals(inputs: Inputs, run: Run): Promise<(nonce: number) => Promise<readonly ScheduledMessage[]>> {
  const twice = new Map<number, ScheduledMessage[]>()
  for (const source of sourcesOf(run)) {
    for (const { nonce, messages = [] } of await inputs.anomalies(run, source)) {
      twice.set(nonce, [...(twice.get(nonce) ?? []), ...messages])
    }
  }
  return async (nonce) => {
    const second = run.schedule === 'both' ? await inputs.scheduled(ARWEAVE, run.process, nonce) : undefined
    return [...(second === undefined ? [] : [second]), ...(twice.get(nonce) ?? [])]
  }
}
