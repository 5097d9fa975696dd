/** The bytes that an HTTP signature signs (`httpsig@1.0`): close to RFC 9421 §2.5, with rules of its own. */
import type { Parsed } from '../ans104/bytes.ts'
import type { CoveredName } from './field-names.ts'
import type { SignatureParameter } from './structured-fields.ts'

/** A line of a signature base. */
export interface BaseLine {
  readonly name: CoveredName
  readonly value: Uint8Array
}

/** The parameters that are signed, in the order in which they are. Others, such as `original-tags`, are not. */
const SIGNED_PARAMETERS = ['alg', 'bundle', 'created', 'expires', 'keyid', 'nonce', 'tag']

/**
 * The signature base. Its lines are not escaped, so a value with line feeds could pass for several lines: it is refused where the same
 * bytes could be cut into names and values in another way.
 *
 * @param lines in the order of the list that covers them; they are never sorted. Without any the base begins with an empty line
 * @param parameters of the commitment, in any order
 * @returns the bytes, or why there are none
 *
 * @example
 * ```ts
 * signatureBase([{ name: coveredName('status'), value: Buffer.from('200') }], new Map([['alg', 'x']]))
 * // value: "status": 200 LF "@signature-params": ("status");alg="x"
 * ```
 */
export function signatureBase(
  lines: readonly BaseLine[],
  parameters: ReadonlyMap<string, SignatureParameter>
): Parsed<Uint8Array> {
  const places = new Map(lines.map(({ name }, place) => [name.line, place]))
  if (places.size < lines.length) return { ok: false, reason: 'a name is covered twice' }
  for (const [place, { name, value }] of lines.entries()) {
    if (!isPlain(name.line)) return { ok: false, reason: `the name ${JSON.stringify(name.line)} cannot be covered` }
    if (passesForLines(value, place, places))
      return { ok: false, reason: `the value of ${name.line} can be read as further lines` }
  }
  const unplain = [...parameters].find(([, value]) => typeof value === 'string' && hasControls(value))
  if (unplain !== undefined) return { ok: false, reason: `the parameter ${unplain[0]} has control characters` }
  const list = lines.map(({ name }) => `"${name.listed}"`).join(' ')
  const named = SIGNED_PARAMETERS.flatMap((name) => {
    const value = parameters.get(name)
    return value === undefined ? [] : [`;${name}=${typeof value === 'number' ? value : quoted(value)}`]
  })
  const ending = `\n"@signature-params": (${list})${named.join('')}`
  const head = ({ name }: BaseLine, place: number) => latin1(`${place === 0 ? '' : '\n'}"${name.line}": `)
  const bytes = lines.flatMap((line, place) => [head(line, place), line.value])
  return { ok: true, value: Buffer.concat([...bytes, latin1(ending)]) }
}

const LINE_HEAD = /\n"([^"\n]*)": /g

/**
 * Whether a value at this place contains the head of the next line, or of one before it. Only then can the base be read in two ways:
 * the first head that the other reading puts elsewhere stands in the value before it or in a later one.
 */
function passesForLines(value: Uint8Array, place: number, places: ReadonlyMap<string, number>): boolean {
  if (!value.includes(LINE_FEED)) return false
  for (const [, name = ''] of textOf(value).matchAll(LINE_HEAD)) {
    const other = places.get(name)
    if (other !== undefined && other > 0 && other <= place + 1) return true
  }
  return false
}

const LINE_FEED = 0x0a
const FIRST_PRINTED = 0x20

function isPlain(name: string): boolean {
  return !hasControls(name) && !name.includes('"') && !name.includes('\\')
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < FIRST_PRINTED) return true
  return false
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

/** Bytes, one for each character of text that was read as latin1. */
export function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

/** Text, one character for each byte: the inverse of `latin1`. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
