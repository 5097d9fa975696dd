/** One request over kept-alive connections. `fetch` would take twice as long, and does not show which address it connects to. */
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIPv6, type LookupFunction } from 'node:net'
import type { Destination } from './address.ts'

export interface RequestOptions {
  /** A request with a body is a POST. */
  readonly body?: string
  readonly headers: Readonly<Record<string, string>>
  /** Ends the request and the reading of its answer. */
  readonly signal: AbortSignal
  /** The connection goes only to these addresses, whatever the URL's host name resolves to now. */
  readonly destination?: Destination
}

const AGENTS = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) }

/**
 * Sends one request; follows no redirect.
 *
 * @returns the answer as soon as its head has arrived; reading its body rejects if the body is cut off
 * @throws the connection's own errors; the signal's reason
 */
export function request(url: URL, { body, headers, signal, destination }: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:'
    // A kept-alive connection may lead to another address, so each such request opens its own; the name stays the same for TLS.
    const way = destination === undefined ? {} : { lookup: lookupOf(destination), agent: false as const }
    const options = { method: body === undefined ? 'GET' : 'POST', headers, signal }
    const asked = secure
      ? https.request(url, { ...options, agent: AGENTS['https:'], ...way })
      : http.request(url, { ...options, agent: AGENTS['http:'], ...way })
    asked.on('response', resolve)
    asked.on('error', reject)
    asked.end(body)
  })
}

/** Answers with addresses that are already known, without a name server. */
function lookupOf(destination: Destination): LookupFunction {
  const addresses = destination.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
  return (_host, { all }, callback) => {
    const [{ address, family } = { address: '', family: 4 }] = addresses
    if (all === true) callback(null, addresses)
    else callback(null, address, family)
  }
}
