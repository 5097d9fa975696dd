/** A Compute Unit (ao-protocol §2.1). */
import { AuditError } from '../model/errors.ts'
import type { ProcessId } from '../model/ids.ts'
import type { Http } from './http.ts'
import { createPageSize } from './page-size.ts'
import type { ComputeSource, ListedPage } from './sources.ts'
import { addressSchema, listedPageSchema, parseWire } from './unit-schemas.ts'

const LISTED_PAGE = 500
const DETAIL_CHARS = 500
/** No JSON, larger or deeper than any result, or of a status that says neither yes nor no. */
const UNREADABLE: ReadonlySet<string> = new Set(['WIRE_INVALID', 'ANSWER_TOO_LARGE', 'UNIT_REFUSED', 'ADDRESS_FORBIDDEN'])

/** @param url the unit's base URL */
export function createCompute(http: Http, url: string): ComputeSource {
  const base = url.replace(/\/+$/, '')
  const { recordBytes, resultBytes, listedPageBytes } = http.limits
  const inPages = { results: createPageSize(), cron: createPageSize() }

  async function list(kind: 'results' | 'cron', processId: ProcessId, after: string | undefined): Promise<ListedPage> {
    const from = after === undefined ? '' : `&from=${encodeURIComponent(after)}`
    return inPages[kind](LISTED_PAGE, async (size) => {
      const at = `${base}/${kind}/${processId}?limit=${size}&sort=ASC${from}`
      const question = { role: 'compute-unit', url: at, maxBytes: listedPageBytes } as const
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
          accept: isRefusal,
          optional: true
        } as const
        const parsed = addressSchema.safeParse((await http.json(question)).value)
        return parsed.success ? parsed.data.address : undefined
      } catch (error) {
        // A page for people, say: it names no address.
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
          accept: isRefusal,
          busy: (answered) => answered === 202,
          acceptTrouble: true
        })
        if (status === 200) return { kind: 'claim', body: { bytes, text, value } }
        return { kind: 'unavailable', status, detail: text.slice(0, DETAIL_CHARS) }
      } catch (error) {
        // What cannot be read is no claim, but an answer to this question all the same.
        if (!(error instanceof AuditError) || !UNREADABLE.has(error.code)) throw error
        return { kind: 'unavailable', status: 200, detail: error.message.slice(0, DETAIL_CHARS) }
      }
    },

    results: (processId, cursor) => list('results', processId, cursor),
    cron: (processId, cursor) => list('cron', processId, cursor)
  }
}

/** The unit says no, for good: 404, 425 and the like. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}
