/**
 * Finds the parts of a claim's text that readers may understand differently. An honest unit writes with `JSON.stringify`, so every
 * reader understands its answer in the same way; each ambiguous part is named with its place.
 */
import { isUtf8 } from 'node:buffer'
import type { Claim, ClaimFault, EvaluationResult, ResultField } from '../model/records.ts'
import { type JsonPath, scanJson } from '../util/json-scan.ts'
import { BYTE_ORDER_MARK, isJsonObject, type JsonObject, member } from '../util/json-value.ts'

/** An answer's body: its bytes, and the value that `parseJson` returns for them. */
export interface AnswerText {
  readonly bytes: Uint8Array
  /** The decoded bytes, with U+FFFD for bytes that are not UTF-8. */
  readonly text: string
  readonly value: unknown
}

/** `/results` and `/cron` do not report gas (protocol §2.1). */
export const LISTED_FIELDS: readonly ResultField[] = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error']
const RESULT_FIELDS: readonly ResultField[] = [...LISTED_FIELDS, 'GasUsed']

/** The parts of a claim that follow from its text. */
export type SaidByText = Pick<Claim, 'covers' | 'value' | 'faults'>

/**
 * Reads a claim from its text. A field that is left out is claimed to be empty, except gas, which a CU leaves out after a throw
 * (§2.2), and which listings never have.
 */
export function readClaim(kind: 'result' | 'listed', answer: AnswerText): SaidByText {
  const { value } = answer
  const faults = claimFaults(answer)
  const speaksOfGas = kind === 'result' && isJsonObject(value) && Object.hasOwn(value, 'GasUsed')
  return {
    covers: speaksOfGas ? RESULT_FIELDS : LISTED_FIELDS,
    value: value as EvaluationResult,
    ...(faults.length === 0 ? {} : { faults })
  }
}

export interface EdgeText {
  /** The node as it was sent. */
  readonly raw: string
  readonly faults: readonly ClaimFault[]
}

export interface PageText {
  /** By the edge's place. */
  readonly edges: readonly EdgeText[]
  /** Faults outside the edges. */
  readonly faults: readonly ClaimFault[]
}

/** So many faults of one claim are named. */
const FAULTS_MAX = 16
const DETAIL_CHARS = 80
/** A path is shown to this depth. */
const PATH_PARTS = 12
const KNOWN_FIELDS: ReadonlySet<string> = new Set(RESULT_FIELDS)
const PAGE_FIELDS: ReadonlySet<string> = new Set(['pageInfo', 'edges'])
const PAGE_INFO_FIELDS: ReadonlySet<string> = new Set(['hasNextPage'])
const EDGE_FIELDS: ReadonlySet<string> = new Set(['node', 'cursor'])
const CURSOR_FIELDS: ReadonlySet<string> = new Set(['timestamp', 'ordinate', 'cron', 'sort'])

/**
 * Reads the text of an answer to `/result`.
 *
 * @returns no faults for the text that `JSON.stringify` writes for an object that has only the fields of a result
 *
 * @example
 * ```ts
 * claimFaults(answerText('{"Output":"a","Output":"b"}'))
 * // [{ kind: 'key-twice', path: 'Output', detail: 'some readers use the first value, others the last' }]
 * ```
 */
export function claimFaults(answer: AnswerText): readonly ClaimFault[] {
  const found = createFaults()
  checkBegin(answer, found)
  checkShape(answer.value, found)
  if (!isAsWritten(answer)) scanFaults(answer, (path) => ({ found, path }))
  return found.all
}

/**
 * Reads the text of a page of `/results` or `/cron`, whose claims are the nodes of its edges.
 *
 * @param page an object with a list `edges` of objects
 */
export function pageFaults(page: AnswerText): PageText {
  const edges = edgesOf(page.value)
  const nodes = edges.map((edge) => member(edge, 'node'))
  const ofEdges = edges.map((edge) => {
    const found = createFaults()
    checkShape(member(edge, 'node'), found)
    checkFields(edge, EDGE_FIELDS, [], found)
    return found
  })
  const ofPage = createFaults()
  checkBegin(page, ofPage)
  checkFields(page.value, PAGE_FIELDS, [], ofPage)
  checkFields(isJsonObject(page.value) ? member(page.value, 'pageInfo') : undefined, PAGE_INFO_FIELDS, ['pageInfo'], ofPage)
  const raws = new Map<number, string>()
  if (!isAsWritten(page)) {
    const decoder = new TextDecoder()
    const spans = scanFaults(page, (path) => {
      const found = path[0] === 'edges' && typeof path[1] === 'number' ? ofEdges[path[1]] : undefined
      if (found === undefined) return { found: ofPage, path }
      return { found, path: path[2] === 'node' && path.length > 3 ? path.slice(3) : path.slice(2) }
    })
    for (const [place, { from, to }] of spans) raws.set(place, decoder.decode(page.bytes.subarray(from, to)))
  }
  return {
    edges: nodes.map((node, place) => ({
      raw: raws.get(place) ?? JSON.stringify(node) ?? 'null',
      faults: ofEdges[place]?.all ?? []
    })),
    faults: ofPage.all
  }
}

/** Reads the text of a cursor, which names the evaluation of a node. */
export function cursorFaults(cursor: string): readonly ClaimFault[] {
  const bytes = Buffer.from(cursor, 'base64')
  const text = bytes.toString()
  const found = createFaults()
  const content = { bytes, text, value: JSON.parse(text) as unknown }
  checkFields(content.value, CURSOR_FIELDS, ['cursor'], found)
  if (!isAsWritten(content)) scanFaults(content, (path) => ({ found, path: ['cursor', ...path] }))
  return found.all
}

function edgesOf(page: unknown): readonly JsonObject[] {
  const edges = isJsonObject(page) ? member(page, 'edges') : undefined
  return Array.isArray(edges) ? edges.map((edge: unknown) => (isJsonObject(edge) ? edge : {})) : []
}

/** Whether writing the value again would give the same text. Then, as for most answers, parsing loses nothing. */
function isAsWritten({ bytes, text, value }: AnswerText): boolean {
  return isUtf8(bytes) && JSON.stringify(value) === text
}

interface Faults {
  readonly all: ClaimFault[]
  add(kind: ClaimFault['kind'], path: JsonPath, detail: string): void
}

function createFaults(): Faults {
  const all: ClaimFault[] = []
  return {
    all,
    add(kind, path, detail) {
      if (all.length < FAULTS_MAX) all.push({ kind, path: pathText(path), detail })
    }
  }
}

function checkShape(value: unknown, found: Faults): void {
  if (!isJsonObject(value)) {
    const what = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`
    found.add('not-an-object', [], `it is ${what}`)
    return
  }
  checkFields(value, KNOWN_FIELDS, [], found)
  for (const name of RESULT_FIELDS)
    if (member(value, name) === null) found.add('unwritten-value', [name], 'no Compute Unit writes null for this field')
  if (typeof member(value, 'Output') === 'number')
    found.add('unwritten-value', ['Output'], 'a Compute Unit writes a number as text')
}

function checkFields(value: unknown, known: ReadonlySet<string>, at: JsonPath, found: Faults): void {
  if (!isJsonObject(value)) return
  for (const name of Object.keys(value)) {
    if (!known.has(name)) found.add('unknown-field', [...at, name], 'no Compute Unit writes this field')
  }
}

function checkBegin({ text }: AnswerText, found: Faults): void {
  if (text.startsWith(BYTE_ORDER_MARK)) found.add('byte-order-mark', [], 'some readers accept no JSON after a byte order mark')
}

/**
 * Finds differences in the text that parsing loses.
 *
 * @param placeOf the list that collects the faults at a path, and the path to show there
 * @returns the byte ranges of the nodes of a page's edges, by place; if the list of edges is there twice, those of the last
 */
function scanFaults(
  { bytes }: AnswerText,
  placeOf: (path: JsonPath) => { readonly found: Faults; readonly path: JsonPath }
): ReadonlyMap<number, { readonly from: number; readonly to: number }> {
  const valid = isUtf8(bytes)
  const spans = new Map<number, { readonly from: number; readonly to: number }>()
  const add = (kind: ClaimFault['kind'], at: JsonPath, detail: string) => {
    const { found, path } = placeOf(at)
    found.add(kind, path, detail)
  }
  scanJson(bytes, {
    key(path, twice) {
      if (twice) add('key-twice', path, 'some readers use the first value, others the last')
      if (path.length === 1 && path[0] === 'edges') spans.clear()
    },
    number(path, text) {
      const read = JSON.stringify(Number(text))
      if (read === text) return
      add(isSameNumber(text, read) ? 'number-not-exact' : 'number-lossy', path, `${cut(text)} reads as ${read}`)
    },
    text(path, content) {
      if (!valid && !isUtf8(content)) add('invalid-utf8', path, 'readers replace the bytes with U+FFFD or with something else')
    },
    value(path, from, to) {
      const [edges, place, node] = path
      if (path.length === 3 && edges === 'edges' && node === 'node' && typeof place === 'number') spans.set(place, { from, to })
    }
  })
  return spans
}

/** Whether two texts write the same number, however long they are. */
function isSameNumber(text: string, other: string): boolean {
  const [left, right] = [plainly(text), plainly(other)]
  return left !== undefined && left === right
}

/** Sign, digits without zeros at either end, and the power of ten at which they begin; undefined for anything but a finite number. */
function plainly(text: string): string | undefined {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  if (whole === undefined) return undefined
  const all = `${whole}${fraction}`
  const digits = all.replace(/^0+/, '')
  if (digits === '') return '0'
  const begins = whole.length - (all.length - digits.length) + Number(exponent)
  return `${sign}${withoutEnd(digits)}e${begins}`
}

function withoutEnd(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

/** For example `Messages[0].Tags[3].value`; a name that could be confused with this notation is quoted. */
function pathText(path: JsonPath): string {
  const shown = path.slice(0, PATH_PARTS).map((part) => {
    if (typeof part === 'number') return `[${part}]`
    return /^[\w-]{1,60}$/.test(part) ? `.${part}` : `.${JSON.stringify(cut(part))}`
  })
  return `${shown.join('').replace(/^\./, '')}${path.length > PATH_PARTS ? '…' : ''}`
}

function cut(text: string): string {
  return text.length > DETAIL_CHARS ? `${text.slice(0, DETAIL_CHARS)}…` : text
}
