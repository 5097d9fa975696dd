/** Unproven inputs, and the roles whose word the user accepts for them (`--trust`). */

export const TRUST_ROLES = ['scheduler', 'gateway'] as const
export type TrustRole = (typeof TRUST_ROLES)[number]

/** An input that is not proven. */
export interface UnprovenInput {
  /** The name of the input within a sentence. */
  readonly what: string
  /** Why it is not proven. */
  readonly reason: string
  /** The roles whose word could replace a proof. Empty if nobody served it, or if proven data contradicts it. */
  readonly servedBy: readonly TrustRole[]
}

/** The inputs that were accepted on trust. */
export interface Trust {
  /**
   * Whether the input is accepted on its server's word. An accepted input is remembered and counted once.
   *
   * @param from the first nonce whose results depend on it; if absent, none do
   */
  takes(input: UnprovenInput, from?: number): boolean
  /** For each trusted role, the first input on which results at this ordinate depend, in words; undefined if there is none. */
  under(ordinate: number): string | undefined
  /** How many inputs were accepted, by trusted role. */
  counts(): ReadonlyMap<TrustRole, number>
}

interface Taken {
  readonly inputs: Set<string>
  first: { readonly from: number; readonly what: string }
}

/**
 * @param roles the roles whose word the user accepts
 * @param asked the roles that were asked: only they gave their word
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
