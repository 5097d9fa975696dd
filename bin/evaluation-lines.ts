/** `--evaluations`: one JSON line for each evaluation and unit. */
import { once } from 'node:events'
import { createWriteStream, truncateSync, type WriteStream } from 'node:fs'
import { AuditError } from '../src/errors.ts'
import type { JudgingOptions } from '../src/judging.ts'
import { evaluationsLine } from '../src/report/json.ts'

export interface EvaluationLines {
  readonly write: NonNullable<JudgingOptions['onEvaluation']>
  /** A further replay begins: what was written of the one before no longer holds. */
  restart(): void
  end(): void
}

/** @throws AuditError `USAGE` where the file cannot be written */
export async function openLines(file: string): Promise<EvaluationLines> {
  let stream = createWriteStream(file)
  let written = false
  try {
    await once(stream, 'open')
  } catch (error) {
    throw new AuditError('USAGE', `the file ${file} cannot be written`, { cause: error })
  }
  const reopened = (old: WriteStream): WriteStream => {
    old.destroy()
    truncateSync(file)
    return createWriteStream(file, { flags: 'a' })
  }
  return {
    write({ key, nonce, through, messageId, outcome }, stands) {
      written = true
      const profile = outcome.kind === 'result' && outcome.profile !== undefined ? { profile: outcome.profile } : {}
      const nonces = { ...(nonce === undefined ? {} : { nonce }), ...(through === undefined ? {} : { through }) }
      const named = { ...nonces, ...(messageId === undefined ? {} : { message: messageId }) }
      for (const { claimant, status } of stands) stream.write(evaluationsLine({ key, ...named, status, claimant, ...profile }))
    },
    restart() {
      if (written) stream = reopened(stream)
      written = false
    },
    end: () => void stream.end()
  }
}
