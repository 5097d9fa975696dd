/** One reading of a process, and the sources of its schedule. */
import { ARWEAVE } from '../fetch/arweave-schedule/schedule.ts'
import type { ProcessId } from '../model/ids.ts'

/** One reading of a process and of the claims about it; it fixes the range, so that it can continue after a kill. */
export interface Run {
  readonly id: string
  readonly process: ProcessId
  /** The source of the schedule: the scheduler's URL, or `arweave`. */
  readonly scheduler: string
  /** The scheduler's schedule is compared with Arweave's, which fills its gaps. */
  readonly schedule?: 'both'
  /** Nonces that Arweave has, but that the scheduler did not serve when asked again; both inclusive. */
  readonly unserved?: { readonly from: number; readonly to: number }
  readonly computes: readonly ComputeUnit[]
  /** Nonces that are judged, both inclusive; the schedule is read from its first nonce on. */
  readonly from: number
  readonly to: number
  readonly state: 'running' | 'finished'
  /** Gateways that were not heard, and why: nobody can say that no gateway has the missing items. */
  readonly unheard?: readonly { readonly url: string; readonly detail: string }[]
}

export interface ComputeUnit {
  readonly url: string
  /** From its `GET /`. */
  readonly address?: string
}

/** The names under which the schedules of a run are stored. */
export function sourcesOf({ scheduler, schedule }: Run): readonly string[] {
  return schedule === 'both' ? [scheduler, ARWEAVE] : [scheduler]
}
