/** `ao-audit pull`. */
import { pullArchive } from '../src/audit/pull-archive.ts'
import { MATCH } from './codes.ts'
import type { Shell } from './shell.ts'
import { type SourceFlags, sourceOptions, watch } from './sources.ts'

export interface PullFlags extends SourceFlags {
  readonly output: string
}

/** Fetches, writes the archive, and says what is in it. */
export async function runPull(id: string, flags: PullFlags, shell: Shell): Promise<void> {
  const watched = watch(flags, shell)
  try {
    const run = await pullArchive({ ...sourceOptions(flags, watched, shell.signal), process: id }, flags.output)
    watched.end()
    if (flags.quiet !== true) shell.tell(`${flags.output}: nonces ${run.from} to ${run.to} of ${run.process}\n`)
    shell.exitCode = MATCH
  } finally {
    watched.end()
  }
}
