/** Options that would have no effect beside others: refused, for what a user names must not be passed over. */
import { AuditError } from '../src/model/errors.ts'
import type { SourceFlags } from './sources.ts'

const OF_NETWORK = {
  scheduler: '--scheduler',
  schedule: '--schedule',
  compute: '--compute',
  gateway: '--gateway',
  patience: '--patience',
  allowPrivate: '--allow-private'
} as const satisfies Partial<Record<keyof SourceFlags, string>>

/** @throws AuditError `USAGE` */
export function checkCombinations(flags: SourceFlags & { readonly archive?: string }): void {
  const { archive, schedule, scheduler, from, to } = flags
  if (archive !== undefined) {
    const names = Object.entries(OF_NETWORK).flatMap(([key, name]) =>
      flags[key as keyof SourceFlags] === undefined ? [] : name
    )
    if (names.length > 0) {
      throw new AuditError(
        'USAGE',
        `an archive is audited without a network: ${names.join(', ')} cannot be given with --archive`,
        {
          hint: 'whom to ask is said when the archive is made, with `ao-audit pull`'
        }
      )
    }
  }
  if (schedule === 'arweave' && scheduler !== undefined) {
    throw new AuditError('USAGE', 'no scheduler is asked with --schedule arweave: leave out --scheduler')
  }
  if (from !== undefined && to !== undefined && from > to) {
    throw new AuditError('USAGE', `--from ${from} lies behind --to ${to}: there is no nonce to judge`)
  }
}
