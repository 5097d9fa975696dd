/** `ao-audit pull`. */
import { pullArchive } from '../src/audit/pull-archive.ts'
import { INCONCLUSIVE, MATCH } from './codes.ts'
import { checkCombinations } from './combinations.ts'
import type { Shell } from './shell.ts'
import { type SourceFlags, sourceOptions, watch } from './sources.ts'

export interface PullFlags extends SourceFlags {
  readonly output: string
}

/** Fetches, writes the archive, and says what is in it, and what was asked for and is not. */
export async function runPull(id: string, flags: PullFlags, shell: Shell): Promise<void> {
  checkCombinations(flags)
  const watched = watch(flags, shell)
  try {
    const run = await pullArchive({ ...sourceOptions(flags, watched, shell.signal), process: id }, flags.output)
    watched.end()
    if (flags.quiet !== true) shell.tell(`${flags.output}: nonces ${run.from} to ${run.to} of ${run.process}\n`)
    if (flags.to === undefined || flags.to <= run.to) shell.exitCode = MATCH
    else {
      const absent = `the archive ends at nonce ${run.to}, the newest there was: not at ${flags.to}, as --to asked`
      shell.tell(`ao-audit: ${absent}\n`)
      shell.exitCode = INCONCLUSIVE
    }
  } finally {
    watched.end()
  }
}
