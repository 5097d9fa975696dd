/** Replays and judges, and again as often as fairness asks for. */
import { searchBlocks } from './block-search.ts'
import { isWithheld } from './block-watch.ts'
import type { Judgement } from './compare/types.ts'
import type { Finding } from './findings.ts'
import { differs, searchInstances } from './instance-search.ts'
import type { Material } from './material.ts'
import { beginPass, type Found, pass } from './passes.ts'
import { type ChosenProfile, type ProfileChoice, settleProfile, speaksForUnits } from './profile-choice.ts'
import { NAMED_PROFILES } from './replay/profile.ts'

/**
 * Replays and judges; where something differs, again: each unit by its own claims alone, for two honest units may have begun
 * their instances at different places; then under the other profiles. Nobody is blamed over a profile that does not fit.
 */
export async function passUntilFair(all: Material, choice: ProfileChoice): Promise<Found> {
  const { options } = all
  const units = options.run.computes.map(({ url }) => url)
  const { guess, misfit, how, found } = await firstPass(all, choice, units)
  const guessed = found ?? (await pass(all, guess, units, how))
  const chosen = guess.guessed === true ? await settleProfile(all, guess, guessed.firstClaims) : guess
  const fits = chosen.profile.name === guess.profile.name
  const first = fits ? under(chosen, guessed) : await pass(all, chosen, units, how)
  if (misfit !== undefined) return { ...first, findings: [...first.findings, misfit] }
  if (!options.search || !(differs(first) || isOpen(all, first) || isUnsettled(first))) return first
  // What an earlier audit came to followed other claims.
  const whole = first.resumedAfter === null ? first : await pass(all, chosen, units)
  const single = await passEach(all, chosen, whole)
  // A memory that was begun with has its environment in it: no other profile can fit.
  if (!differs(single))
    return isOpen(all, single) ? { ...(await searchInstances(all, single.chosen, single)), chosen: single.chosen } : single
  if (chosen.proven || all.start !== undefined) return searchEach(all, chosen, single)
  const tried = [...chosen.tried]
  for (const profile of NAMED_PROFILES.filter(({ name }) => !tried.includes(name))) {
    tried.push(profile.name)
    const other = { profile, source: 'every claim', tried, proven: false }
    const second = await pass(all, other, units)
    if (differs(second)) continue
    if (options.profile === 'auto') return second
    const detail = `the profile ${chosen.profile.name} does not fit what is claimed, ${profile.name} does`
    const finding: Finding = { code: 'PROFILE_DOES_NOT_FIT', severity: 'warning', attribution: 'auditor', detail }
    const last = await pass(all, { ...chosen, tried }, units, { closed: detail })
    return { ...last, findings: [...last.findings, finding] }
  }
  return searchEach(all, { ...chosen, tried }, single)
}

/**
 * The replay begins before it is known what a checkpoint shows, and nothing is judged until then.
 *
 * @returns with nothing found where the profile is another one
 */
async function firstPass(all: Material, { first, known }: ProfileChoice, units: readonly string[]) {
  const { search, snapshots } = all.options
  const begun = await beginPass(all, first, units, { snapshots })
  try {
    const { chosen: guess, misfit } = await known
    const how = { closed: misfit?.detail ?? (search ? undefined : NOT_SEARCHED), snapshots }
    return { guess, misfit, how, found: guess.profile === first ? await begun.judge(guess, how.closed) : undefined }
  } finally {
    await begun.end()
  }
}

/** A pass under a profile of which more is known now. The blocks that were found stay. */
function under(chosen: ChosenProfile, found: Found): Found {
  return { ...found, chosen: { ...chosen, profile: found.chosen.profile } }
}

/** A difference that another instance or profile might explain is nobody's fault. */
const NOT_SEARCHED = 'no other instance or profile was tried (--no-search)'

/**
 * Every unit that differs, or whose crons the replay did not follow, judged over a replay that follows its claims alone, with the
 * blocks that explain most of them.
 */
async function passEach(all: Material, chosen: ChosenProfile, joint: Found): Promise<Found> {
  if (joint.judged.judgements.length === 1) return searchBlocks(all, chosen, joint)
  const judgements: Judgement[] = []
  for (const judgement of joint.judged.judgements) {
    const fits = joint.blocks.units.get(judgement.claimant)?.fits ?? true
    const alone = judgement.verdict === 'mismatch' || !fits ? await pass(all, chosen, [judgement.claimant]) : undefined
    const found = alone === undefined ? undefined : await searchBlocks(all, chosen, alone)
    judgements.push(found?.judged.judgements[0] ?? judgement)
  }
  return { ...joint, judged: { ...joint.judged, judgements } }
}

/** The blocks that were found stay. */
function withBlocks(chosen: ChosenProfile, { chosen: { profile } }: Found): ChosenProfile {
  return profile.blocks === undefined ? chosen : { ...chosen, profile: { ...chosen.profile, blocks: profile.blocks } }
}

/** Whether blocks that a unit may have known were not found, or what it claims differs and they may be why. */
function isUnsettled({ blocks, judged }: Found): boolean {
  const misfits = [...blocks.units.values()].some(({ fits }) => !fits)
  return (
    misfits || (blocks.firstCron !== undefined && judged.judgements.some(({ evaluations }) => evaluations.some(isWithheld)))
  )
}

/** Whether the one unit's own checkpoint was not come to, and instances may be why. */
function isOpen({ options }: Material, { judged, compared }: Found): boolean {
  const isOwn = speaksForUnits(options)
  return judged.judgements.length === 1 && compared.open.some(({ signer }) => isOwn(signer))
}

/** For every unit that differs: other instances before the difference. */
async function searchEach(all: Material, chosen: ChosenProfile, found: Found): Promise<Found> {
  if (found.judged.judgements.length === 1) {
    const searched = await searchInstances(all, withBlocks(chosen, found), found)
    const last = searched.instances === found.instances ? searched : await searchBlocks(all, chosen, searched)
    return { ...last, chosen: withBlocks(chosen, last) }
  }
  const judgements: Judgement[] = []
  const findings = [...found.findings]
  let { instancesTried } = found
  for (const judgement of found.judged.judgements) {
    if (judgement.verdict !== 'mismatch') {
      judgements.push(judgement)
      continue
    }
    const alone = await searchInstances(all, chosen, await pass(all, chosen, [judgement.claimant]))
    judgements.push(...alone.judged.judgements)
    findings.push(...alone.findings.filter(({ code }) => code === 'SEARCH_BOUND_REACHED'))
    instancesTried += alone.instancesTried
  }
  return { ...found, chosen, findings, instancesTried, judged: { ...found.judged, judgements } }
}
