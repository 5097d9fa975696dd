/** Selects the memories to hash: `--state-hash`. */
import { AuditError } from '../model/errors.ts'

/** @returns whether the memory after `nonce` is wanted; `to` is the range's last nonce */
export type StateHashes = (nonce: number, to: number) => boolean

const LIST_MAX = 10_000

/**
 * Reads `last`, `N,N,…` or `every:K`.
 *
 * @throws AuditError `USAGE`
 */
export function parseStateHashes(text: string): StateHashes {
  if (text === 'last') return (nonce, to) => nonce === to
  const every = /^every:([1-9]\d{0,8})$/.exec(text)?.[1]
  if (every !== undefined) return (nonce) => nonce % Number(every) === 0
  const parts = text.split(',')
  if (parts.length <= LIST_MAX && parts.every((part) => /^\d{1,15}$/.test(part))) {
    const wanted = new Set(parts.map(Number))
    return (nonce) => wanted.has(nonce)
  }
  throw new AuditError('USAGE', '--state-hash takes last, nonces with commas between them, or every:K')
}
