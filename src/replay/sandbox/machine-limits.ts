/** Resources that a machine may refuse a sandbox. Neither the audited parties nor the auditor are to blame for that. */

import { AuditError } from '../../model/errors.ts'
import { addressSpaceBytes } from '../../util/address-space.ts'

const NO_ADDRESSES = /allocate (Wasm )?memory|out of memory|ENOMEM/i
const NO_FILES = /\b(ENOSPC|EDQUOT|EMFILE|ENFILE|EAGAIN|EROFS)\b/

/**
 * Returns an error if the machine made a sandbox fail; undefined if it apparently did not.
 *
 * @param why the message of the sandbox or the system
 * @param died whether the sandbox ended without a message
 */
export function unfit(why: string, died: boolean): AuditError | undefined {
  if (NO_FILES.test(why)) return error(`this machine refused the sandbox a resource: ${why}`)
  // WebAssembly reserves 10 GiB for a memory of any size.
  if (!(NO_ADDRESSES.test(why) || died) || addressSpaceBytes() === undefined) return undefined
  return error(
    `the address space is too small for the sandbox (ulimit -v): ${why}`,
    'raise the limit with `ulimit -v unlimited`'
  )
}

function error(message: string, hint?: string): AuditError {
  return new AuditError('ENVIRONMENT_UNFIT', message.slice(0, 500), hint === undefined ? {} : { hint })
}
