/** When a scheduler took a process, where it signed that (protocol §1.5, §1.7). */

import { parseBundle } from '../ans104/bundle.ts'
import type { DataItem } from '../ans104/data-item.ts'
import type { Address, ProcessId } from '../model/ids.ts'
import { type Tag, type Times, tagValue } from '../model/records.ts'
import { wireOfItem } from './as-signed.ts'
import { isSignedBy } from './verify-schedule.ts'

/** Times as an assignment, or a bundle of an old process, names them in its tags. */
export function timesOfTags(tags: readonly Tag[]): Times | undefined {
  const [timestamp, blockHeight] = ['Timestamp', 'Block-Height'].map((name) => {
    const text = tagValue(tags, name) ?? ''
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined
  })
  return timestamp === undefined || blockHeight === undefined ? undefined : { timestamp, blockHeight }
}

/**
 * The times in the bundle that holds a process from before assignments.
 *
 * @param outer a proven item; that it is the bundle around the process is a gateway's word, and looked at here
 * @returns undefined where another than the scheduler signed it, or it does not hold the process
 */
export function timesInBundle(outer: DataItem, process: ProcessId, scheduler: Address): Times | undefined {
  if (!isSignedBy(wireOfItem(outer), scheduler)) return undefined
  const inside = parseBundle(outer.data)
  return inside.ok && inside.value.some(({ id, item }) => item.ok && id === process) ? timesOfTags(outer.tags) : undefined
}
