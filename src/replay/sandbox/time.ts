/**
 * The child's `Date`, taken over before the loader is loaded.
 *
 * The loader's glue puts a counter in the place of `Date.now` with each instance, and reads it in its file system and its terminal
 * device, too. What it puts there is not kept: whoever reads the time reads the one counter of the instance that runs, so that all
 * readings move it as they do in a CU, and it can be set back with the memory.
 */

/** What the time is to an instance. */
export interface TimeKeeper {
  /** The glue has put its counter in place. */
  beginCounting(): void
  /** A reading of `Date.now`. */
  now(): number
  /** `new Date()`, ms. */
  today(): number
  /** `new Date(ms)` */
  saw(ms: number): void
}

/**
 * Takes `Date` over.
 *
 * @param keeper the instance whose code, or the loader's for it, runs; where none does `Date` is as it was
 */
export function takeOverDate(keeper: () => TimeKeeper | undefined): void {
  const realNow = Date.now
  // `process.hrtime` and `performance.now` become this one, too, in the two oldest formats.
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
