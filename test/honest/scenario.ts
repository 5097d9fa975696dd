/** Random honest runs: a process, the units that evaluated it with hidden settings of their own, and faults of the network. */
import type { Fault } from '../fakes/faults.ts'
import { HONEST_FORMATS, type HonestFormat } from './module.ts'
import { type Chance, chance } from './random.ts'
import type { Ask, UnitSettings } from './unit.ts'

export type ScenarioMessage =
  | string
  /** Pushed by a messenger of this name; the same data and anchor under another name are its twin. */
  | { readonly data: string; readonly pushedBy: string; readonly anchor: string }
  | { readonly data: string; readonly onChain: true }
  /** The item of this nonce is assigned again. */
  | { readonly again: number }

export interface ScenarioUnit extends Omit<UnitSettings, 'start' | 'hashes'> {
  /** Whether it names the address with which it signs checkpoints. */
  readonly named: boolean
  /** It began with a checkpoint of this nonce, signed by itself, perhaps at another path, or by a stranger. */
  readonly start?: { readonly nonce: number; readonly path: string | null; readonly signedBy: 'itself' | 'another' }
}

/** Plain JSON, so that the scenario that a failure prints can be repeated. */
export interface Scenario {
  readonly seed: number
  readonly format: HonestFormat
  readonly intervalMs: number
  /** Tags of the process: `Cron-Interval`, `Cron-Tag-Do`. */
  readonly crons: readonly (readonly [string, string])[]
  /** Nonces 1, 2, … */
  readonly messages: readonly ScenarioMessage[]
  readonly units: readonly ScenarioUnit[]
  readonly faults: readonly Fault[]
  readonly from?: number
  readonly to?: number
}

export const OFFICIAL_PATH = '/usr/app/src/effects/worker/evaluator/index.js'
const FIXED_ZONES = ['UTC', 'Asia/Tokyo', 'Asia/Kolkata', 'Etc/GMT+8'] as const
const ZONES = [...FIXED_ZONES, 'America/New_York', 'Europe/London'] as const

/** Reports that it ran out of memory after it got more, so that its instance is larger than the memory that is kept. */
export const GROWN_OUT_OF_MEMORY = `echo ${'x'.repeat(300_000)} not enough memory for buffer allocation`
const PLAIN = ['count', 'echo hi', 'send 2', 'full', 'num 7', 'dirty 64', 'grow 2', 'order', 'pages'] as const
const ERRORS = ['error', 'throw', 'trap', 'growerr 3', 'flaky', 'clockerr', 'oom', GROWN_OUT_OF_MEMORY] as const
const CLOCK = ['clock', 'tick', 'print hello', 'clockerr'] as const
const PATH = ['class', 'order', 'keepclass'] as const
const ZONE = ['local', 'local 43200', 'keeplocal', 'zone'] as const
const CRON_WORDS = ['count', 'send 1', 'error', 'flaky', 'tick', 'clock', 'order', 'keepclass'] as const
const INTERVALS = ['30-seconds', '45-seconds', '1-minute', '1-block', '2-blocks'] as const

/** Each feature of a scenario has its own probability, so that some runs are simple and some are not. */
export function randomScenario(seed: number): Scenario {
  const luck = chance(seed)
  const words: [string, ...string[]] = [...PLAIN]
  if (luck.maybe(0.5)) words.push(...ERRORS)
  if (luck.maybe(0.4)) words.push(...CLOCK)
  if (luck.maybe(0.4)) words.push(...PATH, ...PATH)
  const zones = luck.maybe(0.25)
  if (zones) words.push(...ZONE)
  const crons = luck.maybe(0.35) ? randomCrons(luck) : []
  const messages = randomMessages(luck, words, crons.length > 0)
  const count = messages.length
  const intervalMs = crons.length === 0 ? luck.one([900, 1500, 7000]) : luck.whole(15, 50) * 1000 + luck.whole(0, 999)
  const units = luck.many(luck.maybe(0.3) ? 2 : 1, () => randomUnit(luck, count, intervalMs, zones, crons.length > 0))
  return {
    seed,
    format: luck.one(HONEST_FORMATS),
    intervalMs,
    crons,
    messages,
    units,
    faults: luck.maybe(0.25) ? luck.many(luck.whole(1, 2), () => randomFault(luck)) : [],
    ...(luck.maybe(0.2) ? { to: luck.whole(1, count) } : {}),
    ...(luck.maybe(0.1) ? { from: luck.whole(0, Math.min(3, count - 1)) } : {})
  }
}

function randomCrons(luck: Chance): (readonly [string, string])[] {
  return luck
    .many(luck.maybe(0.3) ? 2 : 1, (): (readonly [string, string])[] => [
      ['Cron-Interval', luck.one(INTERVALS)],
      ['Cron-Tag-Do', luck.one(CRON_WORDS)]
    ])
    .flat()
}

function randomMessages(luck: Chance, words: readonly [string, ...string[]], short: boolean): ScenarioMessage[] {
  const twins = luck.maybe(0.3)
  const messages: ScenarioMessage[] = []
  const count = luck.whole(3, short ? 9 : 14)
  while (messages.length < count) {
    const data = luck.one(words)
    if (!twins || luck.maybe(0.6)) messages.push(data)
    else if (luck.maybe(0.5)) {
      const earlier = messages.filter((one) => typeof one === 'object' && 'pushedBy' in one)
      const twin = earlier.length > 0 && luck.maybe(0.7) ? earlier[luck.whole(0, earlier.length - 1)] : undefined
      const pushedBy = `messenger ${messages.length}`
      if (typeof twin === 'object' && 'pushedBy' in twin) messages.push({ ...twin, pushedBy })
      else messages.push({ data, pushedBy, anchor: String(messages.length).padStart(32, 'a') })
    } else {
      const earlier = messages.flatMap((one, place) => (typeof one === 'object' && 'onChain' in one ? [place + 1] : []))
      const again = luck.maybe(0.7) ? earlier[0] : undefined
      messages.push(again === undefined ? { data, onChain: true } : { again })
    }
  }
  return messages
}

/** A path `/srv/…` of this length. */
export function pathOf(length: number): string {
  return `${`/srv/${'cu-node/'.repeat(20)}`.slice(0, length - 9).replace(/\/$/, 'x')}/index.js`
}

function randomUnit(luck: Chance, count: number, intervalMs: number, zones: boolean, crons: boolean): ScenarioUnit {
  const asked = randomAsks(luck, count, intervalMs, crons)
  const path = luck.one([OFFICIAL_PATH, OFFICIAL_PATH, null, pathOf(luck.whole(20, 150))])
  const ends = asked.map((_, place) => place)
  return {
    path,
    zone: zones ? luck.one(ZONES) : 'UTC',
    asked,
    duplicates: luck.maybe(0.8) ? 'number' : 'text',
    remembers: luck.maybe(0.7),
    checkpoints: luck.maybe(0.35) ? ends.filter(() => luck.maybe(0.3)).slice(0, 3) : [],
    named: luck.maybe(0.7),
    ...(luck.maybe(0.1) && asked.length > 3
      ? { restart: { before: asked.length - 1, memoryAfter: luck.whole(0, asked.length - 3) } }
      : {}),
    ...(luck.maybe(0.1)
      ? {
          start: {
            nonce: luck.whole(1, count),
            path: luck.maybe(0.5) ? path : luck.one([OFFICIAL_PATH, null]),
            signedBy: luck.one(['itself', 'another'] as const)
          }
        }
      : {})
  }
}

/** Requests message by message, once, for some messages, or for times as with `/cron` and `/state`. */
function randomAsks(luck: Chance, count: number, intervalMs: number, crons: boolean): Ask[] {
  const all = Array.from({ length: count }, (_, place) => place + 1)
  const kind = luck.one(['stepwise', 'stepwise', 'once', 'some', 'times'] as const)
  if (kind === 'stepwise') return all.map((nonce) => ({ nonce }))
  if (kind === 'once') return [{ nonce: count }]
  const asks: Ask[] = all.filter(() => luck.maybe(0.4)).map((nonce) => ({ nonce }))
  if (kind === 'some') return [...asks, { nonce: count }]
  if (crons && luck.maybe(0.3)) return [...polls(luck, count * intervalMs), { nonce: count }]
  const times = asks.map((ask): Ask => {
    if (!('nonce' in ask) || luck.maybe(0.5)) return ask
    return { time: 1_720_000_000_000 + ask.nonce * intervalMs + luck.whole(0, intervalMs - 1) }
  })
  // A listing of crons that was requested after the last message.
  const late = crons && luck.maybe(0.5) ? [{ time: 1_720_000_000_000 + count * intervalMs + luck.whole(1000, 60_000) }] : []
  return [...times, { nonce: count }, ...late]
}

/** Requests for the state every few seconds, for a while. */
function polls(luck: Chance, lengthMs: number): Ask[] {
  const everyMs = luck.whole(2, 40) * 1000 + luck.whole(0, 999)
  const first = luck.whole(0, lengthMs)
  return Array.from({ length: luck.whole(1, 12) }, (_, place) => 1_720_000_000_000 + first + place * everyMs)
    .filter((time) => time < 1_720_000_000_000 + lengthMs)
    .map((time) => ({ time }))
}

function randomFault(luck: Chance): Fault {
  const scope = {
    unit: luck.one(['scheduler', 'gateway', 'compute'] as const),
    every: luck.whole(1, 5),
    times: luck.whole(1, 4)
  }
  return luck.one<Fault>([
    { ...scope, kind: 'status', status: 429, headers: { 'retry-after': '0' } },
    { ...scope, kind: 'status', status: 500 },
    {
      ...scope,
      unit: 'compute',
      path: '/result/',
      kind: 'status',
      status: 202,
      body: '{"message":"Evaluation is in progress."}'
    },
    { ...scope, kind: 'cut' },
    { ...scope, kind: 'garbage' },
    { ...scope, kind: 'destroy' },
    { ...scope, kind: 'delay', delayMs: luck.whole(1, 80) }
  ])
}

/**
 * The hidden settings that an audit need not find: without any its verdict must be `match`, otherwise it may be `inconclusive`.
 * Temporary faults change nothing.
 */
export function unexplained(scenario: Scenario): string[] {
  const count = scenario.messages.length
  const why = scenario.units.flatMap((unit) => {
    const cuts = unit.asked.length
    const stepwise = cuts === count && unit.asked.every((ask, place) => 'nonce' in ask && ask.nonce === place + 1)
    return [
      ...(unit.start === undefined ? [] : ['a unit began with a checkpoint']),
      ...(unit.restart === undefined ? [] : ['a unit was restarted']),
      ...(unit.asked.some((ask) => 'time' in ask) ? ['a unit was asked for times'] : []),
      ...(cuts === 1 || stepwise ? [] : cuts <= 4 && scenario.crons.length === 0 ? [] : ['a unit began many streams']),
      ...(unit.duplicates === 'number' ? [] : ['a unit compared nonces as text']),
      ...(FIXED_ZONES.some((zone) => zone === unit.zone) ? [] : ['a unit keeps summer time'])
    ]
  })
  const grown = scenario.messages.some((one) => one === GROWN_OUT_OF_MEMORY)
  const twins = scenario.messages.some((one) => typeof one === 'object')
  // A twin has no answer if the unit forgot it, and the unit stops answering if a twin ends a stream (§2.6, §2.7).
  const unanswered = twins && scenario.units.some(({ remembers, asked }) => !remembers || asked.length < count)
  return [
    ...new Set([
      ...why,
      ...(grown ? ['a message ran out of memory that had grown'] : []),
      ...(unanswered ? ['a skipped twin goes unanswered'] : [])
    ])
  ]
}

/** The unusual features of a scenario in words, printed with a failure. */
export function featuresOf({ units, crons, messages, faults, from, to }: Scenario): string[] {
  const has = (part: string) => messages.some((one) => typeof one === 'object' && part in one)
  const each = units.flatMap(({ path, zone, asked, duplicates, start, restart, checkpoints }) => [
    ...(path === OFFICIAL_PATH ? [] : [path === null ? 'no environment' : 'another path']),
    ...(zone === 'UTC' ? [] : ['a time zone']),
    ...(asked.length === 1 ? [] : [asked.some((ask) => 'time' in ask) ? 'asked for times' : `${asked.length} streams`]),
    ...(duplicates === 'number' ? [] : ['nonces as text']),
    ...(start === undefined ? [] : ['begins with a checkpoint']),
    ...(restart === undefined ? [] : ['restarted']),
    ...(checkpoints.length === 0 ? [] : ['publishes checkpoints'])
  ])
  return [
    ...(units.length > 1 ? ['two units'] : []),
    ...(crons.length === 0
      ? []
      : [
          `crons that ${crons
            .filter(([name]) => name === 'Cron-Tag-Do')
            .map(([, word]) => word)
            .join(' and ')}`
        ]),
    ...(has('pushedBy') ? ['pushes'] : []),
    ...(has('again') ? ['assigned again'] : has('onChain') ? ['assigned'] : []),
    ...(faults.length === 0 ? [] : ['faults']),
    ...(from === undefined && to === undefined ? [] : ['a range']),
    ...new Set(each)
  ]
}
