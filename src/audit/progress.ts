/** Shows the progress of an audit: a live line on a terminal, otherwise plain lines. */
import type { ReplayProgress } from './run-options.ts'

interface ProgressStream {
  write(text: string): unknown
  /** Columns now; 80 where unknown. */
  readonly columns?: number
}

interface ProgressOptions {
  readonly stream: ProgressStream
  readonly isTTY: boolean
  /** A steady clock, ms. */
  readonly now: () => number
  /** The time of day, for plain lines. */
  readonly date: () => Date
}

export interface ProgressState {
  /** How many answers of Compute Units have arrived; absent for an archive. */
  readonly answers?: { readonly came: number; readonly total: number }
  /** Absent before the first evaluation. */
  readonly replay?: ReplayProgress
}

export interface Progress {
  /** Sets the state. Cheap: the live line is rewritten at most ten times a second. */
  update(state: ProgressState): void
  /** Writes a plain line, unless there is a live one. */
  beat(): void
  /** Removes the live line and stops. */
  end(): void
}

const MIN_INTERVAL_MS = 100
const DEFAULT_COLUMNS = 80
const CLEAR_LINE = '\r\u001b[2K'

/**
 * Makes the progress of one audit.
 *
 * @example
 * ```ts
 * const { stderr } = process
 * const progress = createProgress({ stream: stderr, isTTY: stderr.isTTY, now: () => performance.now(), date: () => new Date() })
 * progress.update({ answers: { came: 402, total: 402 }, replay: { nonce: 137, to: 401, runs: 138 } })
 * progress.end()
 * ```
 */
export function createProgress({ stream, isTTY, now, date }: ProgressOptions): Progress {
  let state: ProgressState = {}
  let isLive = false
  let ended = false
  let writtenAt = Number.NEGATIVE_INFINITY
  /** The state when the module first ran a message: the rate does not include stored results nor the wait for inputs. */
  let begun: { readonly at: number; readonly replay: ReplayProgress } | undefined

  const line = () => lineOf(state, begun === undefined ? undefined : speedOf(begun.replay, state.replay, now() - begun.at))

  return {
    update(next) {
      if (ended) return
      const { replay } = next
      const isAnother = (replay?.runs ?? 0) < (state.replay?.runs ?? 0)
      if (begun === undefined || isAnother) begun = replay !== undefined && replay.runs > 0 ? { at: now(), replay } : undefined
      state = next
      if (!isTTY || now() - writtenAt < MIN_INTERVAL_MS) return
      writtenAt = now()
      isLive = true
      // The last column stays free: a full line would wrap and could not be rewritten.
      stream.write(`${CLEAR_LINE}${line().slice(0, Math.max(1, stream.columns ?? DEFAULT_COLUMNS) - 1)}`)
    },
    beat() {
      if (!ended && !isTTY) stream.write(`${date().toISOString().slice(0, 19)}Z  ${line()}\n`)
    },
    end() {
      if (!ended && isLive) stream.write(CLEAR_LINE)
      ended = true
    }
  }
}

interface Speed {
  readonly perSecond: number
  readonly leftSeconds: number
}

function speedOf(begin: ReplayProgress, at: ReplayProgress | undefined, elapsedMs: number): Speed | undefined {
  if (at === undefined || at.runs <= begin.runs || at.nonce <= begin.nonce || elapsedMs <= 0) return undefined
  const perSecond = ((at.runs - begin.runs) * 1000) / elapsedMs
  const noncesPerSecond = ((at.nonce - begin.nonce) * 1000) / elapsedMs
  return { perSecond, leftSeconds: (at.to - at.nonce) / noncesPerSecond }
}

function lineOf({ answers, replay }: ProgressState, speed: Speed | undefined): string {
  const parts = [
    ...(replay === undefined ? ['fetch'] : ['replay', `nonce ${replay.nonce} of ${replay.to}`]),
    ...(speed === undefined ? [] : [`${rateText(speed.perSecond)} messages/s`, `${durationText(speed.leftSeconds)} left`]),
    ...(answers === undefined ? [] : [`fetched ${answers.came}/${answers.total}`])
  ]
  return parts.join('  ')
}

function rateText(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond))
}

/** `42s`, `1m 05s`, `2h 03m`. */
function durationText(durationSeconds: number): string {
  const whole = Math.max(0, Math.ceil(durationSeconds))
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`
  return `${Math.floor(whole / 3600)}h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}m`
}
