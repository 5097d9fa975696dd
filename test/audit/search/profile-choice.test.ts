/** The profile under which a replay begins, and the one that a memory shows later. */
import { describe, expect, it } from 'vitest'
import { chooseProfile } from '../../../src/audit/search/profile-choice.ts'
import { type ExecutionProfile, LEGACYNET, LOADER_0_0_49 } from '../../../src/replay/profile.ts'
import type { FoundCheckpoint } from '../../../src/verify/checkpoint.ts'

const UNIT = 'the unit'
const OTHER = { ...LEGACYNET, name: 'checkpoint a', environment: [...LEGACYNET.environment.slice(0, -1), '_=/elsewhere'] }

type Choice = Parameters<typeof chooseProfile>[0]

const checkpoint = (more: Partial<FoundCheckpoint> = {}) => ({ id: 'a', signer: UNIT, standing: 'signed', ...more }) as const

function choose(
  profile: ExecutionProfile | 'auto',
  found: readonly object[],
  checked: () => Promise<object>,
  more: Partial<Choice> = {}
) {
  const options = { profile, run: { computes: [{ url: 'https://cu.example', address: UNIT }] }, checkpointOwners: [] }
  return chooseProfile({ options, subject: {}, checkpoints: { found, checked }, ...more } as unknown as Choice)
}

const shows = (environment: readonly string[]) => async () =>
  checkpoint({ standing: 'verified', environments: [environment].filter(({ length }) => length > 0) } as object)

describe('the profile of a replay', () => {
  it('is the most likely one until a checkpoint is unpacked', async () => {
    let unpack = () => {}
    const unpacked = new Promise<void>((resolve) => {
      unpack = resolve
    })
    const { first, known } = choose('auto', [checkpoint()], () => unpacked.then(shows([])))
    expect(first).toBe(LEGACYNET)
    unpack()
    const source = 'the environment in checkpoint a'
    expect(await known).toEqual({ profile: LOADER_0_0_49, source, misfits: new Map() })
  })

  it('stays the same if the checkpoint shows it', async () => {
    const { first, known } = choose('auto', [checkpoint()], shows(LEGACYNET.environment))
    expect((await known).profile).toBe(first)
  })

  it('is the default if no checkpoint of the unit is verified', async () => {
    const unverified = async () => checkpoint({ standing: 'unverified' })
    const expected = { profile: LEGACYNET, source: 'the default', misfits: new Map() }
    for (const found of [[], [checkpoint({ signer: 'a stranger' })], [checkpoint({ onTrust: true })]]) {
      const { first, known } = choose('auto', found, shows([]))
      expect([first, await known]).toEqual([LEGACYNET, expected])
    }
    expect(await choose('auto', [checkpoint()], unverified).known).toEqual(expected)
  })

  it('is at once that of the memory that the replay begins with', async () => {
    const start = { id: 's', signer: 'a stranger', environments: [OTHER.environment] }
    const { first, known } = choose('auto', [checkpoint()], shows([]), { start } as unknown as Partial<Choice>)
    expect(first).toEqual({ ...OTHER, name: 'checkpoint s' })
    expect(await known).toEqual({ profile: first, source: 'the environment in checkpoint s', misfits: new Map() })
  })

  it('is not taken from text in a memory that no unit has as its environment', async () => {
    const invented = [...LEGACYNET.environment.slice(0, -1), 'LUCK=good', '_=/srv/index.js']
    const found = async () => checkpoint({ standing: 'verified', environments: [invented, LEGACYNET.environment] } as object)
    expect((await choose('auto', [checkpoint()], found).known).profile).toBe(LEGACYNET)
  })

  it('is the given one, with a misfit if a checkpoint shows another', async () => {
    const chosen = { profile: LEGACYNET, source: 'as given', misfits: new Map() }
    expect(await choose(LEGACYNET, [checkpoint()], shows(LEGACYNET.environment)).known).toEqual(chosen)
    const { first, known } = choose(LEGACYNET, [checkpoint()], shows([]))
    expect(first).toBe(LEGACYNET)
    expect(await known).toEqual({
      ...chosen,
      misfits: new Map([
        [
          'https://cu.example',
          'the profile legacynet does not fit, loader-0.0.49 does: the environment in checkpoint a shows it'
        ]
      ])
    })
    expect(await choose(LEGACYNET, [], shows([])).known).toEqual(chosen)
  })
})
