/** Signed HTTP messages of HyperBEAM (`httpsig@1.0`; protocol §6.2): close to RFC 9421, with rules of its own. */
import { addressOfKey } from '../ans104/data-item.ts'
import { verifyRsaPss } from '../ans104/signature.ts'
import { invalid, type SignatureStatus, unverifiable, VALID } from '../ans104/signature-status.ts'

export interface HttpSignature {
  readonly label: string
  /** `rsa-pss-sha512`; an `hmac-sha256` uses a public key and proves nothing. */
  readonly algorithm: string
  /** base64url(SHA-256(key)) of the key that the signature names. */
  readonly signer: string
  /** The names of the covered headers; nothing else in the message is signed. */
  readonly covered: readonly string[]
  readonly verdict: SignatureStatus
}

const MAX_HEADER_CHARS = 64 * 1024
const MEMBER = /[\s,]*([a-z*][\w.*-]*)=\(((?:"[^"]*" *)*)\)((?:;[a-z*][\w.*-]*=(?:"[^"]*"|\d+))*)/y
const PARAMETER = /;([a-z*][\w.*-]*)=("[^"]*"|\d+)/g
const VALUE = /[\s,]*([a-z*][\w.*-]*)=:([A-Za-z0-9+/=]*):/y

/**
 * Verifies every signature of a message over its headers. The body is signed only if `content-digest` is covered, and then only by
 * its digest, which the reader of the body must compare.
 *
 * @param headers by lower-case name; a response's status under `status`
 */
export function verifyHttpSignatures(headers: ReadonlyMap<string, string>): readonly HttpSignature[] {
  const values = new Map(matches(VALUE, headers.get('signature')).map(([, label, value]) => [label, value]))
  return matches(MEMBER, headers.get('signature-input')).map(([, label = '', list = '', rest = '']) => {
    const covered = [...list.matchAll(/"([^"]*)"/g)].map(([, name = '']) => name)
    const parameters = new Map([...rest.matchAll(PARAMETER)].map(([, name = '', value = '']) => [name, value]))
    const named = (name: string) => (parameters.get(name) ?? '').replaceAll('"', '')
    const key = Buffer.from(named('keyid').replace(/^publickey:/, ''), 'base64')
    const signature = Buffer.from(values.get(label) ?? '', 'base64')
    const base = signatureBase(headers, covered, parameters)
    const verdict = judge(named('alg'), base, key, signature)
    return { label, algorithm: named('alg'), signer: addressOfKey(key), covered, verdict }
  })
}

function judge(algorithm: string, base: string | undefined, key: Uint8Array, signature: Uint8Array): SignatureStatus {
  if (algorithm !== 'rsa-pss-sha512')
    return unverifiable(['signature-type'], `${algorithm || 'a missing algorithm'} proves no signer`)
  if (base === undefined) return invalid('a covered header is missing')
  return verifyRsaPss(key, Buffer.from(base), signature, 'sha512') ? VALID : invalid('the signature does not match the headers')
}

/** One line for each covered header, its name without `@`; then the list of names, with `@`, and its parameters sorted by name. */
function signatureBase(
  headers: ReadonlyMap<string, string>,
  covered: readonly string[],
  parameters: ReadonlyMap<string, string>
): string | undefined {
  const lines: string[] = []
  for (const name of covered) {
    const value = headers.get(name.replace(/^@/, ''))
    if (value === undefined) return undefined
    lines.push(`"${name.replace(/^@/, '')}": ${value}`)
  }
  const sorted = [...parameters].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `;${name}=${value}`)
  lines.push(`"@signature-params": (${covered.map((name) => `"${name}"`).join(' ')})${sorted.join('')}`)
  return lines.join('\n')
}

/** All members up to the first that cannot be read. */
function matches(pattern: RegExp, text = ''): RegExpExecArray[] {
  const found: RegExpExecArray[] = []
  if (text.length > MAX_HEADER_CHARS) return found
  const sticky = new RegExp(pattern)
  for (let match = sticky.exec(text); match !== null; match = sticky.exec(text)) found.push(match)
  return found
}
