/** The options that say whom to ask, and the line that says how far it is. */
import type { SourceOptions } from '../src/audit/audit-options.ts'
import { createProgress } from '../src/audit/progress.ts'
import { escapeForTerminal } from '../src/util/escape.ts'
import type { Shell } from './shell.ts'

export interface SourceFlags {
  readonly scheduler?: string
  readonly schedule?: NonNullable<SourceOptions['schedule']>
  readonly compute?: readonly string[]
  readonly gateway?: readonly string[]
  readonly from?: number
  readonly to?: number
  /** ms */
  readonly patience?: number
  readonly allowPrivate?: boolean
  readonly store?: string
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** What is told while it runs. */
export interface Watch {
  readonly onPull: NonNullable<SourceOptions['onPull']>
  readonly onRequest: (url: string) => void
  replayed(): void
  /** A further replay begins. */
  restart(): void
  end(): void
}

const URL_CHARS = 300

/** A live line on a terminal; every request with `--verbose`. */
export function watch({ quiet = false, verbose = false }: SourceFlags, shell: Shell): Watch {
  const isTTY = shell.stderr.isTTY && !quiet
  const { columns } = shell.stderr
  const stream = { write: shell.tell, ...(columns === undefined ? {} : { columns }) }
  const progress = createProgress({ stream, isTTY, now: () => performance.now() })
  let fetched = 0
  let total: number | undefined
  let replayed = 0
  return {
    onPull(pulled) {
      fetched = pulled.answers
      total = pulled.total
      progress.update({ phase: replayed > 0 ? 'replay' : 'fetch', fetched, total, replayed })
    },
    onRequest(url) {
      if (verbose && !quiet) shell.tell(`${escapeForTerminal(url, URL_CHARS)}\n`)
    },
    replayed() {
      replayed++
      progress.update({ phase: 'replay', fetched, total, replayed })
    },
    restart() {
      replayed = 0
    },
    end: () => progress.end()
  }
}

/** The library's options of these flags. */
export function sourceOptions(flags: SourceFlags, watched: Watch, signal: AbortSignal): SourceOptions {
  const { scheduler, schedule, compute, gateway, from, to, patience, allowPrivate, store } = flags
  return {
    ...(scheduler === undefined ? {} : { scheduler }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(compute === undefined ? {} : { compute }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(patience === undefined ? {} : { fetchLimits: { patienceMs: patience } }),
    ...(allowPrivate === undefined ? {} : { allowPrivate }),
    ...(store === undefined ? {} : { store }),
    onPull: watched.onPull,
    onRequest: watched.onRequest,
    signal
  }
}
