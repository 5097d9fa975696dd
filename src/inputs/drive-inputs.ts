/** Files that modules opened through WeaveDrive, and the attestations that allow it. */
import type { ProcessId, TransactionId } from '../model/ids.ts'
import type { AttestationType, BlobRef } from '../model/records.ts'
import type { Store } from '../store/store.ts'
import { collect } from './record-lists.ts'
import type { Door } from './stored-records.ts'

/** A gateway's version of the WeaveDrive file `/<kind>/<id>`. The content of a `data` file is stored with its transaction. */
export type DriveFile =
  | { readonly kind: 'data'; readonly id: TransactionId }
  | { readonly kind: 'tx' | 'block'; readonly id: string; readonly content: BlobRef; readonly gateway: string }

/** The earliest item that lets a process read a file. */
export interface DriveAttestation {
  readonly type: AttestationType
  /** The id of the file. */
  readonly id: TransactionId
  /** The id of the attestation. */
  readonly item: TransactionId
  readonly blockHeight: number
  readonly gateway: string
}

export interface DriveInputs {
  /** All files that were ever served to the process. */
  files(process: ProcessId): Promise<readonly DriveFile[]>
  file(process: ProcessId, kind: DriveFile['kind'], id: string): Promise<DriveFile | undefined>
  putFile(process: ProcessId, file: DriveFile): Promise<void>
  attestation(process: ProcessId, type: AttestationType, id: string): Promise<DriveAttestation | undefined>
  putAttestation(process: ProcessId, attestation: DriveAttestation): Promise<void>
}

export function createDriveInputs(store: Store, door: Door): DriveInputs {
  return {
    files: (process) => collect(door, ['drive', process, 'file']),
    file: (process, kind, id) => door.get(['drive', process, 'file', kind, id]),
    putFile: (process, file) => store.put([[['drive', process, 'file', file.kind, file.id], file]]),
    attestation: (process, type, id) => door.get(['drive', process, 'attestation', type, id]),
    putAttestation: (process, found) => store.put([[['drive', process, 'attestation', found.type, found.id], found]])
  }
}
