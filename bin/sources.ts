/** The options for units, and the line that shows the progress. */
import type { AuditOptions, SourceOptions } from '../src/audit/audit-options.ts'
import { createProgress, type ProgressState } from '../src/audit/progress.ts'
import { defined } from '../src/util/defined.ts'
import { escapeForTerminal } from '../src/util/escape.ts'
import type { Shell } from './shell.ts'

export interface SourceFlags {
  /** The names of the options that were given on the command line itself. */
  readonly given: ReadonlySet<string>
  readonly scheduler?: string
  readonly schedule?: NonNullable<SourceOptions['schedule']>
  readonly compute?: readonly string[]
  readonly gateway?: readonly string[]
  readonly graphql?: readonly string[]
  readonly from?: number
  readonly to?: number
  /** ms */
  readonly patience?: number
  readonly allowPrivate?: boolean
  readonly store?: string
  readonly config?: string | false
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** The progress of a running command. */
export interface Watch {
  readonly onPull: NonNullable<SourceOptions['onPull']>
  readonly onReplayed: NonNullable<AuditOptions['onReplayed']>
  readonly onRequest: (url: string) => void
  end(): void
}

const URL_CHARS = 300
/** The time between two lines without a terminal. */
const BEAT_MS = 10_000

/** A live line on a terminal, otherwise a line every ten seconds; nothing with `--quiet`, every request with `--verbose`. */
export function watch({ quiet = false, verbose = false }: SourceFlags, shell: Shell): Watch {
  if (quiet) return { onPull() {}, onReplayed() {}, onRequest() {}, end() {} }
  const { columns, isTTY } = shell.stderr
  const stream = { write: shell.tell, ...defined({ columns }) }
  const progress = createProgress({ stream, isTTY, now: () => performance.now(), date: () => new Date() })
  const beat = setInterval(progress.beat, BEAT_MS).unref()
  let state: ProgressState = {}
  const update = (more: ProgressState) => {
    state = { ...state, ...more }
    progress.update(state)
  }
  return {
    onPull: ({ answers, total }) => update({ answers: { came: answers, total } }),
    onReplayed: (replay) => update({ replay }),
    onRequest(url) {
      if (verbose) shell.tell(`${escapeForTerminal(url, URL_CHARS)}\n`)
    },
    end() {
      clearInterval(beat)
      progress.end()
    }
  }
}

/** The library's options for these flags. */
export function sourceOptions(flags: SourceFlags, watched: Watch, signal: AbortSignal): SourceOptions {
  const { scheduler, schedule, compute, gateway, graphql, from, to, patience, allowPrivate, store } = flags
  return {
    ...defined({
      scheduler,
      schedule,
      computes: compute,
      gateways: gateway,
      graphqls: graphql,
      from,
      to,
      fetchLimits: patience === undefined ? undefined : { patienceMs: patience },
      allowPrivate,
      store
    }),
    onPull: watched.onPull,
    onRequest: watched.onRequest,
    signal
  }
}
