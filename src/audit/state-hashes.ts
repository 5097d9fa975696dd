/** Selects the memories to hash. */

/** The memory after the range's last nonce, those after these nonces, or those after every nonce that `every` divides. */
export type StateHashChoice = 'last' | readonly number[] | { readonly every: number }

/** @returns whether the memory after `nonce` is wanted; `to` is the range's last nonce */
export type StateHashes = (nonce: number, to: number) => boolean

export function selectStateHashes(choice: StateHashChoice): StateHashes {
  if (choice === 'last') return (nonce, to) => nonce === to
  if (!isNonces(choice)) return (nonce) => nonce % choice.every === 0
  const wanted = new Set(choice)
  return (nonce) => wanted.has(nonce)
}

/** Whether memories are chosen by nonce. Asking for the field `every` would not tell: lists have a method of that name. */
export function isNonces(choice: StateHashChoice): choice is readonly number[] {
  return Array.isArray(choice)
}
