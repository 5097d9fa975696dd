/** Requests to units over HTTP: bounded in bytes, time and number, and repeated if that can help. */

import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import pRetry from 'p-retry'
import { AuditError } from '../model/errors.ts'
import { defined } from '../util/defined.ts'
import { ANSWER_MAX_DEPTH, nestsDeeperThan } from '../util/json-depth.ts'
import { parseJson } from '../util/json-value.ts'
import type { Lookup } from './address.ts'
import { attemptOnce, type HttpAnswer, isSuccess, type Question, Retriable } from './attempt.ts'
import { fetchError } from './fetch-error.ts'
import { DEFAULT_FETCH_LIMITS, type FetchLimits } from './limits.ts'
import { shown } from './unit-words.ts'

export interface HttpOptions {
  readonly limits?: Partial<FetchLimits>
  /** Base URLs that the user named: redirects may lead to their origins. */
  readonly trusted?: readonly string[]
  /** Whether a redirect may lead to a private address. */
  readonly allowPrivate?: boolean
  readonly signal?: AbortSignal
  /** Called for every attempt, for `--verbose`. */
  readonly onAttempt?: (url: string) => void
  /** Resolves the host names of redirects; the system's resolver by default. */
  readonly lookUp?: Lookup
}

/** An answer read as JSON. */
export interface JsonAnswer {
  readonly status: number
  readonly bytes: Uint8Array
  /** U+FFFD replaces bytes that are not UTF-8. */
  readonly text: string
  /** The result of `parseJson`; undefined if the status is not successful. */
  readonly value: unknown
}

export interface Http {
  readonly limits: FetchLimits
  /**
   * @throws AuditError `UNIT_UNREACHABLE` if the unit stays away, `UNIT_REFUSED` for a status that is not an answer,
   *   `ANSWER_TOO_LARGE`, `ADDRESS_FORBIDDEN`, `WIRE_INVALID` (too many redirects), `INTERRUPTED`
   */
  bytes(question: Question): Promise<HttpAnswer>
  /**
   * Like `bytes`, but the body of a successful answer must be JSON: if it is not, the request is repeated, then `WIRE_INVALID`.
   */
  json(question: Question): Promise<JsonAnswer>
}

/** A unit: one role at one origin. */
interface Peer {
  /** When it last gave a usable answer. */
  answeredAt: number
  /** Questions that were given up since then. */
  givenUp: number
  /** Set when patience ended; the unit is not asked any more. */
  gaveUp: AuditError | undefined
}

/** After so many unanswered questions in a row a unit counts as away; one that never answered, after the first. */
const GIVEN_UP_MAX = 3
const OPTIONAL_ATTEMPTS = 4

/** A client that remembers when each unit last answered. */
export function createHttp(options: HttpOptions = {}): Http {
  const { signal, onAttempt, lookUp } = options
  const limits = { ...DEFAULT_FETCH_LIMITS, ...options.limits }
  const peers = new Map<string, Peer>()
  const queues = new Map<string, PQueue>()
  const trusted = new Set((options.trusted ?? []).map((url) => new URL(url).origin))
  const mayFollow = ({ origin }: URL) => options.allowPrivate === true || trusted.has(origin)
  const withSignal = defined({ signal })
  // Every attempt in progress listens.
  if (signal !== undefined) setMaxListeners(0, signal)

  const underWay = new Set<(error: AuditError) => void>()
  signal?.addEventListener('abort', () => {
    for (const reject of underWay) reject(new AuditError('INTERRUPTED', 'interrupted'))
  })

  /** Settles on an abort at once, whatever happens to the connection. */
  function settled<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      underWay.add(reject)
      work.then(resolve, reject).finally(() => underWay.delete(reject))
    })
  }

  async function ask<T>(question: Question, read: (answer: HttpAnswer) => T): Promise<T> {
    const { origin } = new URL(question.url)
    const queue = inMap(queues, origin, () => new PQueue({ concurrency: limits.concurrency }))
    const peer = inMap(peers, `${question.role} ${origin}`, () => ({ answeredAt: 0, givenUp: 0, gaveUp: undefined }))
    const begun = performance.now()
    let askedToWaitMs = 0
    let unusable = 0

    const patienceLeftMs = () => limits.patienceMs + askedToWaitMs + Math.max(begun, peer.answeredAt) - performance.now()
    const idleMsOf = (attempt: number) => {
      const idleMs = Math.min(limits.idleMs * 2 ** (attempt - 1), limits.idleMaxMs)
      return Math.max(limits.idleMs, Math.min(idleMs, patienceLeftMs()))
    }
    const mayTryAgain = (failure: Retriable, attempt: number): boolean => {
      if (question.optional === true && attempt >= OPTIONAL_ATTEMPTS) return false
      if (failure.kind === 'large' || failure.kind === 'garbage') return ++unusable < limits.contentAttempts
      const failsAlone = failure.kind !== 'busy' && attempt >= limits.attempts && peer.answeredAt > begun
      return patienceLeftMs() > 0 && !failsAlone
    }

    try {
      return await pRetry(
        async (attempt) => {
          if (peer.gaveUp !== undefined) throw peer.gaveUp
          // Each attempt listens to the signal itself: the queue's own listeners cost three times as much as the rest of its work.
          const answer = await queue.add(() =>
            attemptOnce(question, { limits, idleMs: idleMsOf(attempt), mayFollow, onAttempt, lookUp, signal })
          )
          const value = read(answer)
          peer.answeredAt = performance.now()
          peer.givenUp = 0
          return value
        },
        {
          retries: Number.POSITIVE_INFINITY,
          minTimeout: limits.waitMinMs,
          maxTimeout: limits.waitMaxMs,
          randomize: true,
          ...withSignal,
          async shouldRetry({ error, attemptNumber }) {
            if (!(error instanceof Retriable) || !mayTryAgain(error, attemptNumber)) return false
            const waitMs = Math.min(error.waitMs, limits.retryAfterMaxMs - askedToWaitMs)
            askedToWaitMs += waitMs
            if (waitMs > 0) await sleep(waitMs, undefined, withSignal)
            return true
          }
        }
      )
    } catch (error) {
      if (signal?.aborted === true) throw new AuditError('INTERRUPTED', 'interrupted', { cause: error })
      if (!(error instanceof Retriable)) throw error
      const { answer } = error
      const isThere = patienceLeftMs() > 0
      if (isThere && question.acceptTrouble === true && answer !== undefined) return read(answer)
      const mayBeAway = !isThere && question.optional !== true && error.kind !== 'large' && error.kind !== 'garbage'
      if (mayBeAway) peer.givenUp++
      const alone = !mayBeAway || (peer.answeredAt > 0 && peer.givenUp < GIVEN_UP_MAX)
      const explained = explain(error, question, alone)
      if (!alone) peer.gaveUp = explained
      throw explained
    }
  }

  return {
    limits,
    bytes: (question) => settled(ask(question, (answer) => answer)),
    json: (question) => settled(ask(question, (answer) => readJson(answer, question)))
  }
}

function readJson({ status, bytes }: HttpAnswer, question: Question): JsonAnswer {
  const text = bytes.toString('utf8')
  if (!isSuccess(status)) return { status, bytes, text, value: undefined }
  if (nestsDeeperThan(text, ANSWER_MAX_DEPTH)) {
    const what = `${shown(question.url)} answered with JSON nested deeper than ${ANSWER_MAX_DEPTH} levels`
    throw fetchError('WIRE_INVALID', question, what, { alone: true })
  }
  try {
    return { status, bytes, text, value: parseJson(text) }
  } catch (error) {
    throw new Retriable('garbage', 'its answer is not JSON', { cause: error })
  }
}

/** The error for a question that is not asked again. */
function explain(failure: Retriable, question: Question, alone: boolean): AuditError {
  const { url } = question
  const options = { cause: failure, alone }
  if (failure.kind === 'large') return fetchError('ANSWER_TOO_LARGE', question, `${shown(url)}: ${failure.message}`, options)
  if (failure.kind === 'garbage') return fetchError('WIRE_INVALID', question, `${shown(url)}: ${failure.message}`, options)
  const what = alone
    ? `${shown(url)} gave no usable answer, though its unit answered other requests`
    : `${new URL(url).origin} did not answer`
  return fetchError('UNIT_UNREACHABLE', question, `${what}: ${failure.message}`, {
    ...options,
    hint: 'try again later, or name another unit'
  })
}

function inMap<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
