/** `ao-audit audit`. */
import { createWriteStream, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { audit } from '../src/audit.ts'
import { AuditError } from '../src/errors.ts'
import type { JudgingOptions } from '../src/judging.ts'
import { type ExecutionProfile, parseProfile } from '../src/replay/profile.ts'
import { evaluationsLine } from '../src/report/json.ts'
import { exitCodeOfVerdict } from './exit.ts'
import { writeReport } from './output.ts'
import { type SourceFlags, sourceOptions, watch } from './sources.ts'

export interface AuditFlags extends SourceFlags {
  readonly archive?: string
  readonly profile?: string
  readonly search?: boolean
  readonly checkpointOwner?: readonly string[]
  readonly stateHash?: string
  readonly json?: string | true
  readonly markdown?: string
  readonly evaluations?: string
}

/** Audits and writes the report; the exit code is the verdict's. */
export async function runAudit(process_: string | undefined, flags: AuditFlags, signal: AbortSignal): Promise<void> {
  const watched = watch(flags)
  const lines = flags.evaluations === undefined ? undefined : await openLines(flags.evaluations)
  const onEvaluation: JudgingOptions['onEvaluation'] = (evaluation, stands) => {
    watched.replayed()
    const { key, nonce, messageId, outcome } = evaluation
    for (const { claimant, status } of lines === undefined ? [] : stands) {
      const profile = outcome.kind === 'result' && outcome.profile !== undefined ? { profile: outcome.profile } : {}
      const named = { ...(nonce === undefined ? {} : { nonce }), ...(messageId === undefined ? {} : { message: messageId }) }
      lines?.write(evaluationsLine({ key, ...named, status, claimant, ...profile }))
    }
  }
  try {
    const report = await audit({
      ...sourceOptions(flags, watched, signal),
      ...(process_ === undefined ? {} : { process: process_ }),
      ...(flags.archive === undefined ? {} : { archive: flags.archive }),
      ...(flags.profile === undefined ? {} : { profile: await readProfile(flags.profile) }),
      ...(flags.search === undefined ? {} : { search: flags.search }),
      ...(flags.checkpointOwner === undefined ? {} : { checkpointOwners: flags.checkpointOwner }),
      ...(flags.stateHash === undefined ? {} : { stateHash: flags.stateHash }),
      onEvaluation
    })
    watched.end()
    await writeReport(report, flags)
    process.exitCode = exitCodeOfVerdict(report.verdict)
  } finally {
    watched.end()
    lines?.end()
  }
}

/** A name, or the file of a profile of one's own: a path has a separator or ends in `.json`. */
async function readProfile(text: string): Promise<string | ExecutionProfile> {
  if (!/[\\/]|\.json$/.test(text)) return text
  try {
    return parseProfile(JSON.parse(await readFile(text, 'utf8')))
  } catch (error) {
    if (error instanceof AuditError) throw error
    throw new AuditError('USAGE', `the profile ${text} cannot be read as JSON`, { cause: error })
  }
}

async function openLines(file: string): Promise<WriteStream> {
  const stream = createWriteStream(file)
  try {
    await once(stream, 'open')
  } catch (error) {
    throw new AuditError('USAGE', `the file ${file} cannot be written`, { cause: error })
  }
  return stream
}
