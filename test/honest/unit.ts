/**
 * The answers of an honest Compute Unit of the legacynet, for tests, with settings for everything besides module and messages that
 * results depend on. Written after its source (permaweb/ao, ff178d51, servers/cu/src) and protocol §2 without code of the auditor;
 * the evaluations run in a child process with the published loader (cu-child.mjs).
 */

import type { FakeClaim, FakeItem, FakeListed } from '../fakes/data.ts'
import { cursorOf } from '../fakes/data.ts'
import { createBlockTable, cronsOf, firedBetween } from './crons.ts'
import { type Place, runUnit, type StreamRequest } from './cu.ts'
import { cronMessage, environmentOf, type Message, readSchedule, type Scheduled, type World } from './messages.ts'

/** A request to a unit, for a message's result or for everything up to a time in ms (`/cron`, `/state?to=`). */
export type Ask = { readonly nonce: number } | { readonly time: number }

export interface UnitSettings {
  /** The path of the CU's script; null: its loader is 0.0.47 or later and gives no environment to the module. */
  readonly path: string | null
  /** A time zone as in TZ. */
  readonly zone: string
  /** Requests before those of the auditor, in this order; each is an evaluation stream unless the unit has the answer. */
  readonly asked: readonly Ask[]
  /** How it compares places in its table of messages: as numbers, or as text as from 2024-04-16 to 2025-01-13. */
  readonly duplicates: 'number' | 'text'
  /** The checkpoint that it began with; it knows nothing from before. */
  readonly start?: { readonly place: Place; readonly memory: Uint8Array }
  /**
   * It was restarted before the request at this place and went on with the memory after an earlier one. Its tables of results and
   * messages outlive the restart, and an existing result is not replaced (INSERT OR IGNORE).
   */
  readonly restart?: { readonly before: number; readonly memoryAfter: number }
  /** Whether its cache, which is keyed by message id alone, still has its earlier answers when the auditor asks. */
  readonly remembers: boolean
  /** The requests after which it publishes its memory. */
  readonly checkpoints: readonly number[]
  /** Whether the hashes of all memories are returned as well. */
  readonly hashes?: boolean
}

export interface UnitAnswers {
  /** The answers of `/result`, by message id. */
  readonly claims: readonly FakeClaim[]
  readonly results: readonly FakeListed[]
  readonly cron: readonly FakeListed[]
  /** The memories after the requests at `checkpoints`, if there is one. */
  readonly checkpoints: readonly { readonly place: Place; readonly memory: Uint8Array }[]
  /** All evaluations of the unit, with errors, to print with a failure. */
  readonly told: readonly string[]
  /** The SHA-256 in hex of the memory after each stream, by the nonce of its last evaluation, if `hashes` is set. */
  readonly hashes: ReadonlyMap<number, string>
}

interface Row {
  readonly timestamp: number
  readonly ordinate: number
  readonly cron: string | null
  /** The place among all evaluations. */
  readonly text: number
}

/**
 * The answer to a request: that of a stored evaluation; an empty one, if the stream skipped everything; `{}`, if the unit has the
 * memory but no evaluation for it; or a refusal.
 */
type Answer =
  | { readonly text: number }
  | { readonly empty: true }
  | { readonly exact: true }
  | { readonly status: number; readonly error: string }

const rowKey = (timestamp: number, ordinate: number, cron: string | null) => `${timestamp},${ordinate},${cron ?? ''}`
/** ctx.result if nothing was evaluated, without gas (evaluate.js, `prev`). */
const EMPTY = { Messages: [], Assignments: [], Spawns: [], Output: '' }

/** Runs the unit, then asks it like an auditor for each message's result in the order of the schedule and for its listings. */
export async function runHonestUnit(world: World, settings: UnitSettings): Promise<UnitAnswers> {
  const unit = planUnit(world, settings)
  const cached = new Map<number, Answer>()
  settings.asked.forEach((ask, place) => {
    const nonce = 'nonce' in ask ? unit.oldest(ask.nonce) : undefined
    const answer = unit.ask(nonce === undefined ? ask : { nonce }, place)
    if (nonce !== undefined && settings.remembers && !('status' in answer) && !cached.has(nonce)) cached.set(nonce, answer)
  })
  const answers = unit.schedule
    .filter(({ nonce }) => nonce > 0)
    .map((scheduled) => {
      const nonce = unit.oldest(scheduled.nonce)
      return { scheduled, answer: cached.get(nonce) ?? unit.ask({ nonce }, undefined) }
    })
  const { texts, memories } = await runUnit(world, settings, unit.streams)
  const textOf = (place: number) => JSON.parse(texts[place] ?? 'null') as Record<string, unknown>

  const claims = new Map<string, FakeClaim>()
  for (const { scheduled, answer } of answers) {
    const id = scheduled.messageId
    if (claims.has(id)) continue
    if ('status' in answer) claims.set(id, { id, status: answer.status, result: { error: answer.error } })
    else claims.set(id, { id, status: 200, result: 'text' in answer ? textOf(answer.text) : 'empty' in answer ? EMPTY : {} })
  }
  const rows = [...unit.rows.values()].sort(
    (a, b) => a.timestamp - b.timestamp || textOrder(String(a.ordinate), String(b.ordinate)) || textOrder(a.cron, b.cron)
  )
  const listed = rows.map(({ timestamp, ordinate, cron, text }): FakeListed & { readonly isCron: boolean } => {
    const { Messages, Assignments, Spawns, Output, Error: error } = textOf(text)
    const node = { Messages, Assignments, Spawns, Output }
    const hidden = error === undefined ? {} : { hidden: true as const }
    return { node, cursor: cursorOf(ordinate, timestamp, cron), isCron: cron !== null, ...hidden }
  })
  const plain = ({ node, cursor, hidden }: FakeListed): FakeListed => ({
    node,
    cursor,
    ...(hidden === undefined ? {} : { hidden })
  })
  return {
    claims: [...claims.values()],
    results: listed.map(plain),
    cron: listed.filter(({ isCron }) => isCron).map(plain),
    checkpoints: unit.places.flatMap((place, stream) => {
      const memory = memories[stream]
      return memory instanceof Uint8Array && place !== undefined ? [{ place, memory }] : []
    }),
    hashes: new Map(
      memories.flatMap((memory, stream): [number, string][] =>
        typeof memory === 'string' ? [[unit.places[stream]?.ordinate ?? -1, memory]] : []
      )
    ),
    told: rows.map(({ ordinate, cron, text }) => `${ordinate}${cron === null ? '' : ` ${cron}`}: ${texts[text]}`)
  }
}

function textOrder(a: string | null, b: string | null): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  return a < b ? -1 : 1
}

/** Streams, their evaluations and the unit's tables, none of which depends on results. */
function planUnit(world: World, settings: UnitSettings) {
  const schedule = readSchedule(world)
  const env = environmentOf(world)
  const crons = cronsOf(world)
  const blocksFor = createBlockTable(world.blocks)
  const { block, timestamp } = world.process as unknown as { block: string; timestamp: number }
  const origin = { height: Number.parseInt(block, 10), timestamp }
  if ((world.process as unknown as FakeItem).tags.every(({ value }) => value !== 'Process') || schedule[0]?.nonce !== 0)
    throw new Error('only processes that are their own first message are simulated')

  const rows = new Map<string, Row>()
  const messages = new Map<string, Scheduled>()
  const streams: StreamRequest[] = []
  /** The last evaluation in the memory after each stream. */
  const places: (Place | undefined)[] = []
  const after: { last: Place | undefined; mostRecent: number | undefined; stream: number }[] = []
  let last: Place | undefined = settings.start?.place
  /** The nonce from whose assignment the hash chain goes on; skipped messages count (evaluate.js, mostRecentAssignmentId). */
  let mostRecent: number | undefined = settings.start?.place.ordinate
  let from: number | null | undefined
  let evaluations = 0

  const keyOf = ({ isAssignment, pushed, messageId }: Scheduled) => (isAssignment ? messageId : (pushed ?? messageId))

  /** effects/ao-evaluation.js, findMessageBeforeWith, as of 2025-01-13 and before. */
  function isTwin(scheduled: Scheduled): boolean {
    if (!scheduled.isAssignment && scheduled.pushed === undefined) return false
    const first = messages.get(keyOf(scheduled))
    if (first === undefined) return false
    if (settings.duplicates === 'text') return `${first.epoch}:${first.nonce}` < `${scheduled.epoch}:${scheduled.nonce}`
    return first.nonce < scheduled.epoch || (first.epoch === scheduled.epoch && first.nonce < scheduled.nonce)
  }

  function wantedOf(wanted: boolean): Pick<StreamRequest, 'wanted'> {
    if (last === undefined) return {}
    return wanted ? { wanted: 'memory' } : settings.hashes === true ? { wanted: 'hash' } : {}
  }

  function ask(question: Ask, place: number | undefined): Answer {
    if (place !== undefined && settings.restart?.before === place) {
      const back = after[settings.restart.memoryAfter]
      if (back !== undefined) {
        ;({ last, mostRecent } = back)
        from = back.stream < 0 ? null : back.stream
      }
    }
    const wanted = place !== undefined && settings.checkpoints.includes(place)
    const answer = 'nonce' in question ? askForNonce(question.nonce, wanted) : stream(question.time, undefined, wanted)
    if (place !== undefined) after[place] = { last, mostRecent, stream: streams.length - 1 }
    return answer
  }

  function askForNonce(nonce: number, wanted: boolean): Answer {
    const { timestamp = Number.NaN } = schedule.find((one) => one.nonce === nonce) ?? {}
    const row = rows.get(rowKey(timestamp, nonce, null))
    if (row !== undefined) return { text: row.text }
    // The unit began with exactly this memory and answers `{}` (loadProcess.js, `exact`: read in the source, seen in no capture).
    if (last?.ordinate === nonce && last.timestamp === timestamp && last.cron === undefined) return { exact: true }
    return stream(timestamp, nonce, wanted)
  }

  /** One evaluation stream, from the last evaluation to a time (readState.js). */
  function stream(to: number, nonce: number | undefined, wanted: boolean): Answer {
    // ao-process.js: everything before the kept memory is gone.
    const isBehind =
      last !== undefined && (nonce === undefined ? last.timestamp > to : last.ordinate >= nonce && last.timestamp > to)
    if (isBehind)
      return { status: 425, error: `message at nonce ${nonce} not found cached, and earlier than latest known nonce` }
    const left = last
    const loaded = schedule.filter((one) => one.nonce > (left?.ordinate ?? -1) && one.timestamp <= to)
    const [first] = loaded
    // The chain goes on from the last scheduled message of the previous stream, evaluated or not (ao-su.js, §2.7).
    if (first !== undefined && mostRecent !== undefined && first.nonce !== mostRecent + 1)
      return { status: 422, error: `HashChain invalid on message '${first.messageId}'` }

    const made: { readonly message: Message; readonly env: Message }[] = []
    let text: number | undefined
    const push = (message: Message, at: Place) => {
      text = evaluations++
      made.push({ message, env })
      last = at
      const { ordinate, timestamp, cron = null } = at
      const key = rowKey(timestamp, ordinate, cron)
      if (!rows.has(key)) rows.set(key, { timestamp, ordinate, cron, text })
    }
    const fired = new Set(left?.cron === undefined ? [] : [`${left.timestamp}-${left.cron}`])
    const known = crons.length === 0 ? [] : blocksFor(left?.height ?? origin.height, to)
    let begin: Place = left ?? { ordinate: 0, timestamp: origin.timestamp, height: origin.height }
    const cronsUpTo = (right: number) => {
      for (const { cron, timestamp, height, tags } of firedBetween(crons, origin, begin, right, known)) {
        if (fired.has(`${timestamp}-${cron}`)) continue
        fired.add(`${timestamp}-${cron}`)
        push(cronMessage(world.process, tags, timestamp, height), { ordinate: begin.ordinate, timestamp, height, cron })
      }
    }
    let seen = mostRecent
    for (const scheduled of loaded) {
      cronsUpTo(scheduled.timestamp)
      const { nonce: ordinate, timestamp, height, message } = scheduled
      begin = { ordinate, timestamp, height }
      seen = ordinate
      if (isTwin(scheduled)) continue
      push(message, begin)
      if (!messages.has(keyOf(scheduled))) messages.set(keyOf(scheduled), scheduled)
    }
    if (Math.floor(begin.timestamp / 1000) < Math.floor(to / 1000)) cronsUpTo(to)
    if (text !== undefined) mostRecent = seen
    streams.push({ evaluations: made, ...wantedOf(wanted), ...(from === undefined ? {} : { from }) })
    places.push(last)
    from = undefined
    return text === undefined ? { empty: true } : { text }
  }

  return {
    schedule,
    rows,
    streams,
    places,
    ask,
    /** Results are requested by message id, for which the scheduler returns the oldest place. */
    oldest(nonce: number): number {
      const id = schedule.find((one) => one.nonce === nonce)?.messageId
      return schedule.find(({ messageId }) => messageId === id)?.nonce ?? nonce
    }
  }
}
