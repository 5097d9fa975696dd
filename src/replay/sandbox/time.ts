/**
 * Replaces the child's `Date` before the loader is loaded.
 *
 * The loader's glue replaces `Date.now` by a counter with each instance, and reads it in its file system and its terminal device,
 * too. The child ignores that counter: every reading of the time reads the one counter of the running instance. All readings
 * therefore move it as they do in a CU, and it can be reset together with the memory.
 */

/** The time as an instance sees it. */
export interface TimeKeeper {
  /** The glue has installed its counter. */
  beginCounting(): void
  /** A reading of `Date.now`. */
  now(): number
  /** `new Date()`, ms. */
  today(): number
  /** `new Date(ms)` */
  saw(ms: number): void
}

/**
 * Replaces `Date`.
 *
 * @param keeper returns the instance whose code runs, or for which the loader's code runs; if there is none, `Date` behaves as
 *   before
 */
export function takeOverDate(keeper: () => TimeKeeper | undefined): void {
  const realNow = Date.now
  // In the two oldest formats the glue also maps `process.hrtime` and `performance.now` to this function.
  const now = () => keeper()?.now() ?? realNow()
  globalThis.Date = new Proxy(Date, {
    get: (date, key) => (key === 'now' ? now : Reflect.get(date, key)),
    set(date, key, value) {
      if (key !== 'now') return Reflect.set(date, key, value)
      keeper()?.beginCounting()
      return true
    },
    construct(date, args, target) {
      const own = keeper()
      if (own !== undefined && args.length === 0) return Reflect.construct(date, [own.today()], target)
      if (args.length === 1 && typeof args[0] === 'number') own?.saw(args[0])
      return Reflect.construct(date, args, target)
    }
  })
}
