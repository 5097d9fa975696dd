/** Questions to units over HTTP: bounded in bytes, time and number, asked again where that can help. */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import pRetry from 'p-retry'
import { AuditError, type Unit } from '../errors.ts'
import { assertPublic } from './address.ts'
import { DEFAULT_FETCH_LIMITS, type FetchLimits } from './limits.ts'

export interface HttpOptions {
  readonly limits?: Partial<FetchLimits>
  /** Origins that the user named: asked wherever they lead. */
  readonly trusted?: readonly string[]
  /** Whether others may name private addresses too. */
  readonly allowPrivate?: boolean
  readonly signal?: AbortSignal
  /** Told about every attempt, for `--verbose`. */
  readonly onAttempt?: (url: string) => void
}

export interface Question {
  readonly role: Unit['role']
  readonly url: string
  /** A body makes it a POST of JSON. */
  readonly body?: unknown
  readonly maxBytes: number
  /** Statuses that are answers, besides 200. */
  readonly accept?: readonly number[]
  /** Whether a status means: not yet, ask again. */
  readonly busy?: (status: number) => boolean
}

export interface Answer {
  readonly status: number
  readonly bytes: Buffer
}

export interface Http {
  readonly limits: FetchLimits
  /**
   * @throws AuditError `UNIT_UNREACHABLE` where the unit stays away, `UNIT_REFUSED` for a status that is no answer,
   *   `ANSWER_TOO_LARGE`, `ADDRESS_FORBIDDEN`, `INTERRUPTED`
   */
  bytes(question: Question): Promise<Answer>
  /** As `bytes`, with a body that is JSON: one that is not is asked for again. */
  json(question: Question): Promise<{ readonly status: number; readonly text: string; readonly value: unknown }>
}

/** A failure that another attempt may mend. */
class Retriable extends Error {
  readonly waitMs: number
  readonly tooLarge: boolean
  constructor(message: string, options: { readonly waitMs?: number; readonly tooLarge?: boolean; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.waitMs = options.waitMs ?? 0
    this.tooLarge = options.tooLarge ?? false
  }
}

interface Host {
  readonly queue: PQueue
  answeredAt: number
  /** Set when patience ended; an answer takes it back. */
  gaveUp: AuditError | undefined
}

const RETRIED = new Set([408, 429, 500, 502, 503, 504])
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** A client that remembers, for each host, when it last answered. */
export function createHttp(options: HttpOptions = {}): Http {
  const limits = { ...DEFAULT_FETCH_LIMITS, ...options.limits }
  const hosts = new Map<string, Host>()
  // Every attempt under way listens.
  if (options.signal !== undefined) setMaxListeners(0, options.signal)
  const trusted = new Set((options.trusted ?? []).map((url) => new URL(url).origin))

  function hostOf(url: string): Host {
    const { origin } = new URL(url)
    const known = hosts.get(origin)
    if (known !== undefined) return known
    const host: Host = { queue: new PQueue({ concurrency: limits.concurrency }), answeredAt: 0, gaveUp: undefined }
    hosts.set(origin, host)
    return host
  }

  async function ask<T>(question: Question, read: (answer: Answer) => T): Promise<T> {
    const host = hostOf(question.url)
    const begun = performance.now()
    const patient = () => performance.now() - Math.max(begun, host.answeredAt) < limits.patienceMs
    let tooLarge = 0
    try {
      return await pRetry(
        async (attempt) => {
          if (host.gaveUp !== undefined) throw host.gaveUp
          const answer = await host.queue.add(() => attemptOnce(question, attempt))
          const value = read(answer)
          host.answeredAt = performance.now()
          return value
        },
        {
          retries: limits.attempts - 1,
          minTimeout: limits.waitMinMs,
          maxTimeout: limits.waitMaxMs,
          randomize: true,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
          shouldRetry({ error }) {
            if (!(error instanceof Retriable)) return false
            if (error.tooLarge) return ++tooLarge < limits.tooLargeAttempts
            return patient()
          },
          async onFailedAttempt({ error }) {
            if (error instanceof Retriable && error.waitMs > 0) await sleep(error.waitMs, undefined, signalOption(options.signal))
          }
        }
      )
    } catch (error) {
      throw explain(error, question, host, patient())
    }
  }

  async function attemptOnce(question: Question, attempt: number): Promise<Answer> {
    const idleMs = Math.min(limits.idleMs * 2 ** (attempt - 1), limits.idleMaxMs)
    const stop = new AbortController()
    const onAbort = () => stop.abort()
    options.signal?.addEventListener('abort', onAbort, { once: true })
    const whole = setTimeout(() => stop.abort(), limits.answerMs)
    let idle = setTimeout(() => stop.abort(), idleMs)
    const alive = () => {
      clearTimeout(idle)
      idle = setTimeout(() => stop.abort(), idleMs)
    }
    try {
      const response = await follow(question, stop.signal)
      const bytes = await readBody(response, question, alive)
      return judgeStatus(question, response, bytes)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (error instanceof AuditError || error instanceof Retriable) throw error
      const what = stop.signal.aborted ? 'it did not answer in time' : networkWords(error)
      throw new Retriable(what, { cause: error })
    } finally {
      stop.abort()
      clearTimeout(whole)
      clearTimeout(idle)
      options.signal?.removeEventListener('abort', onAbort)
    }
  }

  async function follow({ url, body }: Question, signal: AbortSignal): Promise<Response> {
    let at = new URL(url)
    for (let hops = 0; hops <= limits.redirects; hops++) {
      options.onAttempt?.(at.href)
      const response = await fetch(at, {
        redirect: 'manual',
        signal,
        headers: { accept: '*/*', 'accept-encoding': 'identity', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
      })
      const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null
      if (location === null) return response
      await response.body?.cancel()
      const next = parseUrl(location, at)
      if (next.origin !== at.origin && !trusted.has(next.origin) && options.allowPrivate !== true) await assertPublic(next)
      at = next
    }
    throw new AuditError('WIRE_INVALID', `${shown(url)} redirects more than ${limits.redirects} times`)
  }

  function judgeStatus({ url, role, accept = [], busy }: Question, response: Response, bytes: Buffer): Answer {
    const { status } = response
    if (busy?.(status) === true) throw new Retriable(`it is busy (${status})`)
    if (status === 200 || accept.includes(status)) return { status, bytes }
    if (RETRIED.has(status)) {
      const waitMs = Math.min(retryAfterMs(response.headers.get('retry-after')), limits.retryAfterMaxMs)
      throw new Retriable(`it answered ${status}`, { waitMs })
    }
    throw new AuditError('UNIT_REFUSED', `${shown(url)} answered ${status}: ${bytes.toString('utf8', 0, 200)}`, {
      unit: { role, url: new URL(url).origin }
    })
  }

  return {
    limits,
    bytes: (question) => ask(question, (answer) => answer),
    json: (question) =>
      ask(question, ({ status, bytes }) => {
        const text = bytes.toString('utf8')
        try {
          return { status, text, value: JSON.parse(text) as unknown }
        } catch (error) {
          throw new Retriable('its answer is not JSON', { cause: error })
        }
      })
  }
}

async function readBody(response: Response, { maxBytes }: Question, alive: () => void): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  const tooLarge = () => new Retriable(`its answer is larger than ${maxBytes} bytes`, { tooLarge: true })
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  for await (const chunk of response.body ?? []) {
    alive()
    size += chunk.byteLength
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What the caller is told when no further attempt is made. */
function explain(error: unknown, { url, role }: Question, host: Host, patient: boolean): unknown {
  const unit = { role, url: new URL(url).origin }
  if (error instanceof Error && error.name === 'AbortError') return new AuditError('INTERRUPTED', 'interrupted')
  if (!(error instanceof Retriable)) return error
  if (error.tooLarge) return new AuditError('ANSWER_TOO_LARGE', `${shown(url)}: ${error.message}`, { cause: error, unit })
  const message = `${unit.url} did not answer: ${error.message}`
  const gaveUp = new AuditError('UNIT_UNREACHABLE', message, { hint: 'try again later, or name another unit', cause: error, unit })
  if (!patient) host.gaveUp = gaveUp
  return gaveUp
}

function networkWords(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = (cause as { code?: unknown }).code
  return typeof code === 'string' ? `the connection failed (${code})` : 'the connection failed'
}

/** Seconds, or a date; 0 where it says neither. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(wait) ? 0 : Math.max(0, wait)
}

function parseUrl(location: string, base: URL): URL {
  try {
    return new URL(location, base)
  } catch {
    throw new AuditError('WIRE_INVALID', `${shown(base.href)} redirects to what is no URL`)
  }
}

function signalOption(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

function shown(url: string): string {
  return url.slice(0, 300)
}
