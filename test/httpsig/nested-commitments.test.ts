import { describe, expect, it } from 'vitest'
import { HTTPSIG_LIMITS } from '../../src/httpsig/httpsig-limits.ts'
import { verifyHttpMessage } from '../../src/httpsig/verify-http-message.ts'
import { judge, plain, reasonOf, signatureOf, sortedKinds } from './judged.ts'
import { baseOf, hash64, hmacOf, NODE, type Sample, send, signBytes, signedFields, sortedLines, USER } from './sample-node.ts'

const FIELDS = [
  ['action', 'Mint'],
  ['data', 'a'],
  ['quantity', '5']
] as const

/** A commitment by the user over some of the fields, with parameters of its own. */
function partly(
  names: readonly string[],
  parameters: Readonly<Record<string, string>> = {},
  changed: Readonly<Record<string, string>> = {}
) {
  const covered = { fields: FIELDS.filter(([name]) => names.includes(name)) }
  const given = Object.entries({ alg: 'rsa-pss-sha512', keyid: USER.keyid, ...parameters }).toSorted(([a], [b]) =>
    a < b ? -1 : 1
  )
  const text = given.map(([name, value]) => `;${name}=${['created', 'expires'].includes(name) ? value : `"${value}"`}`).join('')
  const signature = signBytes(USER, baseOf(sortedLines(signedFields(covered).fields), text))
  const fields = {
    'commitment-device': 'httpsig@1.0',
    committer: USER.address,
    keyid: USER.keyid,
    signature: signature.toString('base64url'),
    type: 'rsa-pss-sha512',
    ...parameters,
    ...changed
  }
  const list = { fields: names.map((name, place) => [String(place + 1), name] as const) }
  return [hash64(signature), { fields: Object.entries(fields), nested: [['committed', list]] }] as const
}

const bundled = (message: Sample) => send({ fields: [['slot', '1']], nested: [['body', message]] }, { bundle: true })
const first = (message: Sample) => judge(bundled(message)).nested[0]?.commitments.find(({ kind }) => kind !== 'checksum')

describe('a nested message', () => {
  it('has as signed only the fields that its signer lists', () => {
    const found = first({ fields: FIELDS, written: [partly(['action', 'data'])] })
    expect(found?.kind === 'signature' && plain(found.content)).toEqual({
      fields: [
        ['action', 'Mint'],
        ['data', 'a']
      ],
      messages: []
    })
  })

  it('is signed with all parameters that a commitment may have', () => {
    const parameters = { tag: 'a/b', nonce: 'n', created: '7', expires: '9', bundle: 'false' }
    const found = first({ fields: FIELDS, written: [partly(['quantity'], parameters)] })
    expect(found).toMatchObject({ kind: 'signature', signer: USER.address, tag: 'a/b' })
    const altered = first({ fields: FIELDS, written: [partly(['quantity'], parameters, { created: '8' })] })
    expect(reasonOf(altered)).toBe('it does not match what it covers')
  })

  it('has its signed messages linked in turn', () => {
    const inner: Sample = { fields: [['x', '1']], signers: [USER] }
    const outer: Sample = { fields: [['y', '2']], nested: [['inner', inner]], signers: [NODE] }
    const linked = signatureOf(judge(bundled(outer))).content.messages.get('body')
    const byNode = linked?.kind === 'signed' ? linked.commitments.find(({ kind }) => kind === 'signature') : undefined
    if (byNode?.kind !== 'signature') throw new Error('it is not signed')
    expect(plain(byNode.content)).toMatchObject({
      fields: [['y', '2']],
      messages: [['inner', ['signed', expect.any(String), [[USER.address, expect.anything()]]]]]
    })
  })

  it('is refused where the commitment says something untrue of itself', () => {
    const reason = (changed: Readonly<Record<string, string>>, names: readonly string[] = ['action']) =>
      reasonOf(first({ fields: FIELDS, written: [partly(names, {}, changed)] }))
    expect(reason({ committer: NODE.address })).toBe('the committer is not the one of the key')
    expect(reason({ keyid: NODE.keyid, committer: NODE.address })).toBe('it does not match what it covers')
    expect(reason({ signature: 'AAAA' })).toBe('the id is not that of the signature')
    expect(reason({ signature: '!' })).toBe('the id is not that of the signature')
    expect(reason({ type: 'rsa-v1' })).toBe('commitments of rsa-v1 are not verified')
    expect(reason({ keyid: 'secret:x' })).toBe('its key is no RSA key of 4096 bits')
    expect(reason({}, ['action', 'action'])).toBe('a name is covered twice')
    expect(reason({}, ['action', 'missing'])).toBe('there is no missing')
  })

  it('has no id where a commitment that names a signer has not the id of its signature', () => {
    const [, commitment] = partly(['action'])
    const judged = judge(bundled({ fields: FIELDS, written: [[hash64(Buffer.from('other')), commitment]] }))
    expect(reasonOf(judged.commitments[0])).toBe('body+link: the id of a commitment is not that of its signature')
  })

  it('has a checksum that is not its signature, whatever signer it names', () => {
    const id = hmacOf(
      baseOf(sortedLines(signedFields({ fields: FIELDS }).fields), ';alg="hmac-sha256";keyid="constant:ao"')
    ).toString('base64url')
    const claim = {
      'commitment-device': 'httpsig@1.0',
      keyid: 'constant:ao',
      type: 'hmac-sha256',
      signature: id,
      committer: NODE.address
    }
    const forged: Sample = { fields: FIELDS, written: [[id, { fields: Object.entries(claim) }]] }
    const { commitments, nested } = judge(
      send({ fields: [['slot', '1']], nested: [['body', { ...forged, signers: [USER] }]] }, { bundle: true })
    )
    expect(sortedKinds(nested[0]?.commitments ?? [])).not.toContain('item')
    expect(commitments.map(({ kind }) => kind)).toEqual(['refused', 'refused'])
  })

  it('with more commitments than the limit has each refused', () => {
    const written = Array.from({ length: 3 }, () => partly(['action']))
    const { headers, body } = bundled({ fields: FIELDS, written })
    const judged = verifyHttpMessage(headers, body, { ...HTTPSIG_LIMITS, maxCommitments: 3 })
    const found = judged.ok ? (judged.value.nested[0]?.commitments ?? []) : []
    expect(found.map(reasonOf)).toEqual(Array(4).fill('one message has too many commitments'))
  })

  it('with one commitment twice makes the parts unreadable', () => {
    const one = partly(['action'])
    const judged = judge(bundled({ fields: FIELDS, written: [one, one] }))
    expect([reasonOf(judged.commitments[0]), judged.nested]).toEqual([`multipart body: ${one[0]} occurs twice`, []])
  })
})

describe('a page of many messages', () => {
  it('is judged in a time that grows with their number, and its signatures are counted', () => {
    const commitment = partly(['action'])
    const slots = Array.from({ length: 300 }, (_, slot) => [String(slot), { fields: FIELDS, written: [commitment] }] as const)
    const { headers, body } = send({ fields: [], nested: [['assignments', { fields: [], nested: slots }]] }, { bundle: true })
    const begun = performance.now()
    const judged = judge({ headers, body })
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect(judged.commitments.map(({ kind }) => kind)).toEqual(['signature', 'checksum'])
    const linked = signatureOf(judged).content.messages.get('assignments')
    expect(linked?.kind === 'whole' && linked.content.messages.size).toBe(300)
    const limited = verifyHttpMessage(headers, body, { ...HTTPSIG_LIMITS, maxSignatures: 100 })
    const nested = limited.ok ? limited.value.nested.flatMap(({ commitments }) => commitments) : []
    expect(nested.filter((one) => reasonOf(one) === 'there are too many signatures').length).toBe(201)
  })
})
