/** Errors of the fetch layer: each names whom it asked, so that what a unit does never counts as the auditor's own fault. */
import { AuditError, type AuditErrorOptions, type Unit, type UnitErrorCode } from '../model/errors.ts'

/** Who was asked: a role, and any URL of the unit's. */
export type Asked = Unit

/**
 * An error about what a unit answered, or did not.
 *
 * @param asked whom; of its URL the origin is named
 *
 * @example
 * ```ts
 * fetchError('WIRE_INVALID', { role: 'gateway', url: 'https://gw.example/graphql' }, 'it answered without data').unit
 * // { role: 'gateway', url: 'https://gw.example' }
 * ```
 */
export function fetchError(
  code: UnitErrorCode,
  { role, url }: Asked,
  message: string,
  options: Omit<AuditErrorOptions, 'unit'> = {}
): AuditError {
  return new AuditError(code, message, { ...options, unit: { role, url: originOf(url) } })
}

/** Arweave as a whole, which stands where a scheduler's URL stands, has none. */
function originOf(url: string): string {
  const { origin } = URL.canParse(url) ? new URL(url) : { origin: 'null' }
  return origin === 'null' ? url : origin
}
