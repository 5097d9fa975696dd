/** `ao-audit audit`. */
import { readFile } from 'node:fs/promises'
import { audit } from '../src/audit/audit.ts'
import type { AuditOptions, AuditStart } from '../src/audit/audit-options.ts'
import type { StateHashChoice } from '../src/audit/state-hashes.ts'
import { AuditError } from '../src/model/errors.ts'
import { namedProfile } from '../src/replay/profile.ts'
import { parseProfile } from '../src/replay/profile-file.ts'
import { directoryOf } from '../src/store/default-store.ts'
import { assertApart } from '../src/store/places.ts'
import { defined } from '../src/util/defined.ts'
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
  readonly start?: AuditStart
  readonly trust?: readonly TrustRole[]
  readonly minCoverage?: number
  readonly maxExplanations?: number
  readonly jobs?: number
  readonly snapshots?: boolean
  readonly stateHash?: StateHashChoice
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
      ...defined({
        process: id,
        archive: flags.archive,
        profile,
        search: flags.search,
        checkpointOwners: flags.checkpointOwner,
        sandboxLimits: flags.messageTime === undefined ? undefined : { messageMs: flags.messageTime },
        start: flags.start,
        trustedRoles: flags.trust,
        snapshots: flags.snapshots,
        minCoverage: flags.minCoverage,
        maxExplanations: flags.maxExplanations,
        jobs: flags.jobs,
        stateHashes: flags.stateHash
      }),
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

/** `auto`, a named profile, or one from a file. */
async function readProfile(text: string): Promise<NonNullable<AuditOptions['profile']>> {
  if (text === 'auto') return text
  if (!isFile(text)) return namedProfile(text)
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
