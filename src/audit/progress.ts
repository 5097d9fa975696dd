/** The live line with the progress of an audit. It appears on a terminal only. */
import { escapeForTerminal } from '../util/escape.ts'

interface ProgressStream {
  write(text: string): unknown
  /** The present number of columns; 80 if unknown. */
  readonly columns?: number
}

interface ProgressOptions {
  readonly stream: ProgressStream
  readonly isTTY: boolean
  /** Any steady clock, ms. */
  readonly now: () => number
}

export interface ProgressState {
  readonly phase: 'fetch' | 'verify' | 'replay' | 'compare'
  /** Messages fetched. */
  readonly fetched: number
  /** Messages in range; undefined until it is known. */
  readonly total: number | undefined
  /** Messages replayed. */
  readonly replayed: number
}

export interface Progress {
  /** Shows the present state. Cheap: the line is rewritten at most ten times a second, and at each new phase. */
  update(state: ProgressState): void
  /** Writes a permanent line above the live one. The text is escaped, because it may come from outside. */
  note(text: string): void
  /** Removes the live line for good. */
  end(): void
}

const MIN_INTERVAL_MS = 100
const DEFAULT_COLUMNS = 80
const CLEAR_LINE = '\r\u001b[2K'
const NOTE_CHARS = 500

/**
 * Creates the progress line of one audit.
 *
 * @example
 * ```ts
 * const progress = createProgress({ stream: process.stderr, isTTY: process.stderr.isTTY, now: () => performance.now() })
 * progress.update({ phase: 'replay', fetched: 402, total: 402, replayed: 137 })
 * progress.end()
 * ```
 */
export function createProgress({ stream, isTTY, now }: ProgressOptions): Progress {
  if (!isTTY) return { update() {}, note() {}, end() {} }

  let live = ''
  let ended = false
  let writtenAt = 0
  let phase: ProgressState['phase'] | undefined
  /** The phase's count when it began: work done before an interruption says nothing about speed. */
  let start = { at: 0, done: 0 }

  return {
    update(state) {
      if (ended) return
      const at = now()
      if (state.phase !== phase) {
        phase = state.phase
        start = { at, done: doneOf(state) }
      } else if (at - writtenAt < MIN_INTERVAL_MS) {
        return
      }
      const perSecond = at > start.at ? ((doneOf(state) - start.done) * 1000) / (at - start.at) : 0
      // The last column stays free, because a full line would wrap and could not be rewritten.
      live = lineOf(state, perSecond).slice(0, Math.max(1, stream.columns ?? DEFAULT_COLUMNS) - 1)
      writtenAt = at
      stream.write(`${CLEAR_LINE}${live}`)
    },
    note(text) {
      if (!ended) stream.write(`${CLEAR_LINE}${escapeForTerminal(text, NOTE_CHARS)}\n${live}`)
    },
    end() {
      if (!ended && live !== '') stream.write(CLEAR_LINE)
      ended = true
    }
  }
}

function doneOf({ phase, fetched, replayed }: ProgressState): number {
  return phase === 'replay' ? replayed : fetched
}

function lineOf(state: ProgressState, perSecond: number): string {
  const total = state.total ?? '?'
  const counts = [`fetched ${state.fetched}/${total}`, `replayed ${state.replayed}/${total}`]
  if (perSecond <= 0 || state.phase === 'verify' || state.phase === 'compare') return [state.phase, ...counts].join('  ')
  const speed = `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)} messages/s`
  const left = state.total === undefined ? [] : [`${durationText((state.total - doneOf(state)) / perSecond)} left`]
  return [state.phase, ...counts, speed, ...left].join('  ')
}

/** `42s`, `1m 05s`, `2h 03m`. */
function durationText(durationSeconds: number): string {
  const whole = Math.max(0, Math.ceil(durationSeconds))
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`
  return `${Math.floor(whole / 3600)}h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}m`
}
