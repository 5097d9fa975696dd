/** The seal of what is covered. Only `src/httpsig/` may import this, so every `Covered` was verified there. */
import type { Covered } from './covered.ts'

/** @param value built only from bytes that a valid signature covers */
export function sealCovered<T extends object>(value: T): Covered<T> {
  return value as Covered<T>
}
