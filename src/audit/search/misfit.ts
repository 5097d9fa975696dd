/** A profile from the user that does not fit a unit. */

import type { Finding } from '../../model/findings.ts'
import { sameStrings } from '../../replay/profile.ts'
import type { AuditContext } from '../context.ts'
import type { Explained } from './explain.ts'
import type { KnownProfile } from './profile-choice.ts'

/** The profile from the user is not replaced: the fitting profile is named, and nobody is blamed. */
export function misfitOf({ options }: AuditContext, known: KnownProfile, { hypothesis }: Explained): Finding | undefined {
  if (options.profile === 'auto' || sameStrings(hypothesis.profile.environment, known.profile.environment)) return undefined
  const detail = `the profile ${known.profile.name} does not fit the claims, ${hypothesis.profile.name} does`
  return misfitFinding(detail)
}

export function misfitFinding(detail: string): Finding {
  return { code: 'PROFILE_DOES_NOT_FIT', severity: 'warning', attribution: 'auditor', detail }
}
