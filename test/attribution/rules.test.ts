import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accuse, type Evidence, RULE_NAMES, RULES } from '../../src/attribution/rules.ts'

const since = { ordinate: 3, reason: 'so it is' }
/** For each rule the evidence of an honest unit that only this rule protects from blame. */
const ALONE: Readonly<Record<string, Partial<Evidence>>> = {
  'inputs-are-signed': { unprovenInput: since },
  'inputs-were-served-as-signed': { tamperedInput: since },
  'gateways-were-heard': { shortfall: 'so it is' },
  'blocks-are-undisputed': { disputedBlock: since },
  'known-blocks-are-settled': { unsettledBlocks: 'so it is' },
  'host-inputs-are-stated': { unstatedInput: since },
  'files-are-proven': { assumedFile: since },
  'start-is-the-units-own': { borrowedStart: 'so it is' },
  'state-is-the-same': { otherState: 'so it is' },
  'one-voice': { severalVoices: since },
  'profile-fits': { misfit: 'so it is' },
  'explanations-are-exhausted': { search: { kind: 'open', reason: 'so it is' } }
}
const SOUND: Evidence = { ordinate: 5, search: { kind: 'complete' } }

describe('the rules of accusation', () => {
  it('call a difference a mismatch if all rules hold', () => {
    expect(accuse(SOUND)).toEqual({ attributable: true })
  })

  it.each(RULES.map(({ name }) => name))('protect an honest unit from blame by %s alone', (name) => {
    expect(accuse({ ...SOUND, ...ALONE[name] })).toEqual({ attributable: false, rule: name, reason: 'so it is' })
    const others = RULES.filter((rule) => rule.name !== name)
    expect(others.map(({ broken }) => broken({ ...SOUND, ...ALONE[name] }))).toEqual(others.map(() => undefined))
  })

  it('ignore facts that begin after the difference', () => {
    for (const [name, evidence] of Object.entries(ALONE)) {
      const [fact] = Object.values(evidence)
      if (typeof fact !== 'object' || !('ordinate' in fact)) continue
      expect([name, accuse({ ...SOUND, ...evidence, ordinate: 2 })]).toEqual([name, { attributable: true }])
    }
  })

  it('accuse nobody if a single rule does not hold', () => {
    const subsets = fc.subarray(RULE_NAMES as string[])
    fc.assert(
      fc.property(subsets, fc.nat(10), (names, ordinate) => {
        const evidence = Object.assign({ ...SOUND, ordinate }, ...names.map((name) => ALONE[name])) as Evidence
        const broken = RULES.filter((rule) => rule.broken(evidence) !== undefined)
        expect(accuse(evidence).attributable).toBe(broken.length === 0)
      })
    )
  })

  it('have unique names, and state a condition and a rationale', () => {
    expect(new Set(RULE_NAMES).size).toBe(RULES.length)
    expect(Object.keys(ALONE)).toEqual(RULE_NAMES)
    for (const { says, rationale } of RULES) expect([says.at(-1), rationale.at(-1)]).toEqual(['.', '.'])
  })
})
