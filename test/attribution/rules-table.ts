/** The rules of accusation as the page that explains them. */
import { RULES } from '../../src/attribution/rules.ts'

/** `docs/accusation-rules.md`. */
export function rulesPage(): string {
  const rules = RULES.map(({ name, says, rationale }, place) => [`${place + 1}`, `\`${name}\``, says, rationale])
  return [
    '# When ao-audit accuses a unit',
    '',
    'A claim that differs from re-execution is a `mismatch` only if every rule below holds over the evidence for it. If one does not, the',
    'evaluation is `inconclusive`, and the first rule that does not hold gives the reason. A report of a mismatch cites them all',
    '(`claimants[].rules`).',
    '',
    'This page is generated from `src/attribution/rules.ts`. A test fails if they differ; `AO_AUDIT_WRITE_DOCS=1 npx vitest run test/attribution`',
    'rewrites it.',
    '',
    ...table([['', 'rule', 'what must hold', 'why'], ...rules]),
    ''
  ].join('\n')
}

/** A table with columns of one width, as the formatter wants it. */
function table(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map((text) => text.replaceAll('|', '\\|')))
  const widths = (cells[0] ?? []).map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...rest] = cells
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rest.map(line)]
}
