/** `ao-audit pull`. */
import { pullArchive } from '../src/pull-archive.ts'
import { type SourceFlags, sourceOptions, watch } from './sources.ts'

export interface PullFlags extends SourceFlags {
  readonly output: string
}

/** Fetches, writes the archive, and says what is in it. */
export async function runPull(id: string, flags: PullFlags, signal: AbortSignal): Promise<void> {
  const watched = watch(flags)
  try {
    const run = await pullArchive({ ...sourceOptions(flags, watched, signal), process: id }, flags.output)
    watched.end()
    if (flags.quiet !== true) process.stderr.write(`${flags.output}: nonces ${run.from} to ${run.to} of ${run.process}\n`)
  } finally {
    watched.end()
  }
}
