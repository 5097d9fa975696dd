import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { rulesPage } from './rules-table.ts'

const PAGE = 'docs/accusation-rules.md'

it('docs/accusation-rules.md is generated from the current rules of accusation', () => {
  if (process.env['AO_AUDIT_WRITE_DOCS'] === '1') writeFileSync(PAGE, rulesPage())
  expect(readFileSync(PAGE, 'utf8')).toBe(rulesPage())
})
