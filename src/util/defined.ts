/** Passes on options that may be absent. */

/** The same fields; those that may be undefined may be absent instead. */
export type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/**
 * Leaves out the fields that are undefined, for types in which an absent field is not an undefined one.
 *
 * @example
 * ```ts
 * defined({ nonce: 7, cron: undefined }) // { nonce: 7 }
 * ```
 */
export function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>
}
