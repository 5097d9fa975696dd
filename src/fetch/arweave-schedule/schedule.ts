/** The schedule that is stored on Arweave (protocol §1.7), behind a scheduler's interface. */

import { AuditError } from '../../model/errors.ts'
import type { ProcessId } from '../../model/ids.ts'
import { isAddress } from '../../model/ids.ts'
import { type ProcessRecord, type ScheduledMessage, type Times, tagValue } from '../../model/records.ts'
import { defined } from '../../util/defined.ts'
import { wireOfItem } from '../../verify/as-signed.ts'
import { timesInBundle, timesOfTags } from '../../verify/process-times.ts'
import type { GatewaySource, SchedulerSource } from '../unit-sources.ts'
import { createAssignmentReader } from './assignments.ts'
import { createArweaveItems, type KnownProcess } from './items.ts'
import { createMessageJoin, type KeepItem } from './joined-messages.ts'

/** Takes the place of a scheduler's URL in a run and in the store's keys. */
export const ARWEAVE = 'arweave'

export interface ArweaveScheduleOptions {
  readonly gateway: GatewaySource
  /** Keeps an item whose signature cannot be verified from its JSON alone. */
  readonly keep: KeepItem
  /** The scheduler's own edge of a nonce: if it has the same assignment, gateways are not asked for its message. */
  served?(process: ProcessId, nonce: number): Promise<ScheduledMessage | undefined>
}

/** Nonces of one query. */
const WINDOW = 100
/** A page searches at most so many windows for assignments. */
const WINDOWS_OF_A_PAGE = 1000
/** A page ends after so many windows in a row without an assignment. */
const EMPTY_WINDOWS = 100

/**
 * Reads assignments by GraphQL and joins each with its message. It accepts only valid signatures: of the process's scheduler on
 * an assignment, of the sender on a message. So a nonce whose assignment no gateway has whole is missing.
 *
 * Pages are in nonce order; two assignments of one nonce follow each other.
 *
 * @throws AuditError `INPUT_MISSING` if no gateway has the process, or any assignment of it
 */
export function createArweaveSchedule({ gateway, keep, served }: ArweaveScheduleOptions): SchedulerSource {
  const items = createArweaveItems(gateway)
  const assignments = createAssignmentReader(gateway, items)
  const join = createMessageJoin({ items, keep, ...defined({ served }) })
  const processes = new Map<ProcessId, Promise<KnownProcess>>()
  let newest: number | undefined

  function known(id: ProcessId): Promise<KnownProcess> {
    const asked = processes.get(id) ?? findProcess(id)
    processes.set(id, asked)
    return asked
  }

  async function findProcess(id: ProcessId): Promise<KnownProcess> {
    const record = (await items.describe([id])).get(id)
    const proven = record === undefined ? undefined : await items.prove(record)
    if (proven === undefined) throw missing(`no gateway has the process ${id} as it was signed`)
    const scheduler = tagValue(proven.item.tags, 'Scheduler') ?? ''
    if (!isAddress(scheduler)) throw missing(`the process ${id} names no scheduler`)
    return { ...proven, id, scheduler }
  }

  /** -1 if there is none. */
  async function findNewest(process: KnownProcess): Promise<number> {
    newest = Math.max(-1, ...(await assignments.newest(process)).map(({ nonce }) => nonce))
    return newest
  }

  return {
    url: ARWEAVE,

    async latestNonce(id) {
      const nonce = await findNewest(await known(id))
      if (nonce < 0) throw missing(`no gateway has an assignment of ${id} that its scheduler signed`)
      return nonce
    },

    async process(id) {
      const process = await known(id)
      const [first] = await assignments.ofNonces(process, [0])
      const taken =
        first !== undefined && tagValue(first.record.tags, 'Message') === undefined ? timesOfTags(first.record.tags) : undefined
      const times = taken ?? (await timesOfBundle(process))
      if (times === undefined) throw missing(`Arweave does not show when the scheduler accepted the process ${id}`)
      return recordOf(process, times)
    },

    async page(id, afterNonce, limit) {
      const process = await known(id)
      const last = newest ?? (await findNewest(process))
      const messages: ScheduledMessage[] = []
      let next = afterNonce + 1
      let empty = 0
      for (let windows = 0; windows < WINDOWS_OF_A_PAGE && next <= last && messages.length < limit; windows++) {
        const nonces = Array.from({ length: Math.min(WINDOW, last - next + 1) }, (_, place) => next + place)
        const found = await join(process, await assignments.ofNonces(process, nonces))
        messages.push(...found)
        empty = found.length === 0 ? empty + 1 : 0
        if (empty >= EMPTY_WINDOWS) break
        next += nonces.length
      }
      // A larger page would bring nothing more.
      return { messages, hasNextPage: false }
    }
  }

  /** A process that is older than assignments is in a bundle that the scheduler tagged (§1.7). */
  async function timesOfBundle({ record: { bundledIn }, id, scheduler }: KnownProcess): Promise<Times | undefined> {
    const outer = bundledIn === undefined ? undefined : (await items.describe([bundledIn])).get(bundledIn)
    const proven = outer === undefined ? undefined : await items.prove(outer)
    const times = proven === undefined ? undefined : timesInBundle(proven.item, id, scheduler)
    if (proven !== undefined && times !== undefined) await keep(proven.record, proven.item.data)
    return times
  }
}

function recordOf({ item, id }: KnownProcess, times: Times): ProcessRecord {
  const { data = null, ...wire } = wireOfItem(item)
  return { ...wire, data, id, ...times }
}

function missing(what: string): AuditError {
  return new AuditError('INPUT_MISSING', what, {
    hint: "name another gateway with --gateway URL, or read the scheduler's own schedule with --schedule scheduler"
  })
}
