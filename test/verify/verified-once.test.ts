import { describe, expect, it } from 'vitest'
import { wireOfItem } from '../../src/verify/as-signed.ts'
import { verifyMessage } from '../../src/verify/message-item.ts'
import type { RawItem } from '../../src/verify/raw-item.ts'
import { proveOnce, verifyOnce } from '../../src/verify/verified-once.ts'
import { ethereumSigner, signedItem } from './fixtures.ts'

const items = ['a', 'b', 'c'].map((data) =>
  wireOfItem(signedItem(ethereumSigner(5), { data, tags: [{ name: 'n', value: data }] }))
)

describe('signatures', () => {
  it('are verified once for the same bytes, and again for other bytes', async () => {
    const asked: string[] = []
    const { verify } = verifyOnce({
      async verify(some) {
        asked.push(...some.map(({ data }) => data ?? ''))
        return some.map(verifyMessage)
      }
    })
    const statuses = async (some: typeof items) => (await verify(some)).map(({ status }) => status)
    expect(await statuses(items)).toEqual(['valid', 'valid', 'valid'])
    expect(await statuses(items.toReversed())).toEqual(['valid', 'valid', 'valid'])
    expect(asked).toEqual(['a', 'b', 'c'])
    const forged = items.map((item) => ({ ...item, data: 'forged', anchor: '0'.repeat(32) }))
    expect(await statuses([...forged, ...items])).toEqual(['invalid', 'invalid', 'invalid', 'valid', 'valid', 'valid'])
    expect(await statuses(forged)).toEqual(['invalid', 'invalid', 'invalid'])
    expect(asked).toEqual(['a', 'b', 'c', 'forged', 'forged', 'forged'])
  })

  it('of raw items are proven once for the same record and data', () => {
    let proofs = 0
    const prove = proveOnce(() => {
      proofs++
      return { verdict: { status: 'valid' } }
    })
    const raw = { record: { id: 'x' }, data: Uint8Array.of(1) } as unknown as RawItem
    prove(raw)
    prove({ ...raw, data: Uint8Array.of(1) })
    expect(proofs).toBe(1)
    prove({ ...raw, data: Uint8Array.of(2) })
    expect(proofs).toBe(2)
  })
})
