import { describe, expect, it } from 'vitest'
import { encodeBase64url } from '../../src/ans104/bytes.ts'
import { idOfSignature } from '../../src/ans104/data-item.ts'
import { asSigned, wireOfItem } from '../../src/verify/as-signed.ts'
import { assignmentWire, bytes32, ethereumSigner, signedItem } from './fixtures.ts'

const TEXT_ANCHOR = Buffer.from('00000000000000000000000000000042')
const TAGS = [
  { name: 'a', value: 'b' },
  { name: 'c', value: 'd' }
]
const item = signedItem(ethereumSigner(1), { tags: TAGS, target: bytes32(1), anchor: TEXT_ANCHOR, data: 'text' })
const binary = signedItem(ethereumSigner(1), { anchor: bytes32(0xfe), data: Uint8Array.from([97, 0xff, 0xfe, 0]) })
const unread = signedItem(ethereumSigner(1), { anchor: bytes32(0xfe) })
const wire = wireOfItem(item)

describe('wireOfItem', () => {
  it('shows an item as a scheduler does', () => {
    expect(wire).toEqual({
      id: idOfSignature(item.signature),
      owner: { address: idOfSignature(item.owner), key: encodeBase64url(item.owner) },
      tags: TAGS,
      signature: encodeBase64url(item.signature),
      anchor: '00000000000000000000000000000042',
      target: encodeBase64url(bytes32(1)),
      data: 'text'
    })
    expect(wireOfItem(binary)).toMatchObject({ anchor: null, target: '', data: 'a\u{FFFD}\u{FFFD}\0' })
  })
})

describe('asSigned', () => {
  it.each([
    ['text', wire, item],
    ['lossy data, no anchor', wireOfItem(binary), binary],
    ['binary data as null', { ...wireOfItem(binary), data: null }, binary],
    ['an anchor shown as empty', { ...wireOfItem(binary), anchor: '' }, binary],
    ['no target as null', { ...wireOfItem(binary), target: null }, binary],
    ['an assignment', assignmentWire(unread), unread]
  ])('changes nothing that is shown correctly: %s', (_, shown, truth) => {
    expect(asSigned(shown, truth)).toEqual({ wire: shown, changed: [] })
  })

  it('does not add a hidden anchor to an assignment', () => {
    const assignment = signedItem(ethereumSigner(1), { anchor: bytes32(0xfe), tags: TAGS })
    const shown = { ...assignmentWire(assignment), anchor: null }
    expect(asSigned(shown, assignment).changed).toEqual([])
    expect(asSigned({ ...shown, anchor: encodeBase64url(bytes32(1)) }, assignment).changed).toEqual(['anchor'])
    expect(asSigned({ ...shown, tags: TAGS.slice(1) }, assignment)).toEqual({ wire: shown, changed: ['tags'] })
  })

  it.each([
    ['data', { data: 'texT' }],
    ['data', { data: null }],
    ['tags', { tags: [...TAGS].reverse() }],
    ['tags', { tags: TAGS.slice(1) }],
    ['tags', { tags: [...TAGS, ...TAGS] }],
    ['tags', { tags: [TAGS[0] ?? { name: '', value: '' }, { name: 'c', value: 'x' }] }],
    ['tags', { tags: [TAGS[0] ?? { name: '', value: '' }, { name: 'x', value: 'd' }] }],
    ['target', { target: '' }],
    ['target', { target: null }],
    ['anchor', { anchor: null }],
    ['anchor', { anchor: encodeBase64url(TEXT_ANCHOR) }],
    ['owner', { owner: { ...wire.owner, address: 'x' } }],
    ['owner', { owner: { ...wire.owner, key: 'x' } }]
  ])('corrects the field: %s', (field, altered) => {
    expect(asSigned({ ...wire, ...altered }, item)).toEqual({ wire, changed: [field] })
  })

  it('corrects a binary anchor that is shown although a module never sees it', () => {
    const shown = { ...wireOfItem(binary), anchor: encodeBase64url(binary.anchor) }
    expect(asSigned(shown, binary)).toEqual({ wire: wireOfItem(binary), changed: ['anchor'] })
  })

  it('corrects several fields, and always the id and the signature', () => {
    const shown = { ...wire, signature: 'x', data: 'x', target: 'x' }
    expect(asSigned(shown, item)).toEqual({ wire, changed: ['target', 'data'] })
  })
})
