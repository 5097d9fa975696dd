/** What was signed, as a type of its own: nothing else reaches a plan or a replay without saying so. */
import type { UnprovenInput } from './trust.ts'

declare const proof: unique symbol

/** Its member is private, so that what is copied with other fields in it is no longer sealed. */
declare class Seal<Kind extends string> {
  private readonly [proof]: Kind
}

/** Every field of it was read off bytes that a signature covers. Only verification makes one (`seal.ts`). */
export type Signed<T> = T & Seal<'signed'>

/** As it was shown. Nobody may be blamed over it, unless the user takes the word of who served it. */
export type Unproven<T> = T & Seal<'unproven'> & { readonly unproven: UnprovenInput }

/** What went through verification: it says itself whether it is proven. */
export type Checked<T> = Signed<T> | Unproven<T>

/** Why these are not proven: what closes the gate (`checks.ts`). */
export function unprovenInputsOf(...checked: readonly Checked<object>[]): readonly UnprovenInput[] {
  return checked.flatMap((one) => ('unproven' in one ? [one.unproven] : []))
}
