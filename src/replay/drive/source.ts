/** The source of the files that a module opens: the sandbox asks it and needs no network itself. */

export type DriveKind = 'data' | 'tx' | 'block'

/** Asks for a file by its path `/<kind>/<id>` and the block of the message that opens it. */
export interface DriveQuestion {
  readonly kind: DriveKind
  readonly id: string
  readonly blockHeight: number
}

export type DriveAnswer =
  | {
      readonly kind: 'file'
      /** The auditor's file with the content. */
      readonly path: string
      readonly bytes: number
      /** Why the CU may have seen something else; undefined if the content proves itself and the CU certainly could read it. */
      readonly assumed?: string
    }
  | {
      readonly kind: 'refused'
      readonly reason: string
      /** Nobody has the inputs for an answer. */
      readonly missing?: true
    }

/** Serves the files of one process. It gives the same answer to the same question. */
export interface DriveSource {
  /** Answers a question. An unavailable file is an answer, not an error. */
  ask(question: DriveQuestion): Promise<DriveAnswer>
}

/** Whether a path can name such a file. The sandbox asks for no other path. */
export function isDriveId(kind: DriveKind, id: string): boolean {
  return (kind === 'block' ? /^\d{1,12}$/ : /^[\w-]{43}$/).test(id)
}
