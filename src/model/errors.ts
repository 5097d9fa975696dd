/** The one error class of the project. A mismatch is data, never an error. */

/** The closed set of codes. A code, once released, keeps its meaning. */
export type AuditErrorCode =
  /** An option, an id or a combination of options cannot be used. */
  | 'USAGE'
  /** Another audit holds the store. */
  | 'STORE_LOCKED'
  /** The store cannot be read or written. */
  | 'STORE_UNUSABLE'
  /** A file or stream that output goes to cannot be written. */
  | 'OUTPUT_UNUSABLE'
  /** The machine does not give what an audit needs: address space, open files, threads, processes, a folder to work in. */
  | 'ENVIRONMENT_UNFIT'
  /** A file is no archive of this project, or it is cut, altered or of another version. */
  | 'ARCHIVE_INVALID'
  /** A unit did not answer within its patience. */
  | 'UNIT_UNREACHABLE'
  /** A unit answered, but with what its protocol does not allow. */
  | 'WIRE_INVALID'
  /** A unit answered that it refuses or does not have what was asked for. */
  | 'UNIT_REFUSED'
  /** An answer is larger than its bound. */
  | 'ANSWER_TOO_LARGE'
  /** A URL that somebody else named leads to an address that may not be asked. */
  | 'ADDRESS_FORBIDDEN'
  /** What an audit cannot do without (process, module, scheduler) was found nowhere. */
  | 'INPUT_MISSING'
  /** The module's format is none that the loader runs. */
  | 'MODULE_UNSUPPORTED'
  /** The sandbox could not be started or died where no message is to blame. */
  | 'SANDBOX_FAILED'
  /** The user or a signal ended the audit. */
  | 'INTERRUPTED'

/** What only a unit that was asked can cause: such an error names the unit, so that it never counts as the auditor's own. */
export type UnitErrorCode = 'UNIT_UNREACHABLE' | 'WIRE_INVALID' | 'UNIT_REFUSED' | 'ANSWER_TOO_LARGE' | 'ADDRESS_FORBIDDEN'

export interface AuditErrorOptions {
  /** What the user can do about it, one line. */
  readonly hint?: string
  readonly cause?: unknown
  /** The unit that it is about. */
  readonly unit?: Unit
  /** It is about one question: the unit answers others. */
  readonly alone?: boolean
}

export type AuditErrorArguments =
  | [code: UnitErrorCode, message: string, options: AuditErrorOptions & { readonly unit: Unit }]
  | [code: Exclude<AuditErrorCode, UnitErrorCode>, message: string, options?: AuditErrorOptions]

/** One of the network's units, as asked. */
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
