/** A Compute Unit (ao-protocol §2.1). */
import type { EvaluationResult } from '../records.ts'
import type { Http } from './http.ts'
import { addressSchema, listedPageSchema, parseWire } from './schemas.ts'
import type { ComputeSource, ListedPage } from './sources.ts'

const LISTED_PAGE = 500
const DETAIL_CHARS = 500
/** An answer without any of these claims nothing. */
const CLAIMING = ['Messages', 'Output', 'Error']
const CLIENT_ERRORS = Array.from({ length: 100 }, (_, place) => 400 + place).filter((status) => status !== 408 && status !== 429)

/** @param url the unit's base URL */
export function createCompute(http: Http, url: string): ComputeSource {
  const base = url.replace(/\/+$/, '')
  const maxBytes = http.limits.answerBytes

  async function list(kind: 'results' | 'cron', processId: string, cursor: string | undefined): Promise<ListedPage> {
    const from = cursor === undefined ? '' : `&from=${encodeURIComponent(cursor)}`
    const at = `${base}/${kind}/${processId}?limit=${LISTED_PAGE}&sort=ASC${from}`
    const { value } = await http.json({ role: 'compute-unit', url: at, maxBytes })
    const { pageInfo, edges } = parseWire(listedPageSchema, value, at)
    return {
      edges: edges.map(({ node, cursor: { key } }) => ({ key, value: node as EvaluationResult, raw: JSON.stringify(node) })),
      next: pageInfo.hasNextPage ? edges.at(-1)?.cursor.text : undefined
    }
  }

  return {
    url: base,

    async address() {
      const { status, value } = await http.json({ role: 'compute-unit', url: `${base}/`, maxBytes, accept: CLIENT_ERRORS })
      const parsed = addressSchema.safeParse(value)
      return status === 200 && parsed.success ? parsed.data.address : undefined
    },

    async result(processId, messageId) {
      const at = `${base}/result/${messageId}?process-id=${processId}`
      // 202: it still evaluates; ask again.
      const { status, text, value } = await http.json({
        role: 'compute-unit',
        url: at,
        maxBytes,
        accept: CLIENT_ERRORS,
        busy: (answered) => answered === 202
      })
      const claims =
        status === 200 && typeof value === 'object' && value !== null && CLAIMING.some((field) => Object.hasOwn(value, field))
      if (claims) return { kind: 'claim', value: value as EvaluationResult, raw: text }
      return { kind: 'unavailable', status, detail: text.slice(0, DETAIL_CHARS) }
    },

    results: (processId, cursor) => list('results', processId, cursor),
    cron: (processId, cursor) => list('cron', processId, cursor)
  }
}
