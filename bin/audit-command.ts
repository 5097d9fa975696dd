/** `ao-audit audit`. */
import { readFile } from 'node:fs/promises'
import { audit } from '../src/audit/audit.ts'
import { AuditError } from '../src/model/errors.ts'
import type { ExecutionProfile } from '../src/replay/profile.ts'
import { parseProfile } from '../src/replay/profile-file.ts'
import { directoryOf } from '../src/store/default-store.ts'
import { assertApart } from '../src/store/places.ts'
import type { TrustRole } from '../src/verify/trust.ts'
import { checkCombinations } from './combinations.ts'
import { linesTo } from './evaluation-lines.ts'
import { exitCodeOfVerdict } from './exit.ts'
import { nextStep } from './next-step.ts'
import { findOutputs, writeReport } from './output.ts'
import type { Shell } from './shell.ts'
import { type SourceFlags, sourceOptions, watch } from './sources.ts'
import { isFile } from './values.ts'

export interface AuditFlags extends SourceFlags {
  readonly archive?: string
  readonly profile?: string
  readonly search?: boolean
  readonly checkpointOwner?: readonly string[]
  /** ms */
  readonly messageTime?: number
  readonly start?: string
  readonly trust?: readonly TrustRole[]
  readonly minCoverage?: number
  readonly maxExplanations?: number
  readonly jobs?: number
  readonly snapshots?: boolean
  readonly stateHash?: string
  readonly json?: string | true
  readonly markdown?: string
  readonly evaluations?: string
}

/** Audits and writes the report. The exit code is that of the verdict once everything is written. */
export async function runAudit(id: string | undefined, flags: AuditFlags, shell: Shell): Promise<void> {
  checkCombinations(flags)
  const outputs = await findOutputs(flags)
  const profile = flags.profile === undefined ? undefined : await readProfile(flags.profile)
  await assertApart(
    Object.values(outputs).filter((output) => output !== 'stdout'),
    [
      ...(flags.archive === undefined ? [] : [{ what: 'archive', file: flags.archive }]),
      ...(typeof flags.config !== 'string' ? [] : [{ what: 'config', file: flags.config }]),
      ...(flags.profile === undefined || !isFile(flags.profile) ? [] : [{ what: 'profile', file: flags.profile }])
    ],
    directoryOf(flags.store)
  )
  const lines = outputs.evaluations === undefined ? undefined : linesTo(outputs.evaluations, shell)
  const watched = watch(flags, shell)
  try {
    const report = await audit({
      ...sourceOptions(flags, watched, shell.signal),
      ...(id === undefined ? {} : { process: id }),
      ...(flags.archive === undefined ? {} : { archive: flags.archive }),
      ...(profile === undefined ? {} : { profile }),
      ...(flags.search === undefined ? {} : { search: flags.search }),
      ...(flags.checkpointOwner === undefined ? {} : { checkpointOwners: flags.checkpointOwner }),
      ...(flags.messageTime === undefined ? {} : { sandboxLimits: { messageMs: flags.messageTime } }),
      ...(flags.start === undefined ? {} : { start: flags.start }),
      ...(flags.trust === undefined ? {} : { trust: flags.trust }),
      ...(flags.snapshots === undefined ? {} : { snapshots: flags.snapshots }),
      ...(flags.minCoverage === undefined ? {} : { minCoverage: flags.minCoverage }),
      ...(flags.maxExplanations === undefined ? {} : { maxExplanations: flags.maxExplanations }),
      ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
      ...(flags.stateHash === undefined ? {} : { stateHash: flags.stateHash }),
      onReplayed: watched.onReplayed,
      onEvaluation: (evaluation, stands) => lines?.write(evaluation, stands),
      onPass: () => lines?.restart()
    })
    watched.end()
    await lines?.end()
    await writeReport(report, outputs, shell, nextStep(report, flags, shell.invocation))
    shell.exitCode = exitCodeOfVerdict(report.verdict)
  } finally {
    watched.end()
    await lines?.close()
  }
}

const WHY: Readonly<Record<string, string>> = { ENOENT: 'does not exist', EISDIR: 'is a folder', EACCES: 'may not be read' }

/** Line and column, if this version of Node does not say them itself. */
function placeIn(content: string, message: string): string {
  const at = /at position (\d+)$/.exec(message)?.[1]
  if (at === undefined) return ''
  const lines = content.slice(0, Number(at)).split('\n')
  return ` (line ${lines.length} column ${(lines.at(-1)?.length ?? 0) + 1})`
}

/** A name, or the file of a profile of one's own. */
async function readProfile(text: string): Promise<string | ExecutionProfile> {
  if (!isFile(text)) return text
  const content = await readFile(text, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new AuditError('USAGE', `the profile ${text} ${WHY[cause.code ?? ''] ?? 'cannot be read'}`, { cause })
  })
  try {
    return parseProfile(JSON.parse(content))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new AuditError('USAGE', `the profile ${text} is not valid JSON: ${cause.message}${placeIn(content, cause.message)}`, {
      cause
    })
  }
}
