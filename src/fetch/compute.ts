/** A Compute Unit (protocol §2.1). */
import { AuditError } from '../model/errors.ts'
import type { ProcessId } from '../model/ids.ts'
import { isSuccess } from './attempt.ts'
import type { Http } from './http.ts'
import { createPageSize } from './page-size.ts'
import { addressSchema, listedPageSchema, parseWire } from './unit-schemas.ts'
import type { ComputeSource, ListedPage } from './unit-sources.ts'

const LISTED_PAGE = 500
const DETAIL_CHARS = 500
/** Not JSON, larger or deeper than any result, not shaped like a listing, or redirected to a forbidden address. */
const UNREADABLE: ReadonlySet<string> = new Set(['WIRE_INVALID', 'ANSWER_TOO_LARGE', 'ADDRESS_FORBIDDEN'])

/** @param url the unit's base URL */
export function createCompute(http: Http, url: string): ComputeSource {
  const base = url.replace(/\/+$/, '')
  const { recordBytes, resultBytes, listedPageBytes } = http.limits
  const inPages = { results: createPageSize(), cron: createPageSize() }

  async function list(kind: 'results' | 'cron', processId: ProcessId, after: string | undefined): Promise<ListedPage> {
    const from = after === undefined ? '' : `&from=${encodeURIComponent(after)}`
    return inPages[kind](LISTED_PAGE, async (size) => {
      const at = `${base}/${kind}/${processId}?limit=${size}&sort=ASC${from}`
      const question = { role: 'compute-unit', url: at, maxBytes: listedPageBytes, accept: isRead, busy: isBusy } as const
      const { bytes, text, value } = await http.json(question)
      const { pageInfo, edges } = parseWire(listedPageSchema, value, question)
      return {
        edges: edges.map(({ node, cursor: { key, text: cursor } }) => ({ key, cursor, value: node })),
        body: { bytes, text, value },
        next: pageInfo.hasNextPage ? edges.at(-1)?.cursor.text : undefined
      }
    })
  }

  return {
    url: base,

    async address() {
      try {
        const question = {
          role: 'compute-unit',
          url: `${base}/`,
          maxBytes: recordBytes,
          accept: isAnswer,
          optional: true
        } as const
        const parsed = addressSchema.safeParse((await http.json(question)).value)
        return parsed.success ? parsed.data.address : undefined
      } catch (error) {
        // For example a page for people, which names no address.
        if (error instanceof AuditError && (error.code === 'WIRE_INVALID' || error.code === 'ANSWER_TOO_LARGE'))
          return undefined
        throw error
      }
    },

    async result(processId, messageId) {
      try {
        const { status, bytes, text, value } = await http.json({
          role: 'compute-unit',
          url: `${base}/result/${messageId}?process-id=${processId}`,
          maxBytes: resultBytes,
          accept: isAnswer,
          busy: isBusy,
          acceptTrouble: true
        })
        if (isSuccess(status)) return { kind: 'claim', body: { bytes, text, value } }
        return { kind: 'unavailable', status, detail: text.slice(0, DETAIL_CHARS) }
      } catch (error) {
        if (!isUnreadable(error)) throw error
        return { kind: 'unread', detail: error.message.slice(0, DETAIL_CHARS) }
      }
    },

    results: (processId, cursor) => list('results', processId, cursor),
    cron: (processId, cursor) => list('cron', processId, cursor)
  }
}

/** Whether a unit's answer cannot be read. Such an answer is neither a claim nor silence: others may be able to read it. */
export function isUnreadable(error: unknown): error is AuditError {
  return error instanceof AuditError && UNREADABLE.has(error.code)
}

/** The unit is still evaluating and asks for time. */
function isBusy(status: number): boolean {
  return status === 202
}

/** Clients read the body of any successful status. */
function isRead(status: number): boolean {
  return isSuccess(status) && !isBusy(status)
}

/** The answer is readable, or the unit refuses for good: 404, 425 and the like, or a redirect to nowhere. */
function isAnswer(status: number): boolean {
  return isRead(status) || (status >= 300 && status < 500 && status !== 408 && status !== 429)
}
