/** Findings about each source of the schedule (protocol §1.3, §1.7). */

import { ARWEAVE } from '../../fetch/arweave-schedule/schedule.ts'
import type { ScheduleAnomaly } from '../../fetch/schedule-pages.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import { type Run, sourcesOf } from '../../inputs/run-record.ts'
import type { Finding } from '../../model/findings.ts'
import { createFindings } from '../../util/bounded-findings.ts'

/** Findings about all sources of a run up to its last nonce, a limited number of each kind; and later nonces that are not served. */
export async function readScheduleFindings(inputs: Inputs, run: Run): Promise<Finding[]> {
  const findings = createFindings()
  for (const source of sourcesOf(run)) {
    for await (const anomaly of inputs.schedule.anomalies(run, source, { to: run.to })) {
      if (source === ARWEAVE) for (const finding of ofArweave(anomaly, run)) findings.add(finding)
      else findings.add(ofScheduler(anomaly, await filledBy(inputs, run, anomaly)))
    }
  }
  return run.unserved === undefined ? [...findings.all()] : [...findings.all(), unserved(run.unserved)]
}

function ofScheduler({ kind, nonce, through = nonce }: ScheduleAnomaly, filled: string): Finding {
  const common = { attribution: 'scheduler', nonce } as const
  switch (kind) {
    case 'gap': {
      const detail = `the scheduler did not serve ${noncesOf(nonce, through)}${filled}`
      return { code: 'NONCE_GAP', severity: 'error', ...common, detail }
    }
    case 'twice':
      return {
        code: 'NONCE_TWICE',
        severity: 'warning',
        ...common,
        detail: 'the scheduler served this nonce more than once'
      }
    case 'outOfOrder': {
      const detail = 'the scheduler served this nonce after a higher one'
      return { code: 'SCHEDULE_OUT_OF_ORDER', severity: 'warning', ...common, detail }
    }
  }
}

/**
 * An assignment that is not on Arweave may be new, or unknown to this gateway: nobody's fault, but it was compared with nothing. The
 * check of signatures finds two assignments of one nonce.
 */
function ofArweave({ kind, nonce, through = nonce }: ScheduleAnomaly, { schedule, to }: Run): Finding[] {
  if (kind !== 'gap') return []
  const which = noncesOf(nonce, Math.min(through, to))
  return [
    schedule === 'both'
      ? gap(
          'warning',
          'gateway',
          nonce,
          `no gateway has an assignment of ${which}, so the scheduler's was compared with nothing`
        )
      : gap('error', 'gateway', nonce, `no gateway has an assignment of ${which} that the scheduler signed`)
  ]
}

function unserved({ from, to }: NonNullable<Run['unserved']>): Finding {
  const detail = `the scheduler does not serve ${noncesOf(from, to)}, although it signed assignments that Arweave has; they are not judged`
  return gap('error', 'scheduler', from, detail)
}

function gap(severity: Finding['severity'], attribution: Finding['attribution'], nonce: number, detail: string): Finding {
  return { code: 'NONCE_GAP', severity, attribution, nonce, detail }
}

/** The finding has its nonce in a field, so the text does not repeat it. */
function noncesOf(from: number, to: number): string {
  return to > from ? `this nonce and all up to nonce ${to}` : 'this nonce'
}

/** How many nonces of a scheduler's gap Arweave has. */
async function filledBy(inputs: Inputs, run: Run, { kind, nonce, through = nonce }: ScheduleAnomaly): Promise<string> {
  if (kind !== 'gap' || run.schedule !== 'both') return ''
  let count = 0
  for await (const { unserved } of inputs.schedule.messages(run, nonce, through)) if (unserved === true) count++
  const whole = count === through - nonce + 1
  return count === 0 ? '; Arweave does not have it either' : `; ${whole ? '' : `${count} of them `}taken from Arweave`
}
