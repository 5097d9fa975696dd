/** Where the files come from that a module opens: the sandbox asks, and knows of no network. */

export type DriveKind = 'data' | 'tx' | 'block'

/** A file by its path `/<kind>/<id>`, and the block of the message that opens it. */
export interface DriveQuestion {
  readonly kind: DriveKind
  readonly id: string
  readonly blockHeight: number
}

export type DriveAnswer =
  | {
      readonly kind: 'file'
      /** A file of the auditor's that holds the content. */
      readonly path: string
      readonly bytes: number
      /** Why the CU may have seen something else; undefined where the content proves itself and may be read for certain. */
      readonly assumed?: string
    }
  | {
      readonly kind: 'refused'
      readonly reason: string
      /** Nobody has what it takes to answer. */
      readonly missing?: true
    }

/** Serves the files of one process. Asked the same twice it answers the same. */
export interface DriveSource {
  /** Never throws because a file cannot be had. */
  ask(question: DriveQuestion): Promise<DriveAnswer>
}

/** Whether a path can name such a file: nothing else is asked for. */
export function isDriveId(kind: DriveKind, id: string): boolean {
  return (kind === 'block' ? /^\d{1,12}$/ : /^[\w-]{43}$/).test(id)
}
