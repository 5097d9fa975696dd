import { ArweaveSigner, createData, type DataItem } from 'arbundles'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ItemSignature } from '../../src/httpsig/commitment.ts'
import { readHeaderTags } from '../../src/httpsig/item-commitment.ts'
import { judge, reasonOf, signatureOf, sortedKinds, text } from './judged.ts'
import { contentDigest, hash64, type Sample, type Sent, send, USER } from './sample-node.ts'

const TAGS = [
  { name: 'Action', value: 'Mint' },
  { name: 'Dup', value: '1' },
  { name: 'dup', value: '"2"' },
  { name: 'Data-Protocol', value: 'ao' }
]
const TARGET = Buffer.alloc(32, 3).toString('base64url')
const ANCHOR = 'a'.repeat(32)

/** What HyperBEAM makes of the item's tags. */
const FIELDS = [
  ['action', 'Mint'],
  ['anchor', Buffer.from(ANCHOR).toString('base64url')],
  ['data', 'print(1)\n'],
  ['data-protocol', 'ao'],
  ['dup', '"1", "\\"2\\""'],
  ['target', TARGET]
] as const

let item: DataItem

beforeAll(async () => {
  const signer = new ArweaveSigner(USER.privateKey.export({ format: 'jwk' }) as ConstructorParameters<typeof ArweaveSigner>[0])
  item = createData('print(1)\n', signer, { tags: TAGS, target: TARGET, anchor: ANCHOR })
  await item.sign(signer)
})

interface Shown {
  readonly fields?: Sample['fields']
  readonly tags?: readonly { readonly name: string; readonly value: string }[]
  readonly changed?: Readonly<Record<string, string>>
  readonly names?: readonly string[]
}

/** The item as a nested message, with the commitment that HyperBEAM makes of its signature. */
function shown({ fields = FIELDS, tags = TAGS, changed = {}, names = FIELDS.map(([name]) => name) }: Shown = {}): Sample {
  const commitment = {
    bundle: 'false',
    'commitment-device': 'ans104@1.0',
    committer: USER.address,
    'field-anchor': Buffer.from(ANCHOR).toString('base64url'),
    'field-target': TARGET,
    keyid: `publickey:${USER.modulus.toString('base64url')}`,
    signature: item.rawSignature.toString('base64url'),
    type: 'rsa-pss-sha256',
    ...changed
  }
  const list = names.map((name, place) => [String(place + 1), name] as const)
  const original = tags.map((tag, place) => [String(place + 1), { fields: Object.entries(tag) }] as const)
  const nested = [
    ['committed', { fields: [['ao-types', '.="list"'] as const, ...list] }] as const,
    ...(original.length > 0 ? [['original-tags', { fields: [], nested: original }] as const] : [])
  ]
  return { fields, written: [[hash64(item.rawSignature), { fields: Object.entries(commitment), nested }]] }
}

const assignment = (body: Sample): Sent =>
  send(
    {
      fields: [
        ['path', 'compute'],
        ['slot', '1']
      ],
      nested: [['body', body]]
    },
    { bundle: true }
  )

const nestedItem = (sample: Sample) =>
  judge(assignment(sample)).nested.flatMap(({ commitments }) => commitments.filter(({ kind }) => kind !== 'checksum'))[0]

function valid(sample: Sample): ItemSignature {
  const found = nestedItem(sample)
  if (found?.kind !== 'item') throw new Error(reasonOf(found))
  return found
}

describe('an item that is shown as a nested message', () => {
  it('is the signed item again, with its tags in their order and spelling', () => {
    const found = valid(shown())
    expect(found).toMatchObject({ id: item.id, signer: USER.address, algorithm: 'ans104@1.0/rsa-pss-sha256', differing: [] })
    expect(found.item.tags).toEqual(TAGS)
    expect([text(found.item.data), Buffer.from(found.item.target).toString('base64url'), text(found.item.anchor)]).toEqual([
      'print(1)\n',
      TARGET,
      ANCHOR
    ])
    expect([...found.content.fields].map(([name, value]) => [name, text(value)])).toEqual(FIELDS)
  })

  it('is linked by its id, and has as signed what its own signature covers', () => {
    const linked = signatureOf(judge(assignment(shown()))).content.messages.get('body')
    expect(linked).toMatchObject({ kind: 'signed', id: item.id })
    expect(linked?.kind === 'signed' && sortedKinds(linked.commitments)).toEqual(['checksum', 'item'])
  })

  it('names the fields that are shown otherwise than they were signed, and keeps them out of what is signed', () => {
    const altered = FIELDS.map(([name, value]) => [name, name === 'action' || name === 'dup' ? `${value}x` : value] as const)
    const found = valid(shown({ fields: altered }))
    expect(found.differing).toEqual(['action', 'dup'])
    expect([...found.content.fields.keys()]).toEqual(['anchor', 'data', 'data-protocol', 'target'])
    expect(found.item.tags[0]).toEqual({ name: 'Action', value: 'Mint' })
  })

  it('covers no field that is not in its list, and none that the item has not', () => {
    const found = valid(shown({ fields: [...FIELDS, ['extra', '1']], names: ['action', 'extra', 'missing'] }))
    expect([...found.content.fields.keys()]).toEqual(['action'])
    expect(found.differing).toEqual(['extra', 'missing'])
  })

  it('is refused if anything that its signature covers is another', () => {
    const misfit = 'the signature does not match the item'
    const cases: readonly (readonly [Shown, string])[] = [
      [{ tags: TAGS.with(0, { name: 'Action', value: 'Burn' }) }, misfit],
      [{ tags: TAGS.toReversed() }, misfit],
      [{ tags: TAGS.slice(1) }, misfit],
      [{ tags: [] }, misfit],
      [{ fields: FIELDS.map(([name, value]) => [name, name === 'data' ? 'print(2)' : value] as const) }, misfit],
      [{ changed: { 'field-target': Buffer.alloc(32).toString('base64url') } }, misfit],
      [{ changed: { 'field-anchor': '' } }, misfit],
      [{ changed: { 'field-target': '!' } }, 'target or anchor is not base64url'],
      [{ changed: { committer: 'x' } }, 'the committer is not the one of the key'],
      [{ changed: { signature: Buffer.alloc(512).toString('base64url') } }, 'the id is not that of the signature'],
      [{ names: ['action', 'action'] }, 'a name is covered twice']
    ]
    for (const [given, reason] of cases) expect(reasonOf(nestedItem(shown(given)))).toBe(reason)
  })

  it('is not verified if it is a bundle, or of another key or type', () => {
    expect(reasonOf(nestedItem(shown({ changed: { bundle: 'true' } })))).toBe('its item is a bundle')
    expect(reasonOf(nestedItem(shown({ changed: { keyid: 'publickey:AAAA' } })))).toBe('its key is no RSA key of 4096 bits')
    expect(reasonOf(nestedItem(shown({ changed: { type: 'ed25519' } })))).toBe(
      'commitments of ans104@1.0/ed25519 are not verified'
    )
  })

  it('may have its tags as its fields', async () => {
    const signer = new ArweaveSigner(
      USER.privateKey.export({ format: 'jwk' }) as ConstructorParameters<typeof ArweaveSigner>[0]
    )
    item = createData('', signer, {
      tags: [
        { name: 'type', value: 'Message' },
        { name: 'data', value: 'of a tag' },
        { name: 'action', value: 'x' }
      ]
    })
    await item.sign(signer)
    const none = { 'field-target': '', 'field-anchor': '' }
    const fields = [
      ['action', 'x'],
      ['type', 'Message']
    ] as const
    expect(reasonOf(nestedItem(shown({ fields, tags: [], changed: none, names: ['type', 'action'] })))).toBe(
      'the signature does not match the item'
    )
    item = createData('', signer, {
      tags: [
        { name: 'type', value: 'Message' },
        { name: 'action', value: 'x' }
      ]
    })
    await item.sign(signer)
    const found = valid(shown({ fields, tags: [], changed: none, names: ['type', 'action'] }))
    expect([...found.content.fields.keys()]).toEqual(['type', 'action'])
    item = createData('', signer, { tags: [{ name: 'Data', value: 'of a tag' }] })
    await item.sign(signer)
    const tagged = valid(
      shown({ fields: [['data', 'of a tag']], tags: [{ name: 'Data', value: 'of a tag' }], changed: none, names: ['data'] })
    )
    expect([text(tagged.item.data), tagged.differing]).toEqual(['', []])
  })
})

describe('an item that is shown as headers', () => {
  const headers = (change: (value: string) => string = (value) => value): Sent => {
    const tags = [...TAGS.entries()].map(
      ([place, { name, value }]) => `${place + 1}:${name}:${Buffer.from(value).toString('base64url')}`
    )
    const names = FIELDS.map(([name]) => name).filter((name) => name !== 'data')
    const list = [...names, 'ao-body-key', 'content-digest'].map((name) => `"${name}"`).join(' ')
    const parameters = `alg="ans104@1.0/rsa-pss-sha256";keyid="publickey:${USER.modulus.toString('base64url')}";bundle="false"`
    const fields = `original-tags="${tags.toReversed().join(', ')}";field-target="${TARGET}";field-anchor="${Buffer.from(ANCHOR).toString('base64url')}"`
    return {
      headers: [
        ...FIELDS.filter(([name]) => name !== 'data'),
        ['ao-body-key', 'data'],
        ['content-digest', contentDigest(Buffer.from('print(1)\n'))],
        ['signature', `comm-a=:${item.rawSignature.toString('base64')}:`],
        ['signature-input', change(`comm-a=(${list});${parameters};${fields}`)]
      ],
      body: Buffer.from('print(1)\n')
    }
  }

  beforeAll(async () => {
    const signer = new ArweaveSigner(
      USER.privateKey.export({ format: 'jwk' }) as ConstructorParameters<typeof ArweaveSigner>[0]
    )
    item = createData('print(1)\n', signer, { tags: TAGS, target: TARGET, anchor: ANCHOR })
    await item.sign(signer)
  })

  it('is the signed item again, and its id that of the message', () => {
    const judged = judge(headers())
    expect(judged.commitments).toMatchObject([{ kind: 'item', id: item.id, signer: USER.address, differing: [] }])
    expect(judged.id).toBe(item.id)
    const [found] = judged.commitments
    expect(found?.kind === 'item' && [...found.content.fields.keys()].toSorted()).toEqual(FIELDS.map(([name]) => name))
  })

  it('has no bit that can be changed unseen, but in the name of the parameter that nothing reads', () => {
    const sent = headers()
    for (const [place, [name, value]] of sent.headers.entries()) {
      const skipped = value.indexOf('bundle=')
      for (let bit = 0; bit < value.length * 8; bit += name.startsWith('signature') ? 5 : 1) {
        if (skipped >= 0 && bit >> 3 >= skipped && bit >> 3 < skipped + 'bundle'.length) continue
        const bytes = Buffer.from(value, 'latin1')
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const changed = { ...sent, headers: sent.headers.with(place, [name, bytes.toString('latin1')]) }
        let kind = 'unreadable'
        try {
          const [found] = judge(changed).commitments
          kind = found?.kind === 'item' && found.differing.length > 0 ? 'differing' : (found?.kind ?? '')
        } catch {
          // It is unreadable.
        }
        expect(kind, `${name} at ${bit}: ${bytes.toString('latin1')}`).not.toBe('item')
      }
    }
  })

  it('is refused where its tags cannot be read, and not verified where it is a bundle', () => {
    const reason = (from: string | RegExp, to: string) =>
      reasonOf(judge(headers((value) => value.replace(from, to))).commitments[0])
    expect(reason('1:Action:', '9:Action:')).toBe('the tags of its item cannot be read')
    expect(reason('bundle="false"', 'bundle="true"')).toBe('its item is a bundle')
    expect(reason('"action" ', '"action" "action" ')).toBe('a name is covered twice')
    expect(reason(/original-tags="[^"]*";/, '')).toBe('the signature does not match the item')
  })
})

describe('readHeaderTags', () => {
  const read = (given: string) => readHeaderTags(given)?.map(({ name, value }) => [text(name), text(value)])

  it('reads tags in the order of their numbers, whatever is in their names', () => {
    const numbers = Array.from({ length: 11 }, (_, place) => place + 1)
    const sorted = numbers.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))
    expect(read(sorted.map((number) => `${number}:n${number}:YQ`).join(', '))).toEqual(
      numbers.map((number) => [`n${number}`, 'a'])
    )
    expect(read('1:a:b, c:, 2:\u00e9:YQ')).toEqual([
      ['a:b, c', ''],
      ['\u00e9', 'a']
    ])
    expect(read('')).toEqual([])
  })

  it('refuses numbers that are missing or twice there, and values that are not canonical', () => {
    for (const given of ['2:a:', '1:a:, 1:b:', '1:a:, 3:b:', '0:a:', '1:a', '1:a:YR', 'a', '1:a:YQ, ', '1:a:YQ='])
      expect(read(given), given).toBeUndefined()
  })
})
