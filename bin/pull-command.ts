/** `ao-audit pull`. */
import { pullArchive } from '../src/audit/pull-archive.ts'
import { AuditError } from '../src/model/errors.ts'
import { INCONCLUSIVE, MATCH } from './codes.ts'
import { checkCombinations } from './combinations.ts'
import { STDOUT } from './output.ts'
import type { Shell } from './shell.ts'
import { type SourceFlags, sourceOptions, watch } from './sources.ts'

export interface PullFlags extends SourceFlags {
  readonly output: string
}

/** Fetches the inputs, writes the archive, and reports its contents and the requested nonces that it lacks. */
export async function runPull(id: string, flags: PullFlags, shell: Shell): Promise<void> {
  checkCombinations(flags)
  const watched = watch(flags, shell)
  try {
    const output = flags.output === STDOUT ? toStdout(shell) : flags.output
    const run = await pullArchive({ ...sourceOptions(flags, watched, shell.signal), process: id }, output)
    watched.end()
    const name = flags.output === STDOUT ? 'stdout' : flags.output
    if (flags.quiet !== true) shell.tell(`${name}: nonces ${run.from} to ${run.to} of ${run.process}\n`)
    if (flags.to === undefined || flags.to <= run.to) shell.exitCode = MATCH
    else {
      const absent = `the archive ends at nonce ${run.to}, the newest one, although --to is ${flags.to}`
      shell.tell(`ao-audit: ${absent}\n`)
      shell.exitCode = INCONCLUSIVE
    }
  } finally {
    watched.end()
  }
}

function toStdout(shell: Shell): (archive: AsyncIterable<Uint8Array>) => Promise<void> {
  if (shell.stdout.isTTY) {
    throw new AuditError('USAGE', 'an archive cannot be printed to a terminal', { hint: 'redirect stdout to a file or a pipe' })
  }
  return async (archive) => {
    for await (const chunk of archive) await shell.print(chunk)
  }
}
