/** Random choices from a seed, so that a run can be repeated. */

export interface Chance {
  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number
  /** True with this probability. */
  maybe(probability: number): boolean
  one<T>(of: readonly [T, ...T[]]): T
  many<T>(count: number, make: () => T): T[]
}

/** Mulberry32: its 32 bits of state suffice here. */
export function chance(seed: number): Chance {
  // Puts the states of consecutive seeds far apart.
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    whole,
    maybe: (probability) => next() < probability,
    one: (of) => of[whole(0, of.length - 1)] ?? of[0],
    many: (count, make) => Array.from({ length: count }, make)
  }
}
