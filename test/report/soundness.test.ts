import { expect, it } from 'vitest'
import { LEAVES_OPEN } from '../../src/model/findings.ts'
import { buildReport } from '../../src/report/build.ts'
import { assertSound } from '../../src/report/soundness.ts'
import { COVERAGE, claimant, finding, parts } from './fixtures.ts'

it('accepts a match if all claims were read', () => {
  expect(assertSound(buildReport(parts())).verdict).toBe('match')
})

it.each([...LEAVES_OPEN])('rejects a match beside the finding %s', (code) => {
  const report = buildReport(parts({ findings: [finding({ code, severity: 'warning' })] }))
  expect(() => assertSound(report)).toThrow(`a match beside ${code}`)
  expect(() => assertSound({ ...report, verdict: 'inconclusive' })).not.toThrow()
})

it('rejects a match if an answer was not read', () => {
  const report = buildReport(parts({ claimants: [claimant({ coverage: { ...COVERAGE, unread: 1 } })] }))
  expect(() => assertSound(report)).toThrow('an answer that was not read')
})
