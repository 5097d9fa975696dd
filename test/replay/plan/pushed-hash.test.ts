import { createData } from 'arbundles'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PushedContent, pushedHash } from '../../../src/replay/plan/pushed-hash.ts'

const target = Buffer.alloc(32, 5).toString('base64url')
const hashOf = (content: Partial<PushedContent>) => {
  const result = pushedHash({ target, anchor: null, tags: [], data: '', ...content })
  if ('fault' in result) throw new Error(result.fault)
  return result.hash
}

/** Hashes as the CU does: a data item without an owner, read by a library that expects an owner of 512 bytes. */
async function oracle({ target, anchor, tags, data }: PushedContent): Promise<string> {
  const signer = { publicKey: Buffer.alloc(0), ownerLength: 0, signatureLength: 512, signatureType: 1 }
  const item = createData(data, signer as never, { target, tags: [...tags], ...(anchor === null ? {} : { anchor }) })
  return Buffer.from(await item.getSignatureData()).toString('base64')
}

const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const contents = fc.record({
  target: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  anchor: fc.constantFrom(null, '', 'a'.repeat(32), '\u0001'.repeat(32)),
  tags: fc.array(fc.record({ name: text.filter((name) => name !== ''), value: text.filter((value) => value !== '') }), {
    maxLength: 30
  }),
  data: fc.oneof(text, fc.string({ unit: fc.constantFrom('\u0000', '\u0001', 'x'), minLength: 300, maxLength: 900 }))
})

describe('pushedHash', () => {
  test("returns the hash of the CU's own library", async () => {
    await fc.assert(
      fc.asyncProperty(contents, async (content) => {
        expect(pushedHash(content)).toEqual({ hash: await oracle(content) })
      }),
      { numRuns: 300 }
    )
  })

  test('does not hash the 18 bytes from offset 512 on', () => {
    // 33 bytes of target, 1 of anchor and 16 of counts precede the data, so data[462] is at 512.
    // The library reads 18 bytes there: flags of target and anchor, a count and a size. Any size except a small one makes tags of
    // the rest.
    const data = 'x'.repeat(1000)
    const altered = (at: number) => `${data.slice(0, at)}y${data.slice(at + 1)}`
    const blind = Array.from({ length: 1000 }, (_, at) => at).filter((at) => hashOf({ data: altered(at) }) === hashOf({ data }))
    expect(blind).toEqual(Array.from({ length: 18 }, (_, place) => 462 + place))
  })

  test('depends on a size that moves the border between tags and data', () => {
    const sized = (size: string) => hashOf({ data: `${'x'.repeat(472)}${size}${'y'.repeat(300)}` })
    expect(sized('\u0005\0\0\0\0\0\0\0')).not.toBe(sized('\u0006\0\0\0\0\0\0\0'))
  })

  test('reports a target or anchor of a wrong length, and tags of more than 4096 bytes', () => {
    const fault = (content: Partial<PushedContent>) => pushedHash({ target, anchor: null, tags: [], data: '', ...content })
    expect(fault({ target: 'AAAA' })).toEqual({ fault: 'the target of a push is not 32 bytes long' })
    expect(fault({ target: '!' })).toEqual({ fault: 'the target of a push is not 32 bytes long' })
    expect(fault({ anchor: 'é'.repeat(32) })).toEqual({ fault: 'the anchor of a push is not 32 bytes long' })
    const tags = (bytes: number) => [{ name: 'n', value: 'v'.repeat(bytes - 6) }]
    expect(fault({ tags: tags(4096) })).toHaveProperty('hash')
    expect(fault({ tags: tags(4097) })).toEqual({ fault: 'the tags of a push have more than 4096 bytes' })
  })
})
