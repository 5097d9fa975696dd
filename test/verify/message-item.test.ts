import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeTagsOpen, encodeTagsSized } from '../../src/ans104/avro-tags.ts'
import { encodeBase64url } from '../../src/ans104/bytes.ts'
import { type DataItem, encodeDataItem } from '../../src/ans104/data-item.ts'
import { rebuildFromWire } from '../../src/ans104/rebuild-item.ts'
import { ethereumAddress } from '../../src/ans104/signature.ts'
import type { TransactionId } from '../../src/model/ids.ts'
import type { WireItem } from '../../src/model/records.ts'
import { wireOfItem } from '../../src/verify/as-signed.ts'
import { type GatewayItem, proveRawItem, verifyMessage, verifyRawItem } from '../../src/verify/message-item.ts'
import { assignmentWire, bytes32, ed25519Signer, ethereumSigner, type ItemFields, signedItem } from './fixtures.ts'

const signer = ethereumSigner(11)
const TAGS = [
  { name: 'Action', value: 'Echo' },
  { name: '__proto__', value: 'ü' }
]
const TEXT_ANCHOR = Buffer.from('00000000000000000000000000000042')
const BINARY_ANCHOR = bytes32(0xfe)
const VALID = { status: 'valid' }

const item = (fields: ItemFields = {}) => signedItem(signer, { tags: TAGS, target: bytes32(1), data: 'a text', ...fields })
const wire = (fields: ItemFields = {}): WireItem => wireOfItem(item(fields))
const unverifiable = (...hidden: string[]) => expect.objectContaining({ status: 'unverifiable', hidden })
const invalid = (reason: string) => ({ status: 'invalid', reason })
const MISFIT = invalid('the signature does not match the signed content')

function gatewayItem(of: DataItem): GatewayItem {
  const { id, owner, tags, signature } = wireOfItem(of)
  return { id, owner, tags, signature, recipient: encodeBase64url(of.target), anchor: encodeBase64url(of.anchor) }
}

describe("a message from the scheduler's JSON", () => {
  it.each([
    ['text', {}],
    ['no data', { data: '' }],
    ['a text anchor', { anchor: TEXT_ANCHOR }],
    ['no tags, no target', { tags: [], target: new Uint8Array(0) }],
    ['tags in the other form of Avro', { rawTags: encodeTagsSized(TAGS) }],
    ['tags without their closing zero', { rawTags: encodeTagsOpen(TAGS) }],
    ['data that is itself U+FFFD', { data: 'a\u{FFFD}' }],
    ['a byte order mark', { data: '\u{FEFF}a' }]
  ])('is valid with %s', (_, fields) => {
    expect(verifyMessage(wire(fields))).toEqual(VALID)
  })

  it('is unverifiable if data or anchor are not shown as signed', () => {
    expect(verifyMessage(wire({ data: Uint8Array.from([97, 0xff]) }))).toEqual(unverifiable('data', 'anchor'))
    expect(verifyMessage(wire({ data: Uint8Array.from([97, 0xff]), anchor: TEXT_ANCHOR }))).toEqual(unverifiable('data'))
    expect(verifyMessage(wire({ anchor: BINARY_ANCHOR }))).toEqual(unverifiable('anchor'))
    expect(verifyMessage({ ...wire({ anchor: TEXT_ANCHOR }), data: null })).toEqual(unverifiable('data'))
    expect(verifyMessage({ ...wire({ data: '' }), data: null })).toEqual(unverifiable('data', 'anchor'))
    expect(verifyMessage({ ...wire({ anchor: TEXT_ANCHOR }), anchor: '' })).toEqual(unverifiable('anchor'))
    expect(verifyMessage({ ...wire(), anchor: 'short' })).toEqual(unverifiable('anchor'))
    expect(verifyMessage(wire({ tags: [{ name: 'a', value: '\u{FFFD}' }], anchor: TEXT_ANCHOR }))).toEqual(VALID)
  })

  it('is unverifiable with an anchor in a form that schedulers do not use for messages', () => {
    expect(verifyMessage({ ...wire({ anchor: TEXT_ANCHOR }), anchor: encodeBase64url(TEXT_ANCHOR) })).toEqual(
      unverifiable('anchor')
    )
  })

  it('is invalid if every part is shown and one differs from the signed one', () => {
    const whole = wire({ anchor: TEXT_ANCHOR })
    const other = wireOfItem(signedItem(ethereumSigner(12)))
    expect(verifyMessage({ ...whole, data: 'b text' })).toEqual(MISFIT)
    expect(verifyMessage({ ...whole, tags: [...TAGS].reverse() })).toEqual(MISFIT)
    expect(verifyMessage({ ...whole, tags: [] })).toEqual(MISFIT)
    expect(verifyMessage({ ...whole, target: encodeBase64url(bytes32(2)) })).toEqual(MISFIT)
    expect(verifyMessage({ ...whole, target: null })).toEqual(MISFIT)
    expect(verifyMessage({ ...whole, anchor: '00000000000000000000000000000043' })).toEqual(MISFIT)
    expect(verifyMessage({ ...whole, owner: other.owner })).toEqual(MISFIT)
    expect(verifyMessage({ ...whole, target: 'no id' })).toEqual(invalid('the target is not an id'))
    expect(verifyMessage({ ...whole, id: other.id })).toEqual(invalid('the id does not match the signature'))
    expect(verifyMessage({ ...whole, signature: other.signature })).toEqual(invalid('the id does not match the signature'))
    expect(verifyMessage({ ...whole, owner: { ...whole.owner, address: other.owner.address } })).toEqual(
      invalid('the address does not match the key')
    )
    expect(verifyMessage({ ...whole, signature: `${whole.signature}AB` })).toEqual(invalid('the signature is not base64url'))
    expect(verifyMessage({ ...whole, owner: { ...whole.owner, key: `${whole.owner.key}AB` } })).toEqual(
      invalid('the key is not base64url')
    )
  })

  it('is invalid with a lone surrogate instead of U+FFFD, which would be encoded alike', () => {
    const reason = 'text that is not valid Unicode cannot have been signed'
    expect(verifyMessage({ ...wire({ data: 'a\u{FFFD}' }), data: 'a\uD800' })).toEqual(invalid(reason))
    expect(
      verifyMessage({ ...wire({ tags: [{ name: 'a', value: '\u{FFFD}' }] }), tags: [{ name: 'a', value: '\uDC00' }] })
    ).toEqual(invalid(reason))
    expect(
      verifyMessage({ ...wire({ anchor: Buffer.from(`${'0'.repeat(29)}\u{FFFD}`) }), anchor: `${'0'.repeat(29)}\uD800` })
    ).toEqual(invalid(reason))
    expect(verifyMessage(wire({ data: '😀' }))).toEqual(VALID)
  })

  it('is unverifiable if a unit does not keep its key or signature', () => {
    expect(verifyMessage({ ...wire(), signature: '' })).toEqual(unverifiable('signature'))
    expect(verifyMessage({ ...wire(), owner: { address: '', key: '' } })).toEqual(unverifiable('key'))
    expect(verifyMessage({ ...wire(), owner: { address: '', key: '<not-found>' } })).toEqual(unverifiable('key'))
  })

  it('is valid by the matching type if several types have such a key', () => {
    for (const type of [2, 4] as const) expect(verifyMessage(wireOfItem(signedItem(ed25519Signer(type))))).toEqual(VALID)
    const whole = wireOfItem(signedItem(ed25519Signer(2), { anchor: TEXT_ANCHOR }))
    expect(verifyMessage({ ...whole, data: 'other' })).toEqual(unverifiable('signature-type'))
    expect(verifyMessage({ ...whole, owner: { ...whole.owner, address: 'base58' } })).toEqual(unverifiable('key'))
  })

  it('is unverifiable if its key proves nothing', () => {
    const owner = new Uint8Array(32).fill(1, 0, 1)
    const signature = Uint8Array.from([...owner, ...new Uint8Array(32)])
    const forged = wireOfItem({ ...item({ anchor: TEXT_ANCHOR }), signatureType: 2, owner, signature })
    expect(verifyMessage(forged)).toEqual(unverifiable('key'))
  })

  it('names its signature type if that is not verified', () => {
    const multi = { ...item(), signatureType: 6, owner: new Uint8Array(1025), signature: new Uint8Array(2052) }
    expect(verifyMessage(wireOfItem(multi))).toEqual(expect.objectContaining({ status: 'unsupported', signatureType: 6 }))
    const strange = { ...item(), owner: new Uint8Array(64) }
    expect(verifyMessage(wireOfItem(strange))).toEqual(invalid('no signature type has a key and a signature of these sizes'))
  })

  it('is valid if it names an Ethereum owner by hash or by address', () => {
    const whole = wire()
    const address = ethereumAddress(signer.owner)
    expect(verifyMessage({ ...whole, owner: { ...whole.owner, address } })).toEqual(VALID)
    expect(
      verifyMessage({ ...whole, owner: { ...whole.owner, address: ethereumAddress(ethereumSigner(99).owner) } }).status
    ).toBe('invalid')
  })

  it('is valid with any signed text, and never with another text', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 })
    const tags = fc.array(fc.record({ name: text, value: text }), { maxLength: 3 })
    fc.assert(
      fc.property(text, tags, text, (data, list, other) => {
        const whole = wire({ data, tags: list })
        expect(verifyMessage(whole)).toEqual(VALID)
        if (other !== data) expect(verifyMessage({ ...whole, data: other }).status).not.toBe('valid')
        expect(verifyMessage({ ...whole, tags: [...list, { name: other, value: '' }] }).status).not.toBe('valid')
      }),
      { numRuns: 30 }
    )
  })
})

describe('an assignment', () => {
  const assignment = item({ anchor: BINARY_ANCHOR, data: '', target: new Uint8Array(0) })

  it('is valid if its anchor is shown, in base64url or as text', () => {
    expect(verifyMessage(assignmentWire(assignment))).toEqual(VALID)
    expect(
      verifyMessage({ ...assignmentWire(item({ anchor: TEXT_ANCHOR, data: '' })), anchor: TEXT_ANCHOR.toString() })
    ).toEqual(VALID)
  })

  it('is unverifiable if its anchor is hidden', () => {
    expect(verifyMessage({ ...assignmentWire(assignment), anchor: null })).toEqual(unverifiable('anchor'))
  })

  it('is invalid with another tag', () => {
    expect(verifyMessage({ ...assignmentWire(assignment), tags: [{ name: 'Nonce', value: '1' }] })).toEqual(MISFIT)
  })
})

describe('rebuildFromWire', () => {
  it('returns the signed bytes as its first reading', () => {
    const whole = item({ anchor: TEXT_ANCHOR })
    const rebuilt = rebuildFromWire(wireOfItem(whole))
    if (!rebuilt.ok) throw new Error('not rebuilt')
    const [first] = rebuilt.readings
    expect(Buffer.from(encodeDataItem(first ?? whole))).toEqual(Buffer.from(encodeDataItem(whole)))
    expect(rebuilt.hidden).toEqual([])
  })
})

describe('an item from a gateway', () => {
  const whole = item({ data: Uint8Array.from([97, 0xff, 0]), anchor: BINARY_ANCHOR })

  it('is valid with its exact data', () => {
    expect(verifyRawItem(gatewayItem(whole), whole.data)).toEqual(VALID)
    const { item: proven } = proveRawItem(gatewayItem(whole), whole.data)
    expect(Buffer.from(encodeDataItem(proven ?? item()))).toEqual(Buffer.from(encodeDataItem(whole)))
  })

  it('is valid with its anchor as text', () => {
    const texted = item({ anchor: TEXT_ANCHOR })
    expect(verifyRawItem({ ...gatewayItem(texted), anchor: TEXT_ANCHOR.toString() }, texted.data)).toEqual(VALID)
  })

  it('is invalid with other data, also if it has no anchor', () => {
    const plain = item()
    expect(verifyRawItem(gatewayItem(plain), Buffer.from('a texT'))).toEqual(MISFIT)
    expect(verifyRawItem(gatewayItem(whole), whole.data.subarray(1))).toEqual(MISFIT)
    expect(proveRawItem(gatewayItem(plain), Buffer.from('')).item).toBeUndefined()
  })

  it('is unverifiable without its key, its signature or a readable anchor', () => {
    const shown = gatewayItem(whole)
    expect(verifyRawItem({ ...shown, owner: { ...shown.owner, key: '' } }, whole.data)).toEqual(unverifiable('key'))
    expect(verifyRawItem({ ...shown, signature: '<not-found>' }, whole.data)).toEqual(unverifiable('signature'))
    expect(verifyRawItem({ ...shown, anchor: 'in no known form' }, whole.data)).toEqual(unverifiable('anchor'))
  })

  it('is invalid under another id', () => {
    const id = gatewayItem(item()).id as TransactionId
    expect(verifyRawItem({ ...gatewayItem(whole), id }, whole.data)).toEqual(invalid('the id does not match the signature'))
  })
})

describe('the reason of a verdict', () => {
  const reason = (shown: WireItem) => {
    const verdict = verifyMessage(shown)
    return verdict.status === 'valid' ? 'valid' : verdict.reason
  }

  it('names the parts that may differ from the signed ones', () => {
    const words = (parts: string) => `the signature does not match the item as shown; its signed ${parts} may differ`
    expect(reason({ ...wire(), anchor: 'short' })).toBe(words('anchor'))
    expect(reason(wire({ data: Uint8Array.from([97, 0xff]) }))).toBe(words('data and anchor'))
    const tagged = wire({ tags: [{ name: '\u{FFFD}', value: '' }], anchor: TEXT_ANCHOR })
    expect(verifyMessage({ ...tagged, data: 'other' })).toEqual({
      status: 'unverifiable',
      hidden: ['tags'],
      reason: words('tags')
    })
    const valued = wire({ tags: [...TAGS, { name: 'a', value: 'b\u{FFFD}' }], anchor: TEXT_ANCHOR })
    expect(verifyMessage({ ...valued, data: 'other' })).toEqual(unverifiable('tags'))
    const text = `${'0'.repeat(29)}\u{FFFD}`
    expect(verifyMessage({ ...wire({ anchor: Buffer.from(text) }), data: 'other' })).toEqual(unverifiable('anchor'))
    expect(verifyMessage({ ...wire({ anchor: TEXT_ANCHOR }), data: 'a\u{FFFD}' })).toEqual(unverifiable('data'))
  })

  it('names a missing signature or key', () => {
    expect(reason({ ...wire(), signature: '' })).toBe('the signature is not shown')
    expect(reason({ ...wire(), signature: '*AAA' })).toBe('the signature is not shown')
    expect(reason({ ...wire(), signature: 'AAA*' })).toBe('the signature is not shown')
    expect(reason({ ...wire(), owner: { address: '', key: '' } })).toBe('the key is not shown')
  })

  it('names an address that does not belong to the key', () => {
    const whole = wireOfItem(signedItem(ed25519Signer(2), { anchor: TEXT_ANCHOR }))
    expect(reason({ ...whole, owner: { ...whole.owner, address: 'base58' } })).toBe(
      'the address may be in a form specific to its key type'
    )
    const address = ethereumAddress(signer.owner)
    for (const form of [address.toLowerCase(), `0x${address.slice(2).toUpperCase()}`]) {
      expect(reason({ ...wire(), owner: { ...wire().owner, address: form } })).toBe('valid')
    }
    const short = { ...item(), owner: signer.owner.subarray(0, 64) }
    const named = { ...wireOfItem(short), owner: { ...wireOfItem(short).owner, address: ethereumAddress(short.owner) } }
    expect(reason(named)).toBe('the address does not match the key')
  })

  it('says first of all that a key proves nothing', () => {
    const owner = new Uint8Array(32).fill(1, 0, 1)
    const signature = Uint8Array.from([...owner, ...new Uint8Array(32)])
    const forged = wireOfItem({ ...item({ anchor: TEXT_ANCHOR }), signatureType: 2, owner, signature })
    expect(reason(forged)).toBe('the key is of small order: its signatures fit any message')
  })

  it('names a type that is not verified even if parts are hidden', () => {
    const multi = { ...item(), signatureType: 6, owner: new Uint8Array(1025), signature: new Uint8Array(2052) }
    expect(reason({ ...wireOfItem(multi), anchor: null })).toBe('signatures of type 6 are not verified')
  })
})

describe('a rebuilt item', () => {
  const readings = (shown: Parameters<typeof rebuildFromWire>[0]) => {
    const rebuilt = rebuildFromWire(shown)
    if (!rebuilt.ok) throw new Error('not rebuilt')
    return rebuilt
  }
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

  it('has an anchor from base64url if its data is not text', () => {
    const anchor = encodeBase64url(BINARY_ANCHOR)
    for (const data of [undefined, Uint8Array.from([1])]) {
      const { data: _, ...rest } = wire()
      const { readings: found, hidden } = readings({ ...rest, anchor, ...(data === undefined ? {} : { data }) })
      expect([found.length, hidden]).toEqual([3, []])
      expect(found.map((one) => [hex(one.anchor), hex(one.data)])).toEqual([
        [hex(BINARY_ANCHOR), hex(data ?? new Uint8Array(0))],
        [hex(BINARY_ANCHOR), hex(data ?? new Uint8Array(0))],
        [hex(BINARY_ANCHOR), hex(data ?? new Uint8Array(0))]
      ])
    }
    for (const data of ['', 'text', null]) expect(readings({ ...wire(), anchor, data }).readings).toEqual([])
    expect(readings({ ...wire(), anchor, data: null }).hidden).toEqual(['data', 'anchor'])
  })

  it('has hidden data if the data is null, but not if it is empty', () => {
    expect(readings({ ...wire(), data: null })).toEqual({ ok: true, readings: [], hidden: ['data', 'anchor'] })
    expect(readings({ ...wire(), data: '', anchor: TEXT_ANCHOR.toString() }).hidden).toEqual([])
  })

  it('has a reading for every type that its key may have', () => {
    const types = (of: DataItem) => readings(wireOfItem(of)).readings.map(({ signatureType }) => signatureType)
    expect(types(signedItem(ed25519Signer(4)))).toEqual([2, 4, 5, 2, 4, 5])
    expect(types(item())).toEqual([3, 3, 3])
  })
})
