/**
 * The rules of accusation: when this tool says that a unit is wrong, and when it does not.
 *
 * A difference between a claim and re-execution is a `mismatch` only where every rule holds over the evidence for it. Where one does
 * not, the evaluation is `inconclusive`, and the first rule that does not hold says why. Nothing else in the project decides that.
 */

/** Something that is true from an evaluation on: of all that comes behind it, too. */
export interface Since {
  /** The nonce from which on it is true; crons that follow a nonce have its number. */
  readonly ordinate: number
  readonly reason: string
}

/** What came of looking for an honest explanation of a unit's claims. */
export type SearchResult =
  /** Every candidate was tried, and the difference remains under each. */
  | { readonly kind: 'complete' }
  /** It was not done, was not finished, or found that it cannot tell. */
  | { readonly kind: 'open'; readonly reason: string }

/** All that is known about one difference of one claimant. Plain data: what is absent speaks against nobody. */
export interface Evidence {
  /** Where the difference is. */
  readonly ordinate: number
  /** The first input whose signature is not proven, and which nobody was asked to trust. */
  readonly unprovenInput?: Since
  /** The first input that was served otherwise than it was signed, in two ways, or not at all. */
  readonly tamperedInput?: Since
  /** What nobody could be asked for, and why: blocks, or checkpoints. */
  readonly shortfall?: string
  /** The first block whose time gateways tell differently. */
  readonly disputedBlock?: Since
  /** Crons were evaluated, and which blocks the unit knew is not settled. */
  readonly unsettledBlocks?: string
  /** The first answer of the host that the profile does not state: time zone, real time, randomness, files, unknown imports. */
  readonly unstatedInput?: Since
  /** The first file of WeaveDrive that the unit may have read otherwise. */
  readonly assumedFile?: Since
  /** Why the memory that the replay began with proves nothing against the unit. */
  readonly borrowedStart?: string
  /** Why the unit's own state may honestly be another by then. */
  readonly otherState?: string
  /** The first place at which its answers contradict each other though each can be explained by itself. */
  readonly severalVoices?: Since
  /** Why the profile does not reproduce what the unit claims elsewhere. */
  readonly misfit?: string
  readonly search: SearchResult
}

export interface Rule {
  /** Part of the report: once released, a name keeps its meaning. */
  readonly name: string
  /** What must be true. */
  readonly says: string
  /** Why nobody is accused without it. */
  readonly rationale: string
  /** @returns why it does not hold; undefined where it does */
  readonly broken: (evidence: Evidence) => string | undefined
}

/** In the order in which they are asked: the first that does not hold gives the reason. */
export const RULES: readonly Rule[] = [
  {
    name: 'inputs-are-signed',
    says: 'Process, module, and every message and assignment up to the difference bear a valid signature, or the user trusts who served them.',
    rationale:
      'A unit computes what it is given. Over an input that nobody signed, two honest units may have been given two things.',
    broken: ({ unprovenInput, ordinate }) => since(unprovenInput, ordinate)
  },
  {
    name: 'inputs-were-served-as-signed',
    says: 'The scheduler and the gateways served every input up to the difference as it was signed, once, and in one version.',
    rationale:
      'Where one was altered on its way to us, the unit may have been served the altered one, and computed honestly over it.',
    broken: ({ tamperedInput, ordinate }) => since(tamperedInput, ordinate)
  },
  {
    name: 'gateways-were-heard',
    says: 'Some gateway could be asked for the checkpoints, and for the blocks where crons fire.',
    rationale:
      'A checkpoint of the unit may explain the difference, and so may a block. What nobody was asked for may be there.',
    broken: ({ shortfall }) => shortfall
  },
  {
    name: 'blocks-are-undisputed',
    says: 'All gateways tell the same time of every block by which a cron fired.',
    rationale:
      'Blocks are unsigned here. A unit whose gateway told another time fired other crons, through no fault of its own.',
    broken: ({ disputedBlock, ordinate }) => since(disputedBlock, ordinate)
  },
  {
    name: 'known-blocks-are-settled',
    says: 'Where crons were evaluated, the blocks that the unit knew are settled by the crons that it lists.',
    rationale:
      'Which crons fire, and the block height that they are given, depend on the blocks that the unit had loaded by then.',
    broken: ({ unsettledBlocks }) => unsettledBlocks
  },
  {
    name: 'host-inputs-are-stated',
    says: 'The module has asked its host for nothing that the execution profile does not state.',
    rationale:
      'Time zone, real time, randomness, files and unknown imports are the host’s: two honest hosts answer differently.',
    broken: ({ unstatedInput, ordinate }) => since(unstatedInput, ordinate)
  },
  {
    name: 'files-are-proven',
    says: 'Every file that the module opened proves itself, and the process could read it for certain.',
    rationale:
      'Gateways answer WeaveDrive’s questions without a signature, and an attestation may have reached one later than another.',
    broken: ({ assumedFile, ordinate }) => since(assumedFile, ordinate)
  },
  {
    name: 'start-is-the-units-own',
    says: 'The replay began with the module’s own memory, or with one that this very unit signed.',
    rationale: 'A memory that somebody else signed may be false, and what follows from it says nothing about this unit.',
    broken: ({ borrowedStart }) => borrowedStart
  },
  {
    name: 'state-is-the-same',
    says: 'Nothing that the unit answered before shows that its state may honestly be another.',
    rationale:
      'A unit that evaluated a duplicate, or did not fire a cron, goes on from another state: later differences follow from that.',
    broken: ({ otherState }) => otherState
  },
  {
    name: 'one-voice',
    says: 'The unit’s /result and /results agree with each other, or one of them has no honest explanation even by itself.',
    rationale: 'One URL may be several machines. Each may be honest, with instances that began at different places.',
    broken: ({ severalVoices, ordinate }) => since(severalVoices, ordinate)
  },
  {
    name: 'profile-fits',
    says: 'The execution profile reproduces what the unit claims elsewhere, to the order of tags.',
    rationale:
      'The order of tags shows the unit’s environment. One that is not reproduced is not known, and may change results too.',
    broken: ({ misfit }) => misfit
  },
  {
    name: 'explanations-are-exhausted',
    says:
      'Every honest explanation was tried by the unit’s own claims: named profiles, the environments of its checkpoints, lengths of ' +
      'its program path, instance boundaries, known blocks, duplicates, time zones. The difference remains under each, also with all ' +
      'earlier claims set aside, and the result does not depend on the clock.',
    rationale:
      'An honest unit may have run under any of them, or have changed and kept its earlier answers; one URL may be several machines; and ' +
      'others on its thread may have read the clock. A difference that one of these explains is nobody’s fault.',
    broken: ({ search }) => (search.kind === 'open' ? search.reason : undefined)
  }
]

/** Whether somebody may be accused, and of what that rests. */
export type Accusal =
  /** All rules hold. */
  { readonly attributable: true } | { readonly attributable: false; readonly rule: string; readonly reason: string }

/**
 * Holds the evidence against every rule.
 *
 * @example
 * ```ts
 * accuse({ ordinate: 7, search: { kind: 'open', reason: 'it was not searched for explanations' } })
 * // { attributable: false, rule: 'explanations-are-exhausted', reason: 'it was not searched for explanations' }
 * ```
 */
export function accuse(evidence: Evidence): Accusal {
  for (const { name, broken } of RULES) {
    const reason = broken(evidence)
    if (reason !== undefined) return { attributable: false, rule: name, reason }
  }
  return { attributable: true }
}

/** The names of all rules: what a mismatch cites. */
export const RULE_NAMES: readonly string[] = RULES.map(({ name }) => name)

function since(fact: Since | undefined, ordinate: number): string | undefined {
  return fact !== undefined && fact.ordinate <= ordinate ? fact.reason : undefined
}
