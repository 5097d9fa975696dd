/** What a machine may refuse a sandbox. It is nobody's fault who is audited, nor the auditor's own. */

import { AuditError } from '../../model/errors.ts'
import { addressSpaceBytes } from '../../util/address-space.ts'

const NO_ADDRESSES = /allocate (Wasm )?memory|out of memory|ENOMEM/i
const NO_FILES = /\b(ENOSPC|EDQUOT|EMFILE|ENFILE|EAGAIN|EROFS)\b/

/**
 * The error where the machine is why a sandbox failed; undefined where it is not, as far as can be told.
 *
 * @param why the sandbox's or the system's own words
 * @param died whether it ended without any
 */
export function unfit(why: string, died: boolean): AuditError | undefined {
  if (NO_FILES.test(why)) return error(`this machine refused the sandbox what it needs: ${why}`)
  // WebAssembly reserves 10 GiB for a memory of any size.
  if (!(NO_ADDRESSES.test(why) || died) || addressSpaceBytes() === undefined) return undefined
  return error(`the address space is too small for the sandbox (ulimit -v): ${why}`, 'give it more, with `ulimit -v unlimited`')
}

function error(message: string, hint?: string): AuditError {
  return new AuditError('ENVIRONMENT_UNFIT', message.slice(0, 500), hint === undefined ? {} : { hint })
}
