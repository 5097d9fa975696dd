/** A memory to begin with: a file of it as gzip, and how many bytes it is unpacked. */
export interface StartMemory {
  readonly path: string
  readonly bytes: number
  /** Where the module's clock stands, ms; where it begins, where not given. */
  readonly clock?: number
}
