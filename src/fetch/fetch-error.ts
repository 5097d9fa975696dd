/** Errors of the fetch layer: each names the unit that was asked, so that its behaviour never counts as the auditor's own fault. */
import { AuditError, type AuditErrorOptions, type Unit, type UnitErrorCode } from '../model/errors.ts'

/** The unit that was asked: its role, and any of its URLs. */
export type Asked = Unit

/**
 * An error about a unit's answer, or about a missing one.
 *
 * @param asked the unit; the error names the origin of its URL
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

/** `arweave`, which can take the place of a scheduler's URL, has no origin and is returned as it is. */
function originOf(url: string): string {
  const { origin } = URL.canParse(url) ? new URL(url) : { origin: 'null' }
  return origin === 'null' ? url : origin
}
