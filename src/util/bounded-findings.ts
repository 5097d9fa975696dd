/** Findings in bounded memory: whoever causes them may cause any number. */

import type { Finding } from '../model/findings.ts'
import { defined } from './defined.ts'

/** Findings of one code, severity and attribution that are kept one by one. */
const MAX_FINDINGS = 100

export interface Findings {
  add(finding: Finding): void
  /** All, and for each code, severity and attribution with more than is kept one that counts the rest. */
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
