/** `--evaluations`: one JSON line for each evaluation and unit. */
import type { JudgingOptions } from '../src/audit/judge-pass.ts'
import { evaluationsLine } from '../src/report/json.ts'
import { type OpenOutput, openOutput } from '../src/store/output-file.ts'
import { defined } from '../src/util/defined.ts'
import type { Output } from './output.ts'
import type { Shell } from './shell.ts'

export interface EvaluationLines {
  /** Resolves when it can take more lines, so that the judge waits for a slow disk or reader. */
  readonly write: NonNullable<JudgingOptions['onEvaluation']>
  /** Another replay begins, so all lines before are invalid. */
  restart(): void
  /** Writes the remaining lines, or an empty file if there are none. */
  end(): Promise<void>
  close(): Promise<void>
}

/** The limit for lines that wait for a slow disk or reader. */
const BACKLOG_MAX_CHARS = 256 * 1024
/** Tells a reader that all lines before are invalid, if they cannot be removed. */
const AGAIN = `${JSON.stringify({ again: true })}\n`

/**
 * An existing file stays unchanged until there is something to write.
 *
 * @throws AuditError `OUTPUT_UNUSABLE`, like all its methods; `INTERRUPTED`
 */
export function linesTo(output: Output, shell: Shell): EvaluationLines {
  let opened: OpenOutput | undefined
  let backlog = ''
  let written = false
  let stale = false
  let flushing: Promise<void> | undefined

  async function flush(): Promise<void> {
    opened ??= output === 'stdout' ? openStdout(shell) : await openOutput(output, shell.signal)
    while (stale || backlog !== '') {
      const again = stale
      const lines = backlog
      stale = false
      backlog = ''
      const kept = again && !(await opened.empty())
      await opened.write(kept ? AGAIN + lines : lines)
    }
    flushing = undefined
  }

  /** Keeps a failure for the next caller that waits. */
  function begin(): Promise<void> {
    flushing ??= flush()
    flushing.catch(() => {})
    return flushing
  }

  return {
    async write({ key, nonce, through, messageId, outcome }, stands) {
      const profile = outcome.kind === 'result' && outcome.profile !== undefined ? { profile: outcome.profile } : {}
      const named = defined({ nonce, through, message: messageId })
      for (const { claimant, status } of stands) backlog += evaluationsLine({ key, ...named, status, claimant, ...profile })
      written = true
      const flushed = begin()
      if (backlog.length > BACKLOG_MAX_CHARS) await flushed
    },
    restart() {
      stale ||= written
      written = false
      backlog = ''
    },
    end: begin,
    async close() {
      await flushing?.catch(() => {})
      await opened?.close()
    }
  }
}

/** Printed lines cannot be removed. */
function openStdout({ print }: Shell): OpenOutput {
  return { write: print, empty: async () => false, close: async () => {} }
}
