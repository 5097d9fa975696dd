/** The one error class of the project. A mismatch is data, never an error. */

/** The closed set of codes. A code, once released, keeps its meaning. */
export const AUDIT_ERROR_CODES = [
  /** An option, an id or a combination of options cannot be used. */
  'USAGE',
  /** Another audit holds the store. */
  'STORE_LOCKED',
  /** The store cannot be read or written. */
  'STORE_UNUSABLE',
  /** An output file or stream cannot be written. */
  'OUTPUT_UNUSABLE',
  /** The machine lacks something that an audit needs: address space, open files, threads, processes, a folder to work in. */
  'ENVIRONMENT_UNFIT',
  /** A file is no archive of this project, or it is cut short, altered or of another version. */
  'ARCHIVE_INVALID',
  /** A text or a value is no report, or a report of another version of the schema. */
  'REPORT_INVALID',
  /** A unit did not answer in time. */
  'UNIT_UNREACHABLE',
  /** A unit gave an answer that its protocol does not allow. */
  'WIRE_INVALID',
  /** A unit answered that it refuses the request or does not have the item. */
  'UNIT_REFUSED',
  /** An answer is larger than its limit. */
  'ANSWER_TOO_LARGE',
  /** A URL that came from outside leads to an address that must not be contacted. */
  'ADDRESS_FORBIDDEN',
  /** Something that every audit needs (process, module, scheduler) was not found anywhere. */
  'INPUT_MISSING',
  /** The loader does not run the module's format. */
  'MODULE_UNSUPPORTED',
  /** The sandbox could not be started, or died and no message is to blame. */
  'SANDBOX_FAILED',
  /** The user or a signal ended the audit. */
  'INTERRUPTED'
] as const

export type AuditErrorCode = (typeof AUDIT_ERROR_CODES)[number]

/** Only a unit that was asked can cause these errors: they name the unit, so that none counts as the auditor's own. */
export type UnitErrorCode = 'UNIT_UNREACHABLE' | 'WIRE_INVALID' | 'UNIT_REFUSED' | 'ANSWER_TOO_LARGE' | 'ADDRESS_FORBIDDEN'

export interface AuditErrorOptions {
  /** What the user can do about it, one line. */
  readonly hint?: string
  readonly cause?: unknown
  /** The unit that the error is about. */
  readonly unit?: Unit
  /** Only one question failed: the unit answers others. */
  readonly alone?: boolean
}

export type AuditErrorArguments =
  | [code: UnitErrorCode, message: string, options: AuditErrorOptions & { readonly unit: Unit }]
  | [code: Exclude<AuditErrorCode, UnitErrorCode>, message: string, options?: AuditErrorOptions]

/** A unit of the network, with the URL at which it was asked. */
export interface Unit {
  readonly role: 'scheduler' | 'gateway' | 'compute-unit'
  readonly url: string
}

/**
 * An expected failure: a short message, a hint, the cause.
 *
 * @example
 * ```ts
 * throw new AuditError('STORE_LOCKED', 'the store /tmp/s is in use', { hint: 'wait for the other audit or give --store DIR' })
 * ```
 */
export class AuditError extends Error {
  readonly code: AuditErrorCode
  readonly hint: string | undefined
  readonly unit: Unit | undefined
  readonly alone: boolean

  constructor(...[code, message, options = {}]: AuditErrorArguments) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AuditError'
    this.code = code
    this.hint = options.hint
    this.unit = options.unit
    this.alone = options.alone ?? false
  }
}
