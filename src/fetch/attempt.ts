/** One attempt at a request: follows redirects itself, reads the body within its bounds, judges the status. */

import type { IncomingMessage } from 'node:http'
import { AuditError, type Unit } from '../model/errors.ts'
import { defined } from '../util/defined.ts'
import { assertPublic, type Destination, type Lookup } from './address.ts'
import { type Asked, fetchError } from './fetch-error.ts'
import type { FetchLimits } from './limits.ts'
import { isPlainHttp } from './plain-http.ts'
import { request } from './request.ts'
import { shown } from './unit-words.ts'

export interface Question {
  readonly role: Unit['role']
  readonly url: string
  /** JSON; a request with a body is a POST. */
  readonly body?: string
  readonly maxBytes: number
  /** Whether a status other than 200 is an answer. */
  readonly accept?: (status: number) => boolean
  /** Whether a status means that the unit needs time and should be asked again. */
  readonly busy?: (status: number) => boolean
  /** Whether a persistent error status (5xx, 429) is an answer if the unit answers other requests. */
  readonly acceptTrouble?: boolean
  /** Not worth waiting for: it gets a few attempts, and its failure does not show that the unit is away. */
  readonly optional?: boolean
  /** The checked addresses of a URL that a third party named. */
  readonly destination?: Destination
}

export interface HttpAnswer {
  readonly status: number
  readonly bytes: Buffer
}

/**
 * A failure that another attempt may overcome. `absent`: no complete answer arrived; `busy`: the unit asks for time; `trouble`: it
 * reports an error; `large`, `garbage`: its answer cannot be used.
 */
export class Retriable extends Error {
  readonly kind: 'absent' | 'busy' | 'trouble' | 'large' | 'garbage'
  /** The wait that `Retry-After` asks for. */
  readonly waitMs: number
  readonly answer: HttpAnswer | undefined

  constructor(
    kind: Retriable['kind'],
    message: string,
    { waitMs = 0, answer, cause }: { readonly waitMs?: number; readonly answer?: HttpAnswer; readonly cause?: unknown } = {}
  ) {
    super(message, { cause })
    this.kind = kind
    this.waitMs = waitMs
    this.answer = answer
  }
}

export interface AttemptOptions {
  readonly limits: FetchLimits
  /** How long the unit may stay silent before and during its answer. */
  readonly idleMs: number
  /** Whether a redirect to another origin may be followed without a check of its address. */
  readonly mayFollow: (url: URL) => boolean
  readonly onAttempt: ((url: string) => void) | undefined
  /** Resolves host names from redirects. */
  readonly lookUp?: Lookup | undefined
  readonly signal: AbortSignal | undefined
}

/** The same statuses as `ok` of `fetch`. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * @throws Retriable if another attempt may help; AuditError `UNIT_REFUSED`, `ADDRESS_FORBIDDEN` or `WIRE_INVALID` if none will;
 *   the signal's reason
 */
export async function attemptOnce(question: Question, options: AttemptOptions): Promise<HttpAnswer> {
  const { limits, idleMs, signal } = options
  signal?.throwIfAborted()
  const stop = new AbortController()
  const onAbort = () => stop.abort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const whole = setTimeout(onAbort, limits.answerMs)
  const idle = setTimeout(onAbort, idleMs)
  try {
    const response = await follow(question, options, stop.signal)
    const bytes = await readBody(response, question, () => idle.refresh())
    return judgeStatus(question, response, bytes)
  } catch (error) {
    const late = stop.signal.aborted
    // This also closes the connection of an answer that is no longer read.
    stop.abort()
    signal?.throwIfAborted()
    if (error instanceof Retriable) throw error
    // A name that cannot be resolved now may be resolved a moment later.
    if (error instanceof AuditError && error.code !== 'UNIT_UNREACHABLE') throw error
    throw new Retriable('absent', late ? 'the request timed out' : networkWords(error), { cause: error })
  } finally {
    clearTimeout(whole)
    clearTimeout(idle)
    signal?.removeEventListener('abort', onAbort)
  }
}

async function follow(question: Question, options: AttemptOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { url, body } = question
  const { limits, mayFollow, onAttempt, lookUp } = options
  let at = new URL(url)
  let { destination } = question
  for (let hops = 0; hops <= limits.redirects; hops++) {
    onAttempt?.(at.href)
    const response = await request(at, {
      signal,
      // If a gateway compressed the answer, the auditor would hash other bytes than were signed (§3).
      headers: {
        accept: '*/*',
        'accept-encoding': 'identity',
        'user-agent': 'ao-audit',
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...defined({ body, destination })
    })
    const location = REDIRECTS.has(response.statusCode ?? 0) ? response.headers.location : undefined
    if (location === undefined) return response
    response.destroy()
    const next = parseLocation(question, location, at)
    if (next.origin !== at.origin) destination = mayFollow(next) ? undefined : await assertPublic(next, question, lookUp)
    at = next
  }
  throw fetchError('WIRE_INVALID', question, `${shown(url)} redirects more than ${limits.redirects} times`)
}

function parseLocation(asked: Asked, location: string, base: URL): URL {
  const next = URL.canParse(location, base.href) ? new URL(location, base) : undefined
  if (next !== undefined && isPlainHttp(next)) return next
  throw fetchError('WIRE_INVALID', asked, `${shown(base.href)} redirects to ${shown(location)}, which is not a plain http URL`)
}

async function readBody(response: IncomingMessage, { maxBytes }: Question, alive: () => void): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  const tooLarge = () => new Retriable('large', `its answer is larger than ${maxBytes} bytes`)
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  for await (const chunk of response as AsyncIterable<Buffer>) {
    alive()
    size += chunk.byteLength
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function judgeStatus(question: Question, response: IncomingMessage, bytes: Buffer): HttpAnswer {
  const { url, accept, busy } = question
  const { statusCode: status = 0 } = response
  const answer = { status, bytes }
  if (status === 200 || accept?.(status) === true) return answer
  const waitMs = retryAfterMs(response.headers['retry-after'])
  if (busy?.(status) === true) throw new Retriable('busy', `it is busy (${status})`, { waitMs })
  if (status === 408 || status === 429 || status >= 500)
    throw new Retriable('trouble', `it answered ${status}`, { waitMs, answer })
  throw fetchError('UNIT_REFUSED', question, `${shown(url)} answered ${status}: ${shown(bytes.toString('utf8', 0, 800))}`, {
    alone: true
  })
}

/** Reads seconds or a date; 0 if the header holds neither. */
function retryAfterMs(header: string | undefined): number {
  if (header === undefined) return 0
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(wait) ? 0 : Math.max(0, wait)
}

function networkWords(error: unknown): string {
  if (error instanceof AuditError) return error.message
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? `the connection failed (${code})` : 'the connection failed'
}
