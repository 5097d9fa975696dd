/** The sources of the schedules that a pull reads. */

import { createArweaveSchedule } from '../fetch/arweave-schedule/schedule.ts'
import type { GatewaySource, SchedulerSource } from '../fetch/unit-sources.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { ItemInputs } from '../inputs/item-inputs.ts'
import { AuditError } from '../model/errors.ts'
import type { PullOptions, Units } from './pull-options.ts'

export type ScheduleSource = 'scheduler' | 'arweave' | 'both'

/**
 * The schedule sources of one audit.
 *
 * @param open opens the scheduler; not called if only Arweave is read, so the scheduler need not be known
 * @throws AuditError `USAGE` for another source, and the errors of `open`
 */
export async function schedulersOf(
  source: ScheduleSource = 'scheduler',
  gateway: GatewaySource,
  inputs: Inputs,
  open: () => Promise<SchedulerSource>
): Promise<Pick<Units, 'scheduler' | 'arweave'>> {
  const keep = async (...item: Parameters<ItemInputs['putTransaction']>) => void (await inputs.items.putTransaction(...item))
  if (source === 'arweave') return { scheduler: createArweaveSchedule({ gateway, keep }) }
  const scheduler = await open()
  if (source === 'scheduler') return { scheduler }
  if (source !== 'both') throw new AuditError('USAGE', 'the schedule must be one of scheduler, arweave, both')
  const served = (process: PullOptions['process'], nonce: number) => inputs.schedule.at(scheduler.url, process, nonce)
  return { scheduler, arweave: createArweaveSchedule({ gateway, keep, served }) }
}
