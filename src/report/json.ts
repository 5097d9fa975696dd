/** The report as JSON, with its keys in the order of the schema: the same report always gives the same text. */

import { escapeJsonText } from '../util/escape.ts'
import { boundEvaluation } from './bounds.ts'
import type { Report, ReportedEvaluation } from './model.ts'

/** The keys of all parts of the schema, each before those that follow it in any part; other keys come after, by code unit. */
const KEY_ORDER = [
  ...['schema', 'date', 'digest', 'inputsDigest'],
  ...['id', 'kind', 'audited', 'address', 'verdict', 'reasons', 'remarks', 'trusted', 'unreachable', 'unit', 'url'],
  ...['processId', 'process', 'owner', 'scheduler', 'module', 'sha256', 'format', 'range', 'from', 'to', 'start', 'checkpoint'],
  ...['coverage', 'scheduled', 'cron', 'evaluated', 'compared', 'skipped', 'unclaimed', 'unverified', 'notChecked'],
  ...['rules', 'tolerances', 'bits', 'first', 'claimants', 'evaluations', 'evaluationsCut', 'firstDivergence'],
  ...['code', 'severity', 'attribution', 'key', 'ordinate', 'timestamp', 'nonce', 'through', 'message'],
  ...[
    'checkpoints',
    'signer',
    'claimedSha256',
    'dataSha256',
    'computedSha256',
    'status',
    'claimant',
    'findings',
    'findingsCut'
  ],
  ...[
    'profile',
    'name',
    'environment',
    'clock',
    'step',
    'instances',
    ...['blocks', 'unknown', 'known'],
    'timeZone',
    'version',
    'node',
    'loader',
    'source',
    'proven',
    'tried',
    'instancesTried'
  ],
  ...['count', 'reason', 'detail', 'hint', 'differences', 'differencesCut', 'path', 'claimed', 'computed', 'cut'],
  ...['stateHashes', 'tool'],
  ...[
    'timings',
    'fetchMs',
    'verifyMs',
    'replayMs',
    'moduleMs',
    'compareMs',
    'messagesPerSecond',
    'resumedAfter',
    'jobs',
    'partsAhead'
  ]
]
const RANK = new Map(KEY_ORDER.map((key, rank) => [key, rank]))

/**
 * The report as a file: JSON, indented by two spaces, keys in a fixed order, a line feed at the end. Safe to print: characters
 * that a terminal could obey are written as `\uXXXX`.
 */
export function reportJson(report: Report): string {
  return `${escapeJsonText(JSON.stringify(ordered(report), null, 2))}\n`
}

/**
 * One line of `--evaluations`: one evaluation compared with one claimant, including plain matches, as compact JSON with a line
 * feed at the end. It is bounded and escaped like the evaluations of a report.
 */
export function evaluationsLine(evaluation: ReportedEvaluation): string {
  return `${escapeJsonText(JSON.stringify(ordered(boundEvaluation(evaluation))))}\n`
}

/** A copy with its keys in order. It has no prototype, so that `__proto__` is an ordinary key. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = Object.create(null)
  for (const [key, member] of Object.entries(value).sort(([left], [right]) => compareKeys(left, right)))
    copy[key] = ordered(member)
  return copy
}

function compareKeys(left: string, right: string): number {
  const byRank = (RANK.get(left) ?? RANK.size) - (RANK.get(right) ?? RANK.size)
  return byRank !== 0 ? byRank : left < right ? -1 : 1
}
