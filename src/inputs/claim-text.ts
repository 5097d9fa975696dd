/**
 * What a claim's text says besides what one reader makes of it. An honest unit writes with `JSON.stringify`, so that every reader
 * takes the same of its answer; what could be taken in two ways is named, with its place.
 */
import { isUtf8 } from 'node:buffer'
import type { ClaimFault } from '../model/records.ts'
import { isJsonObject, member } from '../util/json-value.ts'
import { RESULT_FIELDS } from './canonical.ts'
import { type JsonPath, scanJson } from './json-scan.ts'

/** An answer's body: its bytes, and what `JSON.parse` makes of them. */
export interface AnswerText {
  readonly bytes: Uint8Array
  /** The bytes decoded, with U+FFFD for what is no UTF-8. */
  readonly text: string
  readonly value: unknown
}

export interface EdgeText {
  /** The node as it was sent. */
  readonly raw: string
  readonly faults: readonly ClaimFault[]
}

export interface PageText {
  /** By the edge's place. */
  readonly edges: readonly EdgeText[]
  /** Of what is about no edge. */
  readonly faults: readonly ClaimFault[]
}

/** Of one claim so many are named. */
const FAULTS_MAX = 16
const DETAIL_CHARS = 80
/** Below its root a path is shown so deep. */
const PATH_PARTS = 12
const KNOWN_FIELDS: ReadonlySet<string> = new Set(RESULT_FIELDS)

/**
 * Reads the text of an answer to `/result`.
 *
 * @returns none for the text that `JSON.stringify` writes of an object with fields of a result alone
 *
 * @example
 * ```ts
 * claimFaults(answerText('{"Output":"a","Output":"b"}'))
 * // [{ kind: 'key-twice', path: 'Output', detail: 'readers take the first or the last' }]
 * ```
 */
export function claimFaults(answer: AnswerText): readonly ClaimFault[] {
  const found = createFaults()
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
  const nodes = edgesOf(page.value).map((edge) => member(edge, 'node'))
  const ofEdges = nodes.map(createFaults)
  for (const [place, node] of nodes.entries()) checkShape(node, ofEdges[place] ?? createFaults())
  const ofPage = createFaults()
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

/** Reads the text of a cursor, which says of which evaluation a node is. */
export function cursorFaults(cursor: string): readonly ClaimFault[] {
  const bytes = Buffer.from(cursor, 'base64')
  const text = bytes.toString()
  const found = createFaults()
  const content = { bytes, text, value: JSON.parse(text) as unknown }
  if (!isAsWritten(content)) scanFaults(content, (path) => ({ found, path: ['cursor', ...path] }))
  return found.all
}

function edgesOf(page: unknown): readonly { readonly [key: string]: unknown }[] {
  const edges = isJsonObject(page) ? member(page, 'edges') : undefined
  return Array.isArray(edges) ? edges.map((edge: unknown) => (isJsonObject(edge) ? edge : {})) : []
}

/** Whether it is the very text that writing it again would give. Most answers are, and no more is to be found in them. */
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
  for (const name of Object.keys(value)) {
    if (!KNOWN_FIELDS.has(name)) found.add('unknown-field', [name], 'no Compute Unit gives it')
  }
}

/**
 * Finds what parsing loses.
 *
 * @param placeOf whose faults those at a path are, and how the path is called there
 * @returns where the nodes of a page's edges lie, by place; of a list of edges that comes twice, those of the last
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
      if (twice) add('key-twice', path, 'readers take the first or the last')
      if (path.length === 1 && path[0] === 'edges') spans.clear()
    },
    number(path, text) {
      const read = JSON.stringify(Number(text))
      if (read !== text) add('number-not-exact', path, `${cut(text)} reads as ${read}`)
    },
    text(path, content) {
      if (!valid && !isUtf8(content)) add('invalid-utf8', path, 'readers put U+FFFD or something else in its place')
    },
    value(path, from, to) {
      const [edges, place, node] = path
      if (path.length === 3 && edges === 'edges' && node === 'node' && typeof place === 'number') spans.set(place, { from, to })
    }
  })
  return spans
}

/** `Messages[0].Tags[3].value`; what could be mistaken for such words stands in quotes. */
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
