/** The time at which a scheduler accepted a process, if it signed that (protocol §1.5, §1.7). */

import { parseBundle } from '../ans104/bundle.ts'
import type { DataItem } from '../ans104/data-item.ts'
import type { Address, ProcessId } from '../model/ids.ts'
import { type Tag, type Times, tagValue } from '../model/records.ts'
import { wireOfItem } from './as-signed.ts'
import { isSignedBy } from './verify-schedule.ts'

/** The times in the tags of an assignment or of an old process's bundle. */
export function timesOfTags(tags: readonly Tag[]): Times | undefined {
  const [timestamp, blockHeight] = ['Timestamp', 'Block-Height'].map((name) => {
    const text = tagValue(tags, name) ?? ''
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined
  })
  return timestamp === undefined || blockHeight === undefined ? undefined : { timestamp, blockHeight }
}

/**
 * The times in the bundle that contains a process from before assignments.
 *
 * @param outer a proven item; only a gateway says that it is the bundle around the process, so this is checked here
 * @returns undefined if somebody other than the scheduler signed it, or it does not contain the process
 */
export function timesInBundle(outer: DataItem, process: ProcessId, scheduler: Address): Times | undefined {
  if (!isSignedBy(wireOfItem(outer), scheduler)) return undefined
  const inside = parseBundle(outer.data)
  return inside.ok && inside.value.some(({ id, item }) => item.ok && id === process) ? timesOfTags(outer.tags) : undefined
}
