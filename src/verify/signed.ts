/** Signed values have a type of their own, so that no unproven value reaches a plan or a replay unmarked. */
import type { UnprovenInput } from './trust.ts'

declare const proof: unique symbol

/** Its member is private, so that a copy with changed fields is no longer sealed. */
declare class Seal<Kind extends string> {
  private readonly [proof]: Kind
}

/** Every field was read from bytes that a signature covers. Only verification creates one (`seal.ts`). */
export type Signed<T> = T & Seal<'signed'>

/** A value as it was served. Nobody may be blamed because of it, unless the user trusts its server. */
export type Unproven<T> = T & Seal<'unproven'> & { readonly unproven: UnprovenInput }

/** A value that went through verification: its type shows whether it is proven. */
export type Checked<T> = Signed<T> | Unproven<T>

/** Why these are not proven, for the gate against accusations (`schedule-evidence.ts`). */
export function unprovenInputsOf(...checked: readonly Checked<object>[]): readonly UnprovenInput[] {
  return checked.flatMap((one) => ('unproven' in one ? [one.unproven] : []))
}
