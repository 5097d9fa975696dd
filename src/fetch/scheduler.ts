/** A scheduler unit (ao-protocol §1). */
import { AuditError } from '../errors.ts'
import type { ProcessRecord, ScheduledMessage } from '../records.ts'
import type { Http } from './http.ts'
import { latestSchema, parseWire, processSchema, schedulePageSchema } from './schemas.ts'
import type { SchedulerSource } from './sources.ts'

/** @param url the scheduler's base URL */
export function createScheduler(http: Http, url: string): SchedulerSource {
  const base = url.replace(/\/+$/, '')
  const { answerBytes, pageBytes } = http.limits
  /** Which page size the last page took: one that outgrew its bound is asked for in parts from then on. */
  let sizeThatFits = Number.POSITIVE_INFINITY

  return {
    url: base,

    async process(processId) {
      const at = `${base}/processes/${processId}?process-id=${processId}`
      const { value } = await http.json({ role: 'scheduler', url: at, maxBytes: answerBytes })
      const record = parseWire(processSchema, value, at)
      if (record.id !== processId) throw new AuditError('WIRE_INVALID', `${at} answered with another process`)
      return record as unknown as ProcessRecord
    },

    async latestNonce(processId) {
      const at = `${base}/${processId}/latest?process-id=${processId}`
      const { value } = await http.json({ role: 'scheduler', url: at, maxBytes: answerBytes })
      return parseWire(latestSchema, value, at).nonce
    },

    async page(processId, afterNonce, limit) {
      for (let size = Math.min(limit, sizeThatFits); ; size = Math.ceil(size / 4)) {
        const at = `${base}/${processId}?process-id=${processId}&from-nonce=${afterNonce}&limit=${size}&show-anchor=1`
        try {
          const { value } = await http.json({ role: 'scheduler', url: at, maxBytes: pageBytes })
          const { page_info, edges } = parseWire(schedulePageSchema, value, at)
          return { messages: edges.map(({ node }) => node as unknown as ScheduledMessage), hasNextPage: page_info.has_next_page }
        } catch (error) {
          if (!(error instanceof AuditError) || error.code !== 'ANSWER_TOO_LARGE' || size === 1) throw error
          sizeThatFits = Math.ceil(size / 4)
        }
      }
    }
  }
}
