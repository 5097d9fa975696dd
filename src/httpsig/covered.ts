/** What a signature covers has a type of its own, so that no other value of a message is taken for signed. */

declare const proof: unique symbol

/** Its member is private, so that a copy with changed fields is no longer sealed. */
declare class CoverSeal {
  private readonly [proof]: 'covered'
}

/** Every value was read from bytes that a valid signature covers. Only verification makes one (`covered-seal.ts`). */
export type Covered<T> = T & CoverSeal
