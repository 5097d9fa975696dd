/** One audit's reading of a process, and whose records are read for it. */
import { ARWEAVE } from '../fetch/arweave-schedule/schedule.ts'
import type { ProcessId } from '../model/ids.ts'

/** One reading of a process and of what is claimed about it; it fixes the range, so that it can go on after a kill. */
export interface Run {
  readonly id: string
  readonly process: ProcessId
  /** Whose schedule it is: the scheduler's URL, or `arweave`. */
  readonly scheduler: string
  /** The scheduler's schedule is held against Arweave's, which fills its gaps. */
  readonly schedule?: 'both'
  /** Nonces that Arweave has and the scheduler, asked again, did not serve; both inclusive. */
  readonly unserved?: { readonly from: number; readonly to: number }
  readonly computes: readonly ComputeUnit[]
  /** Nonces that are judged, both inclusive; the schedule is read from its first nonce on. */
  readonly from: number
  readonly to: number
  readonly state: 'running' | 'finished'
  /** Gateways that were not heard, and why: of what is missing it cannot be said that nobody has it. */
  readonly unheard?: readonly { readonly url: string; readonly detail: string }[]
}

export interface ComputeUnit {
  readonly url: string
  /** What its `GET /` says. */
  readonly address?: string
}

/** Under which names the schedules of a run lie. */
export function sourcesOf({ scheduler, schedule }: Run): readonly string[] {
  return schedule === 'both' ? [scheduler, ARWEAVE] : [scheduler]
}
