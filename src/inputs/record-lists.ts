/** Records below a prefix, read through the door: all at once, or one after another. */
import type { RecordKey, Store } from '../store/store.ts'
import type { Door } from './stored-records.ts'

/** Both ends inclusive; a missing end is open. */
export interface NonceRange {
  readonly from?: number
  readonly to?: number
}

export async function collect<T>(door: Door, prefix: RecordKey, range?: NonceRange): Promise<T[]> {
  const found: T[] = []
  for await (const value of values<T>(door, prefix, range)) found.push(value)
  return found
}

export async function* values<T>(door: Door, prefix: RecordKey, range?: NonceRange): AsyncGenerator<T> {
  for await (const [, value] of door.list<T>(prefix, range)) yield value
}

const REMOVE_BATCH = 1000

/** Removes all records below a prefix. */
export async function removeBelow(store: Store, prefix: RecordKey): Promise<void> {
  let batch: (readonly [RecordKey, undefined])[] = []
  for await (const [key] of store.list(prefix)) {
    batch.push([key, undefined])
    if (batch.length < REMOVE_BATCH) continue
    await store.put(batch)
    batch = []
  }
  await store.put(batch)
}
