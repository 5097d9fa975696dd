/** A unit's own checkpoints in a replay: which one proves its profile, and which were not reached. */
import type { CheckedCheckpoint } from '../../verify/checkpoint.ts'
import type { AuditContext } from '../context.ts'
import type { PassResult } from '../pass.ts'
import { speaksForUnits } from './profile-choice.ts'

export interface OwnCheckpoints {
  /** The checkpoint that proves the profile, in words: a replay under the profile reached its memory. */
  readonly proven: string | undefined
  readonly unreached: readonly CheckedCheckpoint[]
}

/** Leaves out data that gateways spoilt. */
export function ownCheckpoints(
  { options }: AuditContext,
  { compared }: PassResult,
  all: readonly CheckedCheckpoint[],
  unit: string
): OwnCheckpoints {
  const isOwn = speaksForUnits(options, unit)
  const statuses = new Map(compared.judged.map(({ report }) => [report.id, report.status]))
  const computed = new Set(compared.judged.flatMap(({ report }) => (report.computedSha256 === null ? [] : [report.id])))
  const own = all.filter(({ signer, onTrust }) => onTrust !== true && isOwn(signer))
  const reached = own.find(({ id }) => statuses.get(id) === 'match')
  return {
    proven: reached === undefined ? undefined : `the memory of checkpoint ${reached.id}, which it reached`,
    unreached: own.filter((one) => computed.has(one.id) && statuses.get(one.id) !== 'match' && isItsOwnWord(one))
  }
}

/** Whether it is the signer's own word: the signature is valid, and the data is there. */
function isItsOwnWord({ standing, findings }: CheckedCheckpoint): boolean {
  return standing === 'verified' || findings.some(({ code }) => code === 'CHECKPOINT_DATA_INVALID')
}
