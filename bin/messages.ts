/** What the main thread and the program's thread tell each other. */

/** To the main thread. */
export type FromProgram =
  | { readonly op: 'write'; readonly id: number; readonly to: OutputName; readonly content: string | Uint8Array }
  /** The last word: all that was to be written is written. */
  | { readonly op: 'end'; readonly code: number }

/** To the program. */
export type ToProgram =
  /** `error` is the system's code, such as `ENOSPC`. */
  { readonly op: 'written'; readonly id: number; readonly error?: string } | { readonly op: 'interrupt' }

export type OutputName = 'stdout' | 'stderr'

/** A terminal, where there is one. */
export interface Terminal {
  readonly isTTY: boolean
  readonly columns?: number
}

export type Terminals = Readonly<Record<OutputName, Terminal>>

/** What the program is started with. */
export interface Beginning extends Terminals {
  /** `process.argv[1]` of the main thread. */
  readonly script: string
}
