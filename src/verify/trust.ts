/** Inputs that prove themselves nowhere, and whose word the user takes for them (`--trust`). */

export const TRUST_ROLES = ['scheduler', 'gateway'] as const
export type TrustRole = (typeof TRUST_ROLES)[number]

/** An input that is not proven. */
export interface UnprovenInput {
  /** The input, as it is called in a sentence. */
  readonly what: string
  /** Why it is not proven. */
  readonly reason: string
  /** Whose word would do for it. Empty: nobody's would, for nobody served it, or what proves itself speaks against it. */
  readonly servedBy: readonly TrustRole[]
}

/** What was let through on trust. */
export interface Trust {
  /**
   * Whether the input counts as its server showed it. One that does is remembered; asked again, it counts once.
   *
   * @param from the first nonce whose results rest on it; where not given, none do
   */
  takes(input: UnprovenInput, from?: number): boolean
  /** Of each trusted role the first input that results at this ordinate rest on, in words; undefined where there is none. */
  under(ordinate: number): string | undefined
  /** How many inputs were let through, by trusted role. */
  counts(): ReadonlyMap<TrustRole, number>
}

interface Taken {
  readonly inputs: Set<string>
  first: { readonly from: number; readonly what: string }
}

/**
 * @param roles those whose word is taken
 * @param asked those who were asked: nobody else's word is there to be taken
 */
export function createTrust(roles: readonly TrustRole[] = [], asked: readonly TrustRole[] = TRUST_ROLES): Trust {
  const taken = new Map<TrustRole, Taken>(
    roles.map((role) => [role, { inputs: new Set(), first: { from: Number.POSITIVE_INFINITY, what: '' } }])
  )
  return {
    takes({ what, servedBy }, from = Number.POSITIVE_INFINITY) {
      const [by] = servedBy.flatMap((role) => (asked.includes(role) ? (taken.get(role) ?? []) : []))
      if (by === undefined) return false
      by.inputs.add(what)
      if (from < by.first.from) by.first = { from, what }
      return true
    },
    under(ordinate) {
      const words = [...taken].flatMap(([role, { first }]) =>
        first.from <= ordinate ? [`${first.what} as the ${role} served it`] : []
      )
      return words.length === 0 ? undefined : words.join(', ')
    },
    counts: () => new Map([...taken].map(([role, { inputs }]) => [role, inputs.size]))
  }
}
