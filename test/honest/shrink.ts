/** Reduces a failing scenario as long as it fails in the same way. */
import { OFFICIAL_PATH, type Scenario, type ScenarioUnit } from './scenario.ts'
import type { Ask } from './unit.ts'

/** The most runs for reducing one scenario. */
const RUNS_MAX = 40

export async function shrunk(scenario: Scenario, fails: (candidate: Scenario) => Promise<boolean>): Promise<Scenario> {
  let best = scenario
  let left = RUNS_MAX
  for (let moved = true; moved && left > 0; ) {
    moved = false
    for (const candidate of simpler(best)) {
      if (left-- <= 0) break
      if (!(await fails(candidate))) continue
      best = candidate
      moved = true
      break
    }
  }
  return best
}

function* simpler(scenario: Scenario): Generator<Scenario> {
  const { units, messages, crons, faults } = scenario
  const { from: _, to: __, ...whole } = scenario
  if (faults.length > 0) yield { ...scenario, faults: [] }
  if (units.length > 1) for (const unit of units) yield { ...scenario, units: [unit] }
  if (scenario.from !== undefined || scenario.to !== undefined) yield whole
  if (crons.length > 0) yield { ...scenario, crons: [] }
  if (crons.length > 2) yield { ...scenario, crons: crons.slice(2) }
  if (crons.length > 2) yield { ...scenario, crons: crons.slice(0, -2) }
  if (scenario.format !== 'wasm32-unknown-emscripten4') yield { ...scenario, format: 'wasm32-unknown-emscripten4' }
  for (const [place, unit] of units.entries()) {
    for (const plainer of simplerUnits(unit, messages.length))
      yield { ...scenario, units: units.map((one, at) => (at === place ? plainer : one)) }
  }
  if (messages.length > 4) yield without(scenario, messages.length >> 1, messages.length)
  for (let place = messages.length - 1; place >= 0 && messages.length > 1; place--) yield without(scenario, place, place + 1)
}

function* simplerUnits(unit: ScenarioUnit, count: number): Generator<ScenarioUnit> {
  const { restart, start, ...plain } = unit
  if (start !== undefined) yield { ...plain, ...(restart === undefined ? {} : { restart }) }
  if (restart !== undefined) yield { ...plain, ...(start === undefined ? {} : { start }) }
  if (unit.checkpoints.length > 0) yield { ...unit, checkpoints: [] }
  if (unit.zone !== 'UTC') yield { ...unit, zone: 'UTC' }
  if (unit.path !== OFFICIAL_PATH) yield { ...unit, path: OFFICIAL_PATH }
  if (unit.duplicates !== 'number') yield { ...unit, duplicates: 'number' }
  if (unit.asked.length > 1 && restart === undefined)
    yield { ...unit, asked: [{ nonce: count }], checkpoints: unit.checkpoints.slice(0, 1).map(() => 0) }
  if (!unit.named) yield { ...unit, named: true }
}

/** Removes a range of messages and moves the units' requests accordingly. */
function without(scenario: Scenario, from: number, to: number): Scenario {
  const gone = to - from
  const moved = (nonce: number) => Math.max(1, nonce <= from ? nonce : nonce - gone)
  const messages = scenario.messages
    .filter((_, place) => place < from || place >= to)
    .map((one) => (typeof one === 'object' && 'again' in one ? { again: moved(one.again) } : one))
  const least = (nonce: number) => Math.min(moved(nonce), messages.length)
  const units = scenario.units.map((unit) => {
    const stepwise = unit.asked.length === scenario.messages.length
    const asked = unit.asked.map((ask): Ask => ('nonce' in ask ? { nonce: least(ask.nonce) } : ask))
    return {
      ...unit,
      asked: stepwise ? messages.map((_, place) => ({ nonce: place + 1 })) : asked,
      checkpoints: unit.checkpoints.filter((place) => !stepwise || place < messages.length),
      ...(unit.start === undefined ? {} : { start: { ...unit.start, nonce: least(unit.start.nonce) } })
    }
  })
  const range = {
    ...(scenario.to === undefined ? {} : { to: least(scenario.to) }),
    ...(scenario.from === undefined ? {} : { from: Math.min(scenario.from, messages.length) })
  }
  return { ...scenario, messages, units, ...range }
}
