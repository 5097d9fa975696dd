/**
 * Honest units with random hidden settings: nobody may be accused, and settings that an audit can find must end in `match`.
 *
 * AO_AUDIT_HONEST_RUNS sets their number, AO_AUDIT_SEED the first seed: run N of seed S is the first run of seed S + N. A failure
 * prints the scenario, reduced with a few more runs.
 */
import { afterAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../src/model/findings.ts'
import type { Report } from '../../src/report/model.ts'
import { closeUnits } from './cu.ts'
import { runScenario } from './run.ts'
import { featuresOf, randomScenario, type Scenario, unexplained } from './scenario.ts'
import { shrunk } from './shrink.ts'

const RUNS = Number(process.env['AO_AUDIT_HONEST_RUNS'] ?? 25)
const SEED = Number(process.env['AO_AUDIT_SEED'] ?? Date.now() % 1_000_000_000)
/** Number of scenarios that are reduced, of each kind of failure. */
const SHRINK_MAX = Number(process.env['AO_AUDIT_HONEST_SHRINK'] ?? 2)

/** The share of runs that may end inconclusive though they should be a match. */
const UNDECIDED_SHARE = 0.1

interface Failure {
  readonly kind: 'accused' | 'not a match' | 'no report'
  readonly scenario: Scenario
  readonly said: string
}

/** The failure of a scenario's audit; undefined if there is none. */
async function failureOf(scenario: Scenario, note: (report: Report) => void = () => {}): Promise<Failure | undefined> {
  try {
    const { report, answers } = await runScenario(scenario)
    note(report)
    const accusing = accusations(report)
    const told =
      process.env['AO_AUDIT_HONEST_TOLD'] === undefined ? '' : `\n${answers.map((one) => one.told.join('\n')).join('\n--\n')}`
    if (accusing.length > 0) return { kind: 'accused', scenario, said: `${accusing.join('\n')}${told}` }
    if (report.verdict === 'match' || unexplained(scenario).length > 0) return undefined
    return { kind: 'not a match', scenario, said: `${report.verdict}: ${report.reasons.join('; ')}${told}` }
  } catch (error) {
    return { kind: 'no report', scenario, said: String(error instanceof Error ? error.stack : error) }
  }
}

/** Every accusation in a report, of an honest unit or of the honest signer of a checkpoint. */
function accusations({ verdict, findings, claimants, checkpoints, firstDivergence }: Report): string[] {
  const blames = ({ severity, attribution }: Finding) =>
    severity === 'error' && (attribution === 'compute-unit' || attribution === 'checkpoint-signer')
  return [
    ...(verdict === 'mismatch'
      ? [
          `verdict mismatch, first at ${JSON.stringify(firstDivergence?.key)}: ${JSON.stringify(firstDivergence?.differences).slice(0, 300)}`
        ]
      : []),
    ...claimants.filter((one) => one.verdict === 'mismatch').map(({ kind, id }) => `${kind} ${id}: mismatch`),
    ...checkpoints.filter(({ status }) => status === 'mismatch').map(({ nonce }) => `checkpoint at ${nonce}: mismatch`),
    ...findings.filter(blames).map(({ code, nonce, detail }) => `${code} at ${nonce ?? '–'}: ${detail}`)
  ]
}

/** Runs the scenarios, two at a time. */
async function runAll(scenarios: readonly Scenario[], tally: Map<string, number>): Promise<Failure[]> {
  const failures: Failure[] = []
  let next = 0
  const count = (what: string) => tally.set(what, (tally.get(what) ?? 0) + 1)
  const worker = async () => {
    for (let at = next++; at < scenarios.length; at = next++) {
      const scenario = scenarios[at]
      if (scenario === undefined) return
      const why = unexplained(scenario)
      const failure = await failureOf(scenario, ({ verdict }) =>
        count(
          `${verdict}${why.length === 0 ? ', expected to match' : verdict === 'match' ? `, though ${why[0]}` : `, as ${why[0]}`}`
        )
      )
      if (failure === undefined) continue
      count(`FAILED: ${failure.kind}`)
      failures.push(failure)
    }
  }
  await Promise.all([worker(), worker()])
  return failures
}

async function smaller({ kind, scenario, said }: Failure): Promise<string> {
  let last = said
  const least = await shrunk(scenario, async (candidate) => {
    const failure = await failureOf(candidate)
    if (failure?.kind !== kind) return false
    last = failure.said
    return true
  })
  return `${kind} (${featuresOf(least).join(', ')}): ${JSON.stringify(least)}\n  ${last.replaceAll('\n', '\n  ')}`
}

describe('honest units', { timeout: 3_600_000 }, () => {
  afterAll(closeUnits)

  it(`are never accused, whatever hidden settings they have: ${RUNS} runs, AO_AUDIT_SEED=${SEED}`, async () => {
    console.log(`AO_AUDIT_SEED=${SEED} AO_AUDIT_HONEST_RUNS=${RUNS}`)
    const tally = new Map<string, number>()
    const scenarios = Array.from({ length: RUNS }, (_, place) => randomScenario(SEED + place))
    const failures = await runAll(scenarios, tally)
    const told = [...tally]
      .map(([what, count]) => `${String(count).padStart(5)} ${what}`)
      .sort((a, b) => a.slice(6).localeCompare(b.slice(6)))
    console.log(told.join('\n'))
    const shown: string[] = []
    for (const kind of ['accused', 'not a match', 'no report'] as const)
      for (const failure of failures.filter((one) => one.kind === kind).slice(0, SHRINK_MAX)) shown.push(await smaller(failure))
    // An undecided run lacks a verdict but accuses nobody, so a few are tolerated.
    const undecided = failures.filter(({ kind }) => kind === 'not a match')
    const failing = undecided.length > RUNS * UNDECIDED_SHARE ? failures : failures.filter((one) => !undecided.includes(one))
    expect(
      failing.map(
        ({ kind, scenario, said }) =>
          `${kind}: AO_AUDIT_SEED=${scenario.seed} (${featuresOf(scenario).join(', ')}) ${said.split('\n')[0]}`
      ),
      shown.join('\n')
    ).toEqual([])
  })

  // Repeats a scenario that a failure printed as JSON.
  it.runIf(process.env['AO_AUDIT_SCENARIO'] !== undefined)('are not accused in the scenario of AO_AUDIT_SCENARIO', async () => {
    const scenario = JSON.parse(process.env['AO_AUDIT_SCENARIO'] ?? '') as Scenario
    expect((await failureOf(scenario, ({ verdict, reasons }) => console.log(verdict, reasons)))?.said).toBeUndefined()
  })
})
