import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNonceSet } from '../src/nonce-set.ts'

test('it holds what a Set would', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30_000)), fc.array(fc.nat(60_000)), (added, asked) => {
      const nonces = createNonceSet()
      for (const nonce of added) nonces.add(nonce)
      const set = new Set(added)
      expect(nonces.size).toBe(set.size)
      for (const nonce of [...added, ...asked]) expect(nonces.has(nonce)).toBe(set.has(nonce))
    })
  )
})
