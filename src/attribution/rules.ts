/**
 * The rules of accusation: they decide when this tool says that a unit is wrong.
 *
 * A difference between a claim and re-execution is a `mismatch` only if every rule holds over the evidence for it. If one does not,
 * the evaluation is `inconclusive`, and the first rule that does not hold gives the reason. Nothing else in the project decides that.
 */

/** A fact that holds from one evaluation on, for all later ones too. */
export interface Since {
  /** The first nonce for which it holds; crons that follow a nonce have its number. */
  readonly ordinate: number
  readonly reason: string
}

/** The result of the search for an honest explanation of a unit's claims. */
export type SearchResult =
  /** Every candidate was tried, and the difference remains under each. */
  | { readonly kind: 'complete' }
  /** The search did not run, did not finish, or could not decide. */
  | { readonly kind: 'open'; readonly reason: string }

/** The evidence about one difference of one claimant, as plain data: an absent field speaks against nobody. */
export interface Evidence {
  /** The place of the difference. */
  readonly ordinate: number
  /** The first input whose signature is not proven, and that the user does not trust. */
  readonly unprovenInput?: Since
  /** The first input that was served differently from how it was signed, in two versions, or not at all. */
  readonly tamperedInput?: Since
  /** Why no gateway could be asked for blocks or checkpoints. */
  readonly shortfall?: string
  /** The first block for which gateways name different times. */
  readonly disputedBlock?: Since
  /** Why the blocks that the unit knew are not settled, although crons were evaluated. */
  readonly unsettledBlocks?: string
  /** The first answer of the host that the profile does not state: time zone, real time, randomness, files, unknown imports. */
  readonly unstatedInput?: Since
  /** The first file of WeaveDrive that the unit may have read differently. */
  readonly assumedFile?: Since
  /** Why the memory that the replay began with proves nothing against the unit. */
  readonly borrowedStart?: string
  /** Why the unit's own state may honestly differ by then. */
  readonly otherState?: string
  /** The first place at which its answers contradict each other although each can be explained by itself. */
  readonly severalVoices?: Since
  /** Why the profile does not reproduce the unit's other claims. */
  readonly misfit?: string
  readonly search: SearchResult
}

export interface Rule {
  /** Part of the report: once released, a name keeps its meaning. */
  readonly name: string
  /** The condition that must hold. */
  readonly says: string
  /** Why nobody is accused without it. */
  readonly rationale: string
  /** @returns why it does not hold; undefined if it does */
  readonly broken: (evidence: Evidence) => string | undefined
}

/** In the order in which they are checked: the first that does not hold gives the reason. */
export const RULES: readonly Rule[] = [
  {
    name: 'inputs-are-signed',
    says: 'Process, module, and every message and assignment up to the difference bear a valid signature, or the user trusts the unit that served them.',
    rationale:
      'A unit can only compute over the inputs that it receives. If nobody signed an input, two honest units may have received two versions.',
    broken: ({ unprovenInput, ordinate }) => since(unprovenInput, ordinate)
  },
  {
    name: 'inputs-were-served-as-signed',
    says: 'The scheduler and the gateways served every input up to the difference as it was signed, once, and in one version only.',
    rationale:
      'If an input was altered on its way to us, the unit may have received the altered one, and computed honestly over it.',
    broken: ({ tamperedInput, ordinate }) => since(tamperedInput, ordinate)
  },
  {
    name: 'gateways-were-heard',
    says: 'At least one gateway could be asked for the checkpoints, and for the blocks if crons fire.',
    rationale: 'A checkpoint of the unit may explain the difference, and so may a block. Without an answer, either may exist.',
    broken: ({ shortfall }) => shortfall
  },
  {
    name: 'blocks-are-undisputed',
    says: 'All gateways name the same time for every block that made a cron fire.',
    rationale:
      'Blocks are unsigned here. A unit whose gateway named another time fired other crons, through no fault of its own.',
    broken: ({ disputedBlock, ordinate }) => since(disputedBlock, ordinate)
  },
  {
    name: 'known-blocks-are-settled',
    says: 'If crons were evaluated, the crons that the unit lists settle which blocks it knew.',
    rationale:
      'The crons that fire, and the block height that they receive, depend on the blocks that the unit had loaded by then.',
    broken: ({ unsettledBlocks }) => unsettledBlocks
  },
  {
    name: 'host-inputs-are-stated',
    says: 'The module asked its host for nothing that the execution profile does not state.',
    rationale:
      'Time zone, real time, randomness, files and unknown imports belong to the host: two honest hosts may answer differently.',
    broken: ({ unstatedInput, ordinate }) => since(unstatedInput, ordinate)
  },
  {
    name: 'files-are-proven',
    says: 'Every file that the module opened carries its own proof, and the process was certainly able to read it.',
    rationale:
      'Gateways answer WeaveDrive’s questions without a signature, and an attestation may have reached one gateway later than another.',
    broken: ({ assumedFile, ordinate }) => since(assumedFile, ordinate)
  },
  {
    name: 'start-is-the-units-own',
    says: 'The replay began with the module’s own memory, or with a memory that this very unit signed.',
    rationale: 'A memory that somebody else signed may be false, and then later results say nothing about this unit.',
    broken: ({ borrowedStart }) => borrowedStart
  },
  {
    name: 'state-is-the-same',
    says: 'No earlier answer of the unit shows that its state may honestly differ.',
    rationale:
      'A unit that evaluated a duplicate, or did not fire a cron, continues from another state, which causes later differences.',
    broken: ({ otherState }) => otherState
  },
  {
    name: 'one-voice',
    says: 'The unit’s /result and /results agree with each other, or one of them has no honest explanation even by itself.',
    rationale: 'Several machines may answer at one URL. Each may be honest, with instances that began at different places.',
    broken: ({ severalVoices, ordinate }) => since(severalVoices, ordinate)
  },
  {
    name: 'profile-fits',
    says: 'The execution profile reproduces the unit’s other claims, down to the order of tags.',
    rationale:
      'The order of tags shows the unit’s environment. If it is not reproduced, the environment is unknown and may change results too.',
    broken: ({ misfit }) => misfit
  },
  {
    name: 'explanations-are-exhausted',
    says:
      'Every honest explanation was tried against the unit’s own claims: named profiles, the environments of its checkpoints, lengths of ' +
      'its program path, instance boundaries, known blocks, duplicates, time zones. The difference remains under each, even if all ' +
      'earlier claims are ignored, and the result does not depend on the clock.',
    rationale:
      'An honest unit may have run under any of them, or changed and kept its earlier answers; several machines may answer at one URL; ' +
      'and other processes on its thread may have read the clock. If one of these explains a difference, it is nobody’s fault.',
    broken: ({ search }) => (search.kind === 'open' ? search.reason : undefined)
  }
]

/** Whether the claimant may be accused; if not, the rule that prevents it and the reason. */
export type Accusal =
  /** All rules hold. */
  { readonly attributable: true } | { readonly attributable: false; readonly rule: string; readonly reason: string }

/**
 * Checks the evidence against every rule.
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

/** The names of all rules, which a mismatch cites. */
export const RULE_NAMES: readonly string[] = RULES.map(({ name }) => name)

function since(fact: Since | undefined, ordinate: number): string | undefined {
  return fact !== undefined && fact.ordinate <= ordinate ? fact.reason : undefined
}
