/** The messages between the main thread and the program's thread. */

/** To the main thread. */
export type FromProgram =
  | { readonly op: 'write'; readonly id: number; readonly to: OutputName; readonly content: string | Uint8Array }
  /** The last message: everything is written. */
  | { readonly op: 'end'; readonly code: number }

/** To the program. */
export type ToProgram =
  /** `error` is the system's code, such as `ENOSPC`. */
  { readonly op: 'written'; readonly id: number; readonly error?: string } | { readonly op: 'interrupt' }

export type OutputName = 'stdout' | 'stderr'

/** An output, and whether it is a terminal. */
export interface Terminal {
  readonly isTTY: boolean
  readonly columns?: number
}

export type Terminals = Readonly<Record<OutputName, Terminal>>

/** The data with which the program starts. */
export interface Beginning extends Terminals {
  /** `process.argv[1]` of the main thread. */
  readonly script: string
}
