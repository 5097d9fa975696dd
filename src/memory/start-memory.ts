/** A memory from which a replay starts: its gzip file and its unpacked size. */
export interface StartMemory {
  readonly path: string
  readonly bytes: number
  /** The time of the module's clock, ms; absent: the clock's start. */
  readonly clock?: number
}
