/** The schedule as its sources served it, and the faults of their answers. */
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
  /** In nonce order, both ends inclusive; in a run over both sources, Arweave's message if the scheduler's is missing. */
  messages(run: Run, from: number, to: number): AsyncIterable<ScheduledMessage>
  /** The last nonce before the first missing or unclear one; -1 if nonce 0 is missing. */
  upTo(scheduler: string, process: ProcessId): Promise<number>
  put(
    scheduler: string,
    process: ProcessId,
    messages: readonly ScheduledMessage[],
    anomalies: readonly ScheduleAnomaly[]
  ): Promise<void>
  /** The nonce up to which the schedule and its faults are stored; later ones may still arrive. */
  completeTo(): number
  /** One source's message of one nonce. */
  at(source: string, process: ProcessId, nonce: number): Promise<ScheduledMessage | undefined>
  /**
   * In nonce order.
   *
   * @param source the run's own by default
   * @param range all nonces by default
   */
  anomalies(run: Run, source?: string, range?: NonceRange): AsyncIterable<ScheduleAnomaly>
  /** The verdicts on the signatures of edges when they were read from the network, by nonce; an archive has none. */
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
        // An item that was unavailable may be available now.
        if (nonce !== last + 1 || (message === null && unclear === true)) break
        last = nonce
      }
      return last
    },
    async put(scheduler, process, messages, anomalies) {
      await store.put([
        ...messages.map((message) => [['schedule', scheduler, process, message.nonce], message] as const),
        ...messages.map((message) => [[DERIVED, 'verdict', scheduler, process, message.nonce], undefined] as const),
        // A nonce that arrives later is no longer a gap.
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

/** Gives each of several messages of one nonce a record of its own. */
function ownName({ kind, messages = [] }: ScheduleAnomaly): string[] {
  return kind === 'twice' ? messages.map(({ assignment }) => assignment.id) : []
}

/** Merges two schedules in nonce order: messages that the first lacks come from the second. */
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
