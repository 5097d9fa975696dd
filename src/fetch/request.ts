/** One request over kept connections. No fetch: it takes twice as long, and does not say where it connects to. */
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'

export interface RequestOptions {
  /** A body makes it a POST. */
  readonly body?: string
  readonly headers: Readonly<Record<string, string>>
  /** Ends the request, and the answer that is being read. */
  readonly signal: AbortSignal
}

const AGENTS = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) }

/**
 * Asks, and follows no redirect.
 *
 * @returns the answer as its head is there; reading its body rejects where it is cut
 * @throws the connection's own errors; the signal's reason
 */
export function request(url: URL, { body, headers, signal }: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:'
    const options = { method: body === undefined ? 'GET' : 'POST', headers, signal }
    const asked = secure
      ? https.request(url, { ...options, agent: AGENTS['https:'] })
      : http.request(url, { ...options, agent: AGENTS['http:'] })
    asked.on('response', resolve)
    asked.on('error', reject)
    asked.end(body)
  })
}
