/** Under which profile a replay begins, and what a memory shows of it meanwhile. */
import { describe, expect, it } from 'vitest'
import { chooseProfile } from '../../src/profile-choice.ts'
import { type ExecutionProfile, LEGACYNET, LOADER_0_0_49 } from '../../src/replay/profile.ts'
import type { FoundCheckpoint } from '../../src/verification/checkpoint.ts'

const UNIT = 'the unit'
const OTHER = { ...LEGACYNET, name: 'checkpoint a', environment: ['_=/elsewhere'] }

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

const shows = (environment: readonly string[]) => async () => checkpoint({ standing: 'verified', environment } as object)

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
    expect(await known).toEqual({ chosen: { profile: LOADER_0_0_49, source, tried: ['loader-0.0.49'], proven: true } })
  })

  it('stays the same one where the checkpoint shows it', async () => {
    const { first, known } = choose('auto', [checkpoint()], shows(LEGACYNET.environment))
    expect((await known).chosen.profile).toBe(first)
  })

  it('is a guess where no checkpoint of the unit proves itself', async () => {
    const unverified = async () => checkpoint({ standing: 'unverified' })
    for (const found of [[], [checkpoint({ signer: 'a stranger' })], [checkpoint({ onTrust: true })]]) {
      const { first, known } = choose('auto', found, shows([]))
      expect([first, (await known).chosen]).toMatchObject([LEGACYNET, { profile: LEGACYNET, proven: false, guessed: true }])
    }
    expect((await choose('auto', [checkpoint()], unverified).known).chosen).toMatchObject({ guessed: true })
  })

  it('is that of the memory begun with, at once', async () => {
    const start = { id: 's', signer: 'a stranger', environment: OTHER.environment }
    const { first, known } = choose('auto', [checkpoint()], shows([]), { start } as unknown as Partial<Choice>)
    const { chosen } = await known
    expect(first).toEqual({ ...OTHER, name: 'checkpoint s' })
    expect(chosen.profile).toBe(first)
    expect(chosen).toMatchObject({ source: 'the environment in checkpoint s', proven: false })
  })

  it('is the one given, and said not to fit where a checkpoint shows another', async () => {
    const fitting = await choose(LEGACYNET, [checkpoint()], shows(LEGACYNET.environment)).known
    const chosen = { profile: LEGACYNET, source: 'as given', tried: ['legacynet'], proven: true }
    expect(fitting).toEqual({ chosen })
    const { first, known } = choose(LEGACYNET, [checkpoint()], shows([]))
    expect(first).toBe(LEGACYNET)
    expect(await known).toEqual({
      chosen: { ...chosen, proven: false },
      misfit: {
        code: 'PROFILE_DOES_NOT_FIT',
        severity: 'warning',
        attribution: 'auditor',
        detail: 'the profile legacynet does not fit, loader-0.0.49 does: the environment in checkpoint a shows it'
      }
    })
    const unshown = await choose(LEGACYNET, [], shows([])).known
    expect(unshown).toEqual({ chosen: { ...chosen, proven: false } })
  })
})
