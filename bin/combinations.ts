/** Refuses options that would have no effect beside others, because an option that a user gave must not be ignored. */
import { AuditError } from '../src/model/errors.ts'
import type { SourceFlags } from './sources.ts'

const OF_NETWORK = {
  scheduler: '--scheduler',
  schedule: '--schedule',
  compute: '--compute',
  gateway: '--gateway',
  graphql: '--graphql',
  patience: '--patience',
  allowPrivate: '--allow-private'
} as const satisfies Partial<Record<keyof SourceFlags, string>>

/**
 * Refuses options on the command line that would have no effect. The environment and the config file serve every command, so their
 * values may go unused.
 *
 * @throws AuditError `USAGE`
 */
export function checkCombinations({ archive, schedule, given }: SourceFlags & { readonly archive?: string }): void {
  if (archive !== undefined) {
    const names = Object.entries(OF_NETWORK).flatMap(([key, name]) => (given.has(key) ? name : []))
    if (names.length > 0) {
      throw new AuditError(
        'USAGE',
        `an archive is audited without a network: ${names.join(', ')} cannot be given with --archive`,
        {
          hint: 'give these options to `ao-audit pull`, which creates the archive'
        }
      )
    }
  }
  if (schedule === 'arweave' && given.has('scheduler')) {
    throw new AuditError('USAGE', 'no scheduler is asked with --schedule arweave: leave out --scheduler')
  }
}
