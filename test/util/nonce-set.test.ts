import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNonceSet } from '../../src/util/nonce-set.ts'

const anyNonce = fc.oneof(fc.nat(3000), fc.maxSafeNat())

test('a nonce set holds the same nonces as a Set', () => {
  fc.assert(
    fc.property(fc.array(anyNonce), fc.array(anyNonce), (added, asked) => {
      const nonces = createNonceSet()
      for (const nonce of added) nonces.add(nonce)
      const set = new Set(added)
      expect(nonces.size).toBe(set.size)
      for (const nonce of [...added, ...asked]) expect(nonces.has(nonce)).toBe(set.has(nonce))
    })
  )
})
