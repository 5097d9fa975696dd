import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HTTPSIG_LIMITS } from '../../src/httpsig/httpsig-limits.ts'
import { verifyHttpMessage } from '../../src/httpsig/verify-http-message.ts'
import { judge, kinds, plain, reasonOf, signatureOf, sortedKinds, text, unreadable } from './judged.ts'
import {
  contentDigest,
  hash64,
  idOf,
  NODE,
  type Sample,
  type Sent,
  send,
  signatureHeaders,
  signedFields,
  USER
} from './sample-node.ts'

const MESSAGE: Sample = {
  fields: [
    ['action', 'Mint'],
    ['data', 'a\nb'],
    ['Type', 'Message'],
    ['type', 'message']
  ],
  signers: [USER]
}
const STATE: Sample = {
  fields: [
    ['ao-types', 'slot="integer"'],
    ['slot', '7'],
    ['path', 'compute'],
    ['status', '200'],
    ['body', 'the result']
  ],
  nested: [
    ['message', MESSAGE],
    [
      'plain',
      {
        fields: [['x', '1']],
        nested: [
          ['deep', { fields: [['y', '2']] }],
          ['none', { fields: [] }]
        ]
      }
    ]
  ]
}
const EMPTY_OUTBOX: Sample = { fields: [], nested: [['outbox', { fields: [] }]] }

/** The same message with one header changed. */
function withHeader(sent: Sent, name: string, change: (value: string) => string): Sent {
  return { ...sent, headers: sent.headers.map(([header, value]) => [header, header === name ? change(value) : value] as const) }
}

/** The same message with another body, and the digest of it. */
function withBody(sent: Sent, body: Buffer): Sent {
  return withHeader({ ...sent, body }, 'content-digest', () => contentDigest(body))
}

describe('a message whose values are all headers', () => {
  it('is signed by the node, and its checksum is no signature', () => {
    const judged = judge(send(STATE, { tag: 'a/b' }))
    expect(kinds(judged)).toEqual(['signature', 'checksum'])
    expect(signatureOf(judged)).toMatchObject({
      signer: NODE.address,
      algorithm: 'rsa-pss-sha512',
      tag: 'a/b',
      form: 'as sent'
    })
    expect(judged.commitments[1]).not.toHaveProperty('signer')
    expect(judged.commitments[1]).not.toHaveProperty('content')
    expect(judged.id).toBe(signatureOf(judged).id)
  })

  it('has as signed exactly what is covered: no other header, and links without what they lead to', () => {
    const { content } = signatureOf(judge(send(STATE)))
    expect(plain(content)).toEqual({
      fields: [
        ['ao-types', 'slot="integer"'],
        ['body', 'the result'],
        ['path', 'compute'],
        ['slot', '7'],
        ['status', '200']
      ],
      messages: [
        ['message', { kind: 'absent', id: idOf(MESSAGE) }],
        ['plain', { kind: 'absent', id: idOf(STATE.nested?.[1]?.[1] ?? MESSAGE) }]
      ]
    })
  })

  it('may cover nothing at all', () => {
    const judged = judge(send({ fields: [] }))
    expect(kinds(judged)).toEqual(['signature', 'checksum'])
    expect(text(signatureOf(judged).base)?.startsWith('\n"@signature-params": ();alg=')).toBe(true)
  })

  it('is judged without a signature too, and then has none', () => {
    const judged = judge({ headers: [['status', '404']], body: Buffer.from('<html>') })
    expect(judged).toEqual({ id: undefined, commitments: [], nested: [] })
  })

  it('keeps the order of the covered list where it has more than 32 names', () => {
    const names = Array.from({ length: 40 }, (_, number) => `key${(number * 17) % 40}`)
    const lines = names.map((name) => [name, Buffer.from(`v${name}`)] as const)
    const headers = [...lines.map(([name, value]) => [name, value.toString()] as const), ...signatureHeaders(lines)]
    const { content } = signatureOf(judge({ headers, body: Buffer.alloc(0) }))
    expect([...content.fields.keys()]).toEqual(names)
  })

  it('covers a long name in either form in which it is sent', () => {
    const sample: Sample = {
      fields: [
        ['A'.repeat(43), '5'],
        ['B'.repeat(32), '6'],
        ['C'.repeat(42), '7'],
        ['D'.repeat(41), '8']
      ]
    }
    for (const plainNames of [false, true]) {
      const { content } = signatureOf(judge(send(sample, { plainNames })))
      expect(new Map([...content.fields].map(([name, value]) => [name, text(value)]))).toEqual(new Map(sample.fields))
    }
  })
})

describe('the body', () => {
  it('is signed if its digest is, under the name that is signed for it', () => {
    const { content } = signatureOf(judge(send({ fields: [['data', 'print(1)']] })))
    expect(plain(content)).toEqual({
      fields: [
        ['ao-body-key', 'data'],
        ['data', 'print(1)']
      ],
      messages: []
    })
  })

  it('has not the name that an unsigned header gives it', () => {
    const sent = send({ fields: [['body', 'print(1)']] })
    const { content } = signatureOf(judge({ ...sent, headers: [...sent.headers, ['ao-body-key', 'secret']] }))
    expect([...content.fields.keys()]).toEqual(['body'])
  })

  it('is not signed if it is a page for people', () => {
    const sent = send({ fields: [['slot', '7']] })
    const { content } = signatureOf(
      judge({ headers: [...sent.headers, ['content-type', 'text/html']], body: Buffer.from('<html>') })
    )
    expect([...content.fields.keys()]).toEqual(['slot'])
  })

  it('is the empty value if a digest of nothing is covered, whatever page is shown for it', () => {
    const sent = send({ fields: [['body', '']] })
    const headers = sent.headers.filter(([name]) => name !== 'content-digest')
    const { content } = signatureOf(judge({ headers, body: Buffer.from('<html>') }))
    expect([...content.fields].map(([name, value]) => [name, text(value)])).toEqual([['body', '']])
  })

  it('proves itself where only its digest got lost', () => {
    const sent = send({ fields: [['body', 'value']] })
    const headers = sent.headers.filter(([name]) => name !== 'content-digest')
    expect(text(signatureOf(judge({ ...sent, headers })).content.fields.get('body'))).toBe('value')
    expect(kinds(judge({ headers, body: Buffer.from('other') }))).toEqual(['refused', 'refused'])
  })

  it('makes a message unreadable if it is not the one of its digest', () => {
    expect(unreadable({ ...send(STATE), body: Buffer.from('the resulT') })).toBe('the body does not match its content-digest')
    expect(unreadable({ ...send(STATE, { bundle: true }), body: Buffer.from('') })).toBe(
      'the body does not match its content-digest'
    )
  })

  it('is bound by a signed hashpath that ends in its id, and by no other', () => {
    const body = Buffer.from('a value')
    const bound = (tag: string) =>
      signatureOf(judge({ ...send({ fields: [['x', '1']] }, { tag }), body })).content.fields.has('body')
    expect(bound(`base/read=${hash64(body)}`)).toBe(true)
    expect(bound(`base/read=${hash64(Buffer.from('other'))}`)).toBe(false)
    expect(bound(`base/read=${hash64(body)}/x`)).toBe(false)
    const lines = [['hashpath', Buffer.from(`base/read=${hash64(body)}`)]] as const
    const headers = [['hashpath', text(lines[0][1]) ?? ''] as const, ...signatureHeaders(lines)]
    expect(text(signatureOf(judge({ headers, body })).content.fields.get('body'))).toBe('a value')
    const unsigned = [
      ['hashpath', text(lines[0][1]) ?? ''] as const,
      ['x', '1'] as const,
      ...signatureHeaders([['x', Buffer.from('1')]])
    ]
    expect(signatureOf(judge({ headers: unsigned, body })).content.fields.has('body')).toBe(false)
  })

  it('has the long values of a message as parts, each signed', () => {
    const sample: Sample = {
      fields: [
        ['body', 'short'],
        ['long', 'x'.repeat(5000)],
        ['slot', '7']
      ]
    }
    for (const bundle of [false, true]) {
      const { content } = signatureOf(judge(send(sample, { bundle })))
      const lengths = Object.fromEntries([...content.fields].map(([name, { length }]) => [name, length]))
      expect(lengths).toEqual({ body: 5, long: 5000, slot: 1 })
    }
  })
})

describe('a bundled message', () => {
  it('covers nested messages through their ids: unsigned ones with all fields, signed ones with what their signer signed', () => {
    const judged = judge(send(STATE, { bundle: true }))
    const { content, form } = signatureOf(judged)
    expect(form).toBe('ids computed')
    expect(plain(content)).toEqual({
      fields: [
        ['ao-types', 'slot="integer"'],
        ['body', 'the result'],
        ['path', 'compute'],
        ['slot', '7'],
        ['status', '200']
      ],
      messages: [
        [
          'message',
          [
            'signed',
            idOf(MESSAGE),
            [
              [
                USER.address,
                {
                  fields: [
                    ['Type', 'Message'],
                    ['action', 'Mint'],
                    ['data', 'a\nb'],
                    ['type', 'message']
                  ],
                  messages: []
                }
              ]
            ]
          ]
        ],
        [
          'plain',
          [
            'whole',
            idOf(STATE.nested?.[1]?.[1] ?? MESSAGE),
            {
              fields: [['x', '1']],
              messages: [
                ['deep', ['whole', idOf({ fields: [['y', '2']] }), { fields: [['y', '2']], messages: [] }]],
                ['none', ['whole', idOf({ fields: [] }), { fields: [], messages: [] }]]
              ]
            }
          ]
        ]
      ]
    })
  })

  it('lists every nested message with commitments, each judged by itself', () => {
    const { nested } = judge(send(STATE, { bundle: true }))
    expect(nested.map(({ path, commitments }) => [path.join('/'), sortedKinds(commitments)])).toEqual([
      ['message', ['checksum', 'signature']],
      ['plain', ['checksum']],
      ['plain/deep', ['checksum']],
      ['plain/none', ['checksum']]
    ])
  })

  it('proves its nested messages although nobody signed it', () => {
    const { headers, body } = send(STATE, { bundle: true })
    const judged = judge({ headers: headers.filter(([name]) => !name.startsWith('signature')), body })
    expect(judged.commitments).toEqual([])
    expect(judged.nested[0]?.commitments).toContainEqual(expect.objectContaining({ kind: 'signature', signer: USER.address }))
  })

  it('has an empty outbox', () => {
    const { content } = signatureOf(judge(send(EMPTY_OUTBOX, { bundle: true })))
    expect(content.messages.get('outbox')).toMatchObject({ kind: 'whole', id: idOf({ fields: [] }) })
  })

  it('is judged without the status that the node added after signing, and that is then not signed', () => {
    const assignment: Sample = {
      fields: [
        ['ao-types', 'slot="integer"'],
        ['slot', '7'],
        ['path', 'compute']
      ],
      nested: [['body', MESSAGE]]
    }
    const { content, form } = signatureOf(judge(send(assignment, { bundle: true, addStatus: true })))
    expect(form).toBe('ids computed, type of status left out')
    expect(content.fields.has('status')).toBe(false)
    expect(text(content.fields.get('ao-types'))).toBe('slot="integer"')
  })

  it('covers nothing of a part whose link was sent as well, if that has another id', () => {
    const { headers, body } = send(STATE, { bundle: true })
    const other = send({ fields: [['x', '1']] }).headers.filter(([name]) => name === 'x')
    const link = [['message+link', idOf({ fields: [['other', '1']] })] as const]
    const lines = [['message+link', Buffer.from(link[0]?.[1] ?? '')]] as const
    const kept = headers.filter(([name]) => !name.startsWith('signature'))
    const judged = judge({ headers: [...kept, ...link, ...other, ...signatureHeaders(lines)], body })
    expect(signatureOf(judged).content.messages.get('message')).toMatchObject({ kind: 'absent' })
  })

  it('is refused if its parts are not what was signed, with the same digest for the transfer', () => {
    const sent = send(STATE, { bundle: true })
    const altered = Buffer.from(sent.body.toString('latin1').replace('\r\nx: 1', '\r\nx: 2'), 'latin1')
    const judged = judge(withBody(sent, altered))
    expect(judged.commitments.map(reasonOf)).toEqual(['it does not match what it covers', 'it does not match what it covers'])
    expect(sortedKinds(judged.nested[0]?.commitments ?? [])).toEqual(['checksum', 'signature'])
  })

  it('keeps what its own signer did not sign out of a nested message', () => {
    const sent = send(STATE, { bundle: true })
    const altered = Buffer.from(
      sent.body.toString('latin1').replace('\r\naction: Mint', '\r\naction: Mint\r\nadded: 1'),
      'latin1'
    )
    const linked = signatureOf(judge(withBody(sent, altered))).content.messages.get('message')
    if (linked?.kind !== 'signed') throw new Error('the message is not linked')
    expect(sortedKinds(linked.commitments)).toEqual(['refused', 'signature'])
    const signed = linked.commitments.find(({ kind }) => kind === 'signature')
    expect(signed?.kind === 'signature' && [...signed.content.fields.keys()]).toEqual(['Type', 'action', 'data', 'type'])
  })

  it('has an id that is the sum of the ids of several signers', () => {
    const sample: Sample = { fields: [], nested: [['both', { fields: [['x', '1']], signers: [USER, NODE] }]] }
    const linked = signatureOf(judge(send(sample, { bundle: true }))).content.messages.get('both')
    expect(linked).toMatchObject({ kind: 'signed', id: idOf(sample.nested?.[0]?.[1] ?? MESSAGE) })
  })

  it('is not proven by the sum of more than four ids, for which another message can be found', () => {
    const signers = Array.from({ length: 5 }, () => USER)
    const sample: Sample = { fields: [], nested: [['many', { fields: [['x', '1']], signers }]] }
    const judged = judge(send(sample, { bundle: true }))
    expect(reasonOf(judged.commitments[0])).toBe('many+link: 5 signers are too many for one id')
  })
})

describe('one changed bit', () => {
  /** Each bit of some bytes, changed alone. */
  function* flips(value: string, step = 1): Generator<string> {
    for (let bit = 0; bit < value.length * 8; bit += step) {
      const bytes = Buffer.from(value, 'latin1')
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      yield bytes.toString('latin1')
    }
  }
  const isValid = (one: ReturnType<typeof verifyHttpMessage>, place: number) =>
    one.ok && ['signature', 'checksum'].includes(one.value.commitments[place]?.kind ?? '')

  for (const bundle of [false, true]) {
    const sent = send(STATE, { bundle, tag: 'a/b' })
    const form = bundle ? 'bundled' : 'sent by links'

    it(`of any covered header of a message ${form} leaves neither signature nor checksum`, () => {
      const covered = [...signedFields(STATE).fields.keys()]
      for (const [place, [name, value]] of sent.headers.entries()) {
        if (!covered.includes(name)) continue
        // A digest that got lost is computed again: the body is what was signed, or it is refused.
        const names = name === 'content-digest' ? [] : [...flips(name)]
        for (const [changed, other] of [...[...flips(value)].map((one) => [name, one]), ...names.map((one) => [one, value])]) {
          const judged = verifyHttpMessage(sent.headers.with(place, [changed ?? '', other ?? '']), sent.body)
          expect([isValid(judged, 0), isValid(judged, 1)], `${name}: ${changed} ${other}`).toEqual([false, false])
        }
      }
    })

    it(`of either signature header of a message ${form} refuses the commitment that it belongs to`, () => {
      for (const [place, [name, value]] of sent.headers.entries()) {
        if (name !== 'signature' && name !== 'signature-input') continue
        const second = value.indexOf(', comm-')
        let bit = 0
        const step = bundle ? 3 : 1
        for (const changed of flips(value, step)) {
          const judged = verifyHttpMessage(sent.headers.with(place, [name, changed]), sent.body)
          expect(isValid(judged, bit >> 3 < second ? 0 : 1), `${name} at ${bit}`).toBe(false)
          bit += step
        }
      }
    })

    it(`of the body of a message ${form} makes it unreadable`, () => {
      for (const changed of flips(sent.body.toString('latin1')))
        expect(verifyHttpMessage(sent.headers, Buffer.from(changed, 'latin1')).ok).toBe(false)
    })
  }

  it('of a bundled body, with a digest that fits again, never passes anything else as signed', () => {
    const sent = send(STATE, { bundle: true })
    const judged = judge(sent)
    const signed = plain(signatureOf(judged).content, false)
    const user = judged.nested[0]?.commitments.find(({ kind }) => kind === 'signature')
    if (user?.kind !== 'signature') throw new Error('the nested message is not signed')
    let still = 0
    for (const changed of flips(sent.body.toString('latin1'), 7)) {
      const altered = withBody(sent, Buffer.from(changed, 'latin1'))
      const found = verifyHttpMessage(altered.headers, altered.body)
      if (!found.ok) continue
      for (const one of found.value.commitments) if (one.kind === 'signature') expect(plain(one.content, false)).toEqual(signed)
      for (const one of found.value.nested.flatMap(({ commitments }) => commitments))
        if (one.kind === 'signature') expect(plain(one.content)).toEqual(plain(user.content))
      still += found.value.commitments.filter(({ kind }) => kind === 'signature').length
    }
    expect(still).toBeGreaterThan(100)
  })
})

describe('a hostile message', () => {
  const lines = [['x', Buffer.from('1')]] as const
  const signed = (...extra: (readonly [string, string])[]): Sent => ({
    headers: [...extra, ...signatureHeaders(lines)],
    body: Buffer.alloc(0)
  })

  it('is refused where a covered header occurs twice, be it with the same value', () => {
    expect(judge(signed(['x', '1'], ['x', '1'])).commitments.map(reasonOf)).toEqual(['x occurs twice', 'x occurs twice'])
    expect(judge(signed()).commitments.map(reasonOf)).toEqual(['there is no x', 'there is no x'])
    expect(kinds(judge(signed(['x', '1'], ['y', '1'], ['y', '2'])))).toEqual(['signature', 'checksum'])
  })

  it('is unreadable where a header that says how to read it occurs twice', () => {
    for (const name of ['signature', 'signature-input', 'content-digest', 'content-type', 'ao-body-key'])
      expect(
        unreadable({
          headers: [
            [name, ''],
            [name, '']
          ],
          body: Buffer.alloc(0)
        })
      ).toBe(`${name} occurs twice`)
  })

  it('is refused where a name is covered twice', () => {
    const headers = [['x', '1'] as const, ...signatureHeaders([...lines, ...lines])]
    expect(judge({ headers, body: Buffer.alloc(0) }).commitments.map(reasonOf)).toEqual(
      Array(2).fill('a name is covered twice')
    )
    const both = signatureHeaders([...lines, ...lines])
    const at = both.map(([name, value]) => [name, value.replaceAll('("x" "x")', '("x" "@x")')] as const)
    expect(judge({ headers: [['x', '1'], ...at], body: Buffer.alloc(0) }).commitments.map(reasonOf)).toEqual(
      Array(2).fill('a name is covered twice')
    )
  })

  it('is refused where one name would have two signed values', () => {
    const body = Buffer.from('b')
    const digest = ['content-digest', contentDigest(body)] as const
    const reasons = (...given: readonly (readonly [string, string])[]) => {
      const covered = given.map(([name, value]) => [name, Buffer.from(value)] as const)
      return judge({ headers: [...given, ...signatureHeaders(covered)], body }).commitments.map(reasonOf)
    }
    expect(reasons(digest, ['body', 'other'])).toEqual(['a name has two values', 'checksum'])
    expect(reasons(['x', '1'], ['x+link', 'id'])).toEqual(['a name has two values', 'checksum'])
    expect(reasons(digest, ['data', 'x'])).toEqual(['signature', 'checksum'])
  })

  it('is unreadable where labels do not pair up, or one signature stands under two', () => {
    const [signature = '', input = ''] = signatureHeaders(lines).map(([, value]) => value)
    const one = (text: string) => text.split(', ')[0] ?? ''
    const cases = [
      [one(signature), input],
      [signature, one(input)],
      [signature, '']
    ] as const
    for (const [given, inputs] of cases)
      expect(
        unreadable({
          headers: [
            ['signature', given],
            ['signature-input', inputs]
          ],
          body: Buffer.alloc(0)
        })
      ).toBe('signature and signature-input have different labels')
    const twice = (text: string) => `${one(text)}, ${one(text).replace(/^comm-/, 'comm-b')}`
    expect(
      unreadable({
        headers: [
          ['signature', twice(signature)],
          ['signature-input', twice(input)]
        ],
        body: Buffer.alloc(0)
      })
    ).toBe('one signature occurs twice')
  })

  it('has no names that mean something to a program', () => {
    const sample: Sample = {
      fields: [
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['hasOwnProperty', 'h']
      ],
      nested: [['toString', { fields: [['__proto__', '1']] }]]
    }
    const { content } = signatureOf(judge(send(sample, { bundle: true })))
    expect([...content.fields.keys()]).toEqual(['__proto__', 'constructor', 'hasOwnProperty'])
    expect(content.messages.get('toString')?.kind).toBe('whole')
    expect(({} as Record<string, unknown>)['p']).toBeUndefined()
  })

  it('cannot move bytes from one covered value to the next', () => {
    const first = [
      ['a', Buffer.from('1\n"b": 2')],
      ['b', Buffer.from('3')]
    ] as const
    const second = [
      ['a', '1'],
      ['b', '2\n"b": 3']
    ] as const
    const headers = [...second, ...signatureHeaders(first)]
    expect(judge({ headers, body: Buffer.alloc(0) }).commitments.map(reasonOf)).toEqual(
      Array(2).fill('the value of b can be read as further lines')
    )
    const shown = first.map(([name, value]) => [name, value.toString()] as const)
    expect(judge({ headers: [...shown, ...signatureHeaders(first)], body: Buffer.alloc(0) }).commitments.map(reasonOf)).toEqual(
      Array(2).fill('the value of a can be read as further lines')
    )
  })

  it('may have line feeds in its values where they leave no doubt', () => {
    const values = [
      ['a', Buffer.from('1\n"z": 2\n"a": 3\r\n')],
      ['b', Buffer.from('\n')]
    ] as const
    const shown = values.map(([name, value]) => [name, value.toString()] as const)
    expect(kinds(judge({ headers: [...shown, ...signatureHeaders(values)], body: Buffer.alloc(0) }))).toEqual([
      'signature',
      'checksum'
    ])
  })

  it('has an algorithm or a key that is not verified, which is said', () => {
    const input = (alg: string, keyid: string) => ({
      headers: [['signature', 'a=:AAAA:'] as const, ['signature-input', `a=();alg="${alg}";keyid="${keyid}"`] as const],
      body: Buffer.alloc(0)
    })
    const reason = (alg: string, keyid: string) =>
      judge(input(alg, keyid)).commitments.map((one) => [one.kind, reasonOf(one)])[0]
    expect(reason('ed25519', 'publickey:AAAA')).toEqual(['unsupported', 'commitments of ed25519 are not verified'])
    expect(reason('hmac-sha256', 'secret:x')).toEqual(['unsupported', 'commitments of hmac-sha256 are not verified'])
    expect(reason('', '')).toEqual(['unsupported', 'commitments of no algorithm are not verified'])
    expect(reason('rsa-pss-sha512', 'publickey:AAAA')).toEqual(['unsupported', 'its key is no RSA key of 4096 bits'])
    expect(reason('rsa-pss-sha512', 'constant:ao')).toEqual(['unsupported', 'its key is no RSA key of 4096 bits'])
    expect(reason('rsa-pss-sha512', NODE.keyid)).toEqual(['refused', 'it does not match what it covers'])
  })

  it('is never taken for signed because its checksum fits', () => {
    const checksum = signatureHeaders(lines).map(([name, value]) => [name, value.slice(value.indexOf(', comm-') + 2)] as const)
    const judged = judge({ headers: [['x', '1'], ...checksum], body: Buffer.alloc(0) })
    expect(kinds(judged)).toEqual(['checksum'])
    const asRsa = checksum.map(
      ([name, value]) => [name, value.replace('hmac-sha256', 'rsa-pss-sha512').replace('constant:ao', NODE.keyid)] as const
    )
    expect(kinds(judge({ headers: [['x', '1'], ...asRsa], body: Buffer.alloc(0) }))).toEqual(['refused'])
  })

  it('is unreadable beyond each limit', () => {
    const none = Buffer.alloc(0)
    const why = (limits: Partial<typeof HTTPSIG_LIMITS>, { headers, body }: Sent) => {
      const judged = verifyHttpMessage(headers, body, { ...HTTPSIG_LIMITS, ...limits })
      return judged.ok ? judged.value.commitments.map(reasonOf)[0] : judged.reason
    }
    const sent = send(STATE, { bundle: true })
    expect(why({ maxHeaders: 3 }, sent)).toMatch(/^\d+ headers are too many$/)
    expect(why({ maxHeaderBytes: 100 }, sent)).toBe('the headers are too large')
    expect(why({ maxBodyBytes: 10 }, sent)).toMatch(/^a body of \d+ bytes is too large$/)
    expect(why({ maxCommitments: 1 }, sent)).toMatch(/^signature-input: more than 1 members at \d+$/)
    expect(why({ maxCovered: 2 }, sent)).toMatch(/^signature-input: more than 2 names at \d+$/)
    expect(why({ maxSignatures: 0 }, sent)).toBe('there are too many signatures')
    expect(why({ maxParts: 2 }, sent)).toBe('multipart body: more than 2 parts')
    expect(why({ maxFields: 2 }, sent)).toBe('multipart body: too many fields')
    expect(why({ maxDepth: 1 }, sent)).toBe('multipart body: a part lies more than 1 deep')
    expect(why({}, { headers: [['x', '\u0100']], body: none })).toBe('a header has characters above a byte')
  })

  it('of any kind is judged without an exception', () => {
    const word = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom('signature', 'signature-input', 'content-type', 'content-digest', 'ao-body-key', 'ao-types', '__proto__')
    )
    const sent = send(STATE, { bundle: true })
    const value = fc.oneof(fc.string({ maxLength: 80 }), fc.constantFrom(...sent.headers.map(([, one]) => one)))
    const headers = fc.array(fc.tuple(word, value), { maxLength: 8 })
    const cut = fc.tuple(fc.nat(sent.body.length), fc.nat(sent.body.length)).map(([from, to]) => sent.body.subarray(from, to))
    fc.assert(
      fc.property(headers, fc.oneof(cut, fc.uint8Array({ maxLength: 200 })), fc.boolean(), (others, body, withSent) => {
        const judged = verifyHttpMessage(
          withSent ? [...sent.headers.filter(([name]) => name !== 'content-digest'), ...others] : others,
          body
        )
        if (judged.ok)
          expect(judged.value.commitments.filter(({ kind }) => kind === 'signature' && body.length < sent.body.length)).toEqual(
            []
          )
        else expect(judged.reason).toMatch(/./)
      })
    )
  })
})
