/** A node of the tests' own: signs messages and writes them as HyperBEAM does, with nothing of `src/` in it. */
import { constants, createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A message: bytes by name, nested messages by name, and who signed it if it is nested. */
export interface Sample {
  readonly fields: readonly (readonly [name: string, value: string | Uint8Array])[]
  readonly nested?: readonly (readonly [name: string, message: Sample])[]
  readonly signers?: readonly Signer[]
  /** Commitments that are written as they are, by id. */
  readonly written?: readonly (readonly [id: string, commitment: Sample])[]
}

export interface Signer {
  readonly address: string
  readonly keyid: string
  readonly modulus: Buffer
  readonly privateKey: KeyObject
}

function createSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
  const modulus = Buffer.from(String(publicKey.export({ format: 'jwk' }).n), 'base64url')
  return { privateKey, modulus, address: hash64(modulus), keyid: `publickey:${modulus.toString('base64')}` }
}

/** Two keys that all tests share, for making one takes a second. */
export const NODE = createSigner()
export const USER = createSigner()

export function hash64(...bytes: readonly Uint8Array[]): string {
  return createHash('sha256').update(Buffer.concat(bytes)).digest('base64url')
}

export function hmacOf(base: Buffer): Buffer {
  return createHmac('sha256', 'constant:ao').update(base).digest()
}

export function signBytes({ privateKey }: Signer, base: Buffer): Buffer {
  return sign('sha512', base, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 })
}

const bin = (text: string | Uint8Array) => (typeof text === 'string' ? Buffer.from(text, 'latin1') : Buffer.from(text))
const CRLF = bin('\r\n')
const AT = new Set(['path', 'method', 'authority', 'scheme', 'query', 'query-param', 'target-uri', 'request-target'])

export function wireName(name: string): string {
  if (![32, 42, 43].includes(name.length)) return name
  return [...bin(name)]
    .map((byte) =>
      /[a-z0-9\-._/?&]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`
    )
    .join('')
}

export function baseOf(lines: readonly (readonly [string, Uint8Array])[], parameters: string): Buffer {
  const text = lines.map(([name, value]) => Buffer.concat([bin(`"${name}": `), value]))
  const list = lines.map(([name]) => `"${AT.has(name) ? '@' : ''}${name}"`).join(' ')
  const rows = [...(text.length === 0 ? [Buffer.alloc(0)] : text), bin(`"@signature-params": (${list})${parameters}`)]
  return Buffer.concat(rows.flatMap((row, place) => (place === 0 ? [row] : [bin('\n'), row])))
}

export function contentDigest(bytes: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`
}

type Piece = readonly [name: string, bytes: Buffer]

function joinParts(pieces: readonly Piece[]): { readonly type: string; readonly bytes: Buffer } {
  const sorted = [...pieces].sort(([a], [b]) => Buffer.compare(bin(a), bin(b))).map(([, bytes]) => bytes)
  const boundary = hash64(...sorted.flatMap((bytes, place) => (place === 0 ? [bytes] : [CRLF, bytes])))
  const bytes = sorted.flatMap((one) => [bin(`--${boundary}\r\n`), one, CRLF])
  return { type: `multipart/form-data; boundary="${boundary}"`, bytes: Buffer.concat([...bytes, bin(`--${boundary}--`)]) }
}

function disposition(name: string, inline: string): string {
  return name === inline ? 'content-disposition: inline' : `content-disposition: form-data;name="${name}"`
}

function inlineOf({ fields }: Sample): string {
  const names = fields.map(([name]) => name)
  return !names.includes('body') && names.includes('data') ? 'data' : 'body'
}

/** The signed form: nested messages by their ids, the body by its digest. */
export function signedFields(sample: Sample): { readonly fields: Map<string, Buffer>; readonly body?: Buffer } {
  const inline = inlineOf(sample)
  const fields = new Map<string, Buffer>()
  const long: Piece[] = []
  let alone: Buffer | undefined
  for (const [name, text] of sample.fields) {
    const value = bin(text)
    if (name === inline) alone = value
    else if (value.length <= 4096) fields.set(wireName(name), value)
    else long.push([name, Buffer.concat([bin(`${disposition(name, inline)}\r\n\r\n`), value])])
  }
  for (const [name, message] of sample.nested ?? []) fields.set(wireName(`${name}+link`), bin(idOf(message)))
  if (alone !== undefined && inline === 'data') fields.set('ao-body-key', bin('data'))
  if (long.length === 0) {
    if (alone === undefined) return { fields }
    return { fields: fields.set('content-digest', bin(contentDigest(alone))), body: alone }
  }
  const pieces: Piece[] =
    alone === undefined ? long : [...long, [inline, Buffer.concat([bin('content-disposition: inline\r\n\r\n'), alone])]]
  const { type, bytes } = joinParts(pieces)
  return { fields: fields.set('content-type', bin(type)).set('content-digest', bin(contentDigest(bytes))), body: bytes }
}

export function sortedLines(fields: ReadonlyMap<string, Buffer>): readonly (readonly [string, Buffer])[] {
  return [...fields].sort(([a], [b]) => Buffer.compare(bin(a), bin(b)))
}

const CHECKSUM = ';alg="hmac-sha256";keyid="constant:ao"'

/** Signatures are random: each is made once, so that ids stay the same. */
const made = new Map<Sample, readonly (readonly [id: string, commitment: Sample])[]>()

function commitmentsOf(sample: Sample): readonly (readonly [id: string, commitment: Sample])[] {
  const known = made.get(sample)
  if (known !== undefined) return known
  const lines = sortedLines(signedFields(sample).fields)
  const names = [...sample.fields.map(([name]) => name), ...(sample.nested ?? []).map(([name]) => name)].sort()
  const committed: Sample = {
    fields: [['ao-types', '.="list"'], ...names.map((name, place) => [String(place + 1), name] as const)]
  }
  const nested = names.length === 0 ? [] : [['committed', committed] as const]
  const own = (sample.signers ?? []).map(({ address, keyid, ...signer }) => {
    const signature = signBytes({ address, keyid, ...signer }, baseOf(lines, `;alg="rsa-pss-sha512";keyid="${keyid}"`))
    const fields = Object.entries({
      'commitment-device': 'httpsig@1.0',
      committer: address,
      keyid,
      signature: signature.toString('base64url'),
      type: 'rsa-pss-sha512'
    })
    return [hash64(signature), { fields, nested }] as const
  })
  const checksum = hmacOf(baseOf(lines, CHECKSUM)).toString('base64url')
  const fields = Object.entries({
    'commitment-device': 'httpsig@1.0',
    keyid: 'constant:ao',
    signature: checksum,
    type: 'hmac-sha256'
  })
  const all = [...own, ...(sample.written ?? []), [checksum, { fields, nested }] as const]
  made.set(sample, all)
  return all
}

export function idOf(sample: Sample): string {
  const signed = [...(sample.written ?? []), ...((sample.signers ?? []).length > 0 ? commitmentsOf(sample) : [])]
  const ids = new Set(signed.filter(([, { fields }]) => fields.some(([name]) => name === 'committer')).map(([id]) => id))
  if (ids.size === 0) return hmacOf(baseOf(sortedLines(signedFields(sample).fields), CHECKSUM)).toString('base64url')
  let sum = 0n
  for (const id of ids) sum = (sum + BigInt(`0x${Buffer.from(id, 'base64url').toString('hex')}`)) % 2n ** 256n
  return Buffer.from(sum.toString(16).padStart(64, '0'), 'hex').toString('base64url')
}

function partsOf(sample: Sample, at: string, inline: string, partsOfChild: typeof nestedParts): Piece[] {
  const lines: Buffer[] = [bin(disposition(at, inline))]
  const pieces: Piece[] = []
  let body: Buffer | undefined
  for (const [name, text] of sample.fields) {
    const value = bin(text)
    if (value.length > 4096)
      pieces.push([`${at}/${name}`, Buffer.concat([bin(`${disposition(`${at}/${name}`, inline)}\r\n\r\n`), value])])
    else if (name === 'body') body = value
    else lines.push(Buffer.concat([bin(`${name}: `), value]))
  }
  const children = [...(sample.nested ?? [])]
  if (lines.length === 1 && body !== undefined) {
    pieces.push([`${at}/body`, Buffer.concat([bin(`${disposition(`${at}/body`, inline)}\r\n\r\n`), body])])
    body = undefined
  } else if (lines.length > 1 || (pieces.length === 0 && children.length === 0)) {
    if (lines.length === 1) lines.push(bin('ao-types: empty-message'))
    const head = lines.sort(Buffer.compare).flatMap((line, place) => (place === 0 ? [line] : [CRLF, line]))
    pieces.push([at, Buffer.concat([...head, ...(body === undefined ? [] : [CRLF, CRLF, body])])])
  }
  return [...pieces, ...children.flatMap(([name, child]) => partsOfChild(child, `${at}/${name}`, inline))]
}

/** A nested message and its commitments. The messages within a commitment have none. */
function nestedParts(sample: Sample, at: string, inline: string): Piece[] {
  const without = (child: Sample, place: string): Piece[] => partsOf(child, place, inline, without)
  const commitments = commitmentsOf(sample).flatMap(([id, one]) => without(one, `${at}/commitments/${id}`))
  return [...partsOf(sample, at, inline, nestedParts), ...commitments]
}

export interface Sent {
  readonly headers: (readonly [string, string])[]
  readonly body: Buffer
}

/** The two signature headers over lines: by the node, and the checksum. */
export function signatureHeaders(
  lines: readonly (readonly [string, Uint8Array])[],
  { signer = NODE, tag }: { readonly signer?: Signer; readonly tag?: string } = {}
): (readonly [string, string])[] {
  const names = `(${lines.map(([name]) => `"${name}"`).join(' ')})`
  const parameters = `;alg="rsa-pss-sha512";keyid="${signer.keyid}"${tag === undefined ? '' : `;tag="${tag}"`}`
  const members = [
    [signBytes(signer, baseOf(lines, parameters)), parameters] as const,
    [hmacOf(baseOf(lines, CHECKSUM)), CHECKSUM] as const
  ].map(([signature, given]) => ({ label: `comm-${hash64(signature).toLowerCase()}`, signature, given }))
  return [
    ['signature', members.map(({ label, signature }) => `${label}=:${signature.toString('base64')}:`).join(', ')],
    ['signature-input', members.map(({ label, given }) => `${label}=${names}${given}`).join(', ')]
  ]
}

export interface SendOptions {
  readonly bundle?: boolean
  readonly tag?: string
  readonly signer?: Signer
  /** The node adds `status` and its type after signing. */
  readonly addStatus?: boolean
  /** Long names stand in the headers as the message has them. */
  readonly plainNames?: boolean
}

/** An answer as the node sends it, by links or bundled. */
export function send(
  sample: Sample,
  { bundle = false, addStatus = false, plainNames = false, ...signing }: SendOptions = {}
): Sent {
  const { fields, body } = signedFields(sample)
  const names = new Map(sample.fields.map(([name]) => [wireName(name), name]))
  const signature = signatureHeaders(sortedLines(fields), signing)
  const shown = bundle ? bundledHeaders(sample, fields) : { headers: new Map(fields), body: body ?? Buffer.alloc(0) }
  const headers = [...shown.headers].map(
    ([name, value]) => [plainNames ? (names.get(name) ?? name) : name, value.toString('latin1')] as const
  )
  const withStatus = addStatus
    ? [
        ...headers.map(([name, value]) => [name, name === 'ao-types' ? `${value}, status="integer"` : value] as const),
        ['status', '200'] as const
      ]
    : headers
  return { headers: [['date', 'today'], ...withStatus, ...signature, ['server', 'Cowboy']], body: shown.body }
}

function bundledHeaders(
  sample: Sample,
  fields: ReadonlyMap<string, Buffer>
): { readonly headers: Map<string, Buffer>; readonly body: Buffer } {
  const inline = inlineOf(sample)
  const headers = new Map([...fields].filter(([name]) => !['content-digest', 'content-type'].includes(name)))
  const pieces: Piece[] = []
  for (const [name, text] of sample.fields) {
    const value = bin(text)
    if (name !== inline && value.length <= 4096) continue
    pieces.push([name, Buffer.concat([bin(`${disposition(name, inline)}\r\n\r\n`), value])])
  }
  for (const [name, child] of sample.nested ?? []) {
    headers.delete(wireName(`${name}+link`))
    pieces.push(...nestedParts(child, name, inline))
  }
  const { type, bytes } = joinParts(pieces)
  return { headers: headers.set('content-type', bin(type)).set('content-digest', bin(contentDigest(bytes))), body: bytes }
}
