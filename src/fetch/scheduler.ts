/** A scheduler unit (protocol §1). */

import { defined } from '../util/defined.ts'
import { scheduledMessageSchema } from '../verify/scheduled-edge.ts'
import type { Destination } from './address.ts'
import { type Asked, fetchError } from './fetch-error.ts'
import type { Http } from './http.ts'
import { createPageSize } from './page-size.ts'
import { parseWire, schedulePageSchema, schedulerProcessSchema } from './unit-schemas.ts'
import type { SchedulerSource } from './unit-sources.ts'
import { shown } from './unit-words.ts'

/**
 * @param url the scheduler's base URL
 * @param destination the checked addresses of the URL, if a third party named it
 */
export function createScheduler(http: Http, url: string, destination?: Destination): SchedulerSource {
  const base = url.replace(/\/+$/, '')
  const inPages = createPageSize()

  const asked = (at: string): Asked => ({ role: 'scheduler', url: at })
  const way = defined({ destination })

  async function read(at: string, maxBytes: number): Promise<unknown> {
    return (await http.json({ role: 'scheduler', url: at, maxBytes, ...way })).value
  }

  return {
    url: base,

    async process(processId) {
      const at = `${base}/processes/${processId}?process-id=${processId}`
      const isUnknown = (status: number) => status === 404
      const question = { role: 'scheduler', url: at, maxBytes: http.limits.recordBytes, accept: isUnknown, ...way } as const
      const { status, value } = await http.json(question)
      if (isUnknown(status)) {
        const what = `the scheduler ${shown(base)} does not know the process ${processId} (it answered 404)`
        throw fetchError('UNIT_REFUSED', asked(at), what, { alone: true })
      }
      const record = parseWire(schedulerProcessSchema, value, asked(at))
      if (record.id !== processId) throw fetchError('WIRE_INVALID', asked(at), `${shown(at)} answered with another process`)
      return record
    },

    async latestNonce(processId) {
      const at = `${base}/${processId}/latest?process-id=${processId}`
      return parseWire(scheduledMessageSchema, await read(at, http.limits.recordBytes), asked(at)).nonce
    },

    page: (processId, afterNonce, limit) =>
      inPages(limit, async (size) => {
        // Without show-anchor an assignment's signature cannot be checked (§5.2).
        const at = `${base}/${processId}?process-id=${processId}&from-nonce=${afterNonce}&limit=${size}&show-anchor=1`
        const { page_info, edges } = parseWire(schedulePageSchema, await read(at, http.limits.schedulePageBytes), asked(at))
        return { messages: edges.map(({ node }) => node), hasNextPage: page_info.has_next_page }
      })
  }
}
