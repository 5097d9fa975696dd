/** Findings in bounded memory: an outside party may cause any number of them. */

import type { Finding } from '../model/findings.ts'
import { defined } from './defined.ts'

/** Findings with the same code, severity and attribution that are kept one by one. */
const MAX_FINDINGS = 100

export interface Findings {
  add(finding: Finding): void
  /** All kept findings. Each code, severity and attribution that exceeds the maximum adds one finding that counts the rest. */
  all(): readonly Finding[]
}

export function createFindings(maxFindings = MAX_FINDINGS): Findings {
  const found: Finding[] = []
  const counts = new Map<string, { readonly example: Finding; count: number }>()
  return {
    add(finding) {
      const kind = `${finding.code}/${finding.severity}/${finding.attribution}`
      const counted = counts.get(kind) ?? { example: finding, count: 0 }
      counts.set(kind, counted)
      counted.count++
      if (counted.count <= maxFindings) found.push(finding)
    },
    all: () => [...found, ...[...counts.values()].filter(({ count }) => count > maxFindings).map(theRest)]
  }

  function theRest({ example, count }: { readonly example: Finding; readonly count: number }): Finding {
    const { code, severity, attribution, claimant } = example
    const rest = count - maxFindings
    const detail = `and ${rest} more like the ${maxFindings} that are listed`
    return { code, severity, attribution, ...defined({ claimant }), count: rest, detail }
  }
}
