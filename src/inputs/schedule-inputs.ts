/** The schedule as its sources served it, and what was wrong with how they did. */
import { ARWEAVE } from '../fetch/arweave-schedule/schedule.ts'
import type { ScheduleAnomaly } from '../fetch/schedule-pages.ts'
import type { ProcessId } from '../model/ids.ts'
import type { ScheduledMessage } from '../model/records.ts'
import type { Store } from '../store/store.ts'
import type { EdgeVerdicts } from '../verify/checked-schedule.ts'
import { type NonceRange, values } from './record-lists.ts'
import type { Run } from './run-record.ts'
import { DERIVED, type Door } from './stored-records.ts'

export interface ScheduleInputs {
  /** In nonce order, both ends inclusive; of a run over both sources, Arweave's where the scheduler's is missing. */
  messages(run: Run, from: number, to: number): AsyncIterable<ScheduledMessage>
  /** The last nonce of the unbroken part that begins with the first one stored; -1 where nothing is. */
  upTo(scheduler: string, process: ProcessId): Promise<number>
  put(
    scheduler: string,
    process: ProcessId,
    messages: readonly ScheduledMessage[],
    anomalies: readonly ScheduleAnomaly[]
  ): Promise<void>
  /** Up to which nonce the schedule and what is wrong with it are there; more may come behind it. */
  completeTo(): number
  /** What one source has of one nonce. */
  at(source: string, process: ProcessId, nonce: number): Promise<ScheduledMessage | undefined>
  /**
   * In nonce order.
   *
   * @param source the run's own where not given
   * @param range all nonces where not given
   */
  anomalies(run: Run, source?: string, range?: NonceRange): AsyncIterable<ScheduleAnomaly>
  /** What the signatures of edges said when they were read from the network, by nonce; an archive has none. */
  verdicts(run: Run, from: number, to: number): Promise<ReadonlyMap<number, EdgeVerdicts>>
  putVerdicts(run: Run, verdicts: readonly (readonly [number, EdgeVerdicts])[]): Promise<void>
}

export function createScheduleInputs(store: Store, door: Door): ScheduleInputs {
  return {
    messages(run, from, to) {
      const of = (source: string) => values<ScheduledMessage>(door, ['schedule', source, run.process], { from, to })
      return run.schedule === 'both' ? filled(of(run.scheduler), of(ARWEAVE)) : of(run.scheduler)
    },
    completeTo: () => Number.POSITIVE_INFINITY,
    at: (source, process, nonce) => door.get(['schedule', source, process, nonce]),
    async upTo(scheduler, process) {
      let last = -1
      for await (const [, { nonce, message, unclear }] of door.list<ScheduledMessage>(['schedule', scheduler, process])) {
        // An item that could not be had may be there by now.
        if (nonce !== last + 1 || (message === null && unclear === true)) break
        last = nonce
      }
      return last
    },
    async put(scheduler, process, messages, anomalies) {
      await store.put([
        ...messages.map((message) => [['schedule', scheduler, process, message.nonce], message] as const),
        ...messages.map((message) => [[DERIVED, 'verdict', scheduler, process, message.nonce], undefined] as const),
        // What came after all is no gap any more.
        ...messages.map((message) => [['anomaly', scheduler, process, message.nonce, 'gap'], undefined] as const),
        ...anomalies.map(
          (found) => [['anomaly', scheduler, process, found.nonce, found.kind, ...ownName(found)], found] as const
        )
      ])
    },
    anomalies: (run, source = run.scheduler, range) => values(door, ['anomaly', source, run.process], range),
    async verdicts(run, from, to) {
      const found = new Map<number, EdgeVerdicts>()
      for await (const [key, verdicts] of door.list<EdgeVerdicts>([DERIVED, 'verdict', run.scheduler, run.process], {
        from,
        to
      }))
        found.set(Number(key.at(-1)), verdicts)
      return found
    },
    putVerdicts: (run, verdicts) =>
      store.put(verdicts.map(([nonce, found]) => [[DERIVED, 'verdict', run.scheduler, run.process, nonce], found] as const))
  }
}

/** Of several that came under one nonce each is kept. */
function ownName({ kind, messages = [] }: ScheduleAnomaly): string[] {
  return kind === 'twice' ? messages.map(({ assignment }) => assignment.id) : []
}

/** Both in nonce order: what the first does not have is taken from the second. */
async function* filled(
  own: AsyncGenerator<ScheduledMessage>,
  other: AsyncGenerator<ScheduledMessage>
): AsyncGenerator<ScheduledMessage> {
  try {
    let spare = await other.next()
    for await (const message of own) {
      for (; spare.done !== true && spare.value.nonce <= message.nonce; spare = await other.next())
        if (spare.value.nonce < message.nonce) yield { ...spare.value, unserved: true }
      yield message
    }
    for (; spare.done !== true; spare = await other.next()) yield { ...spare.value, unserved: true }
  } finally {
    await other.return(undefined)
  }
}
