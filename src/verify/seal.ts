/** The seals. Only `src/verify/` may import this, so every `Signed` was verified there. */
import type { Signed, Unproven } from './signed.ts'
import type { UnprovenInput } from './trust.ts'

/** @param value built only from signed bytes */
export function sealSigned<T extends object>(value: T): Signed<T> {
  return value as Signed<T>
}

/** @param why it is not proven, and whose word could replace a proof */
export function sealUnproven<T extends object>(value: T, why: UnprovenInput): Unproven<T> {
  return { ...value, unproven: why } as unknown as Unproven<T>
}
