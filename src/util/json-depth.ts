/**
 * How deep JSON may nest. It is counted: whether `JSON.parse` and `JSON.stringify` run out of stack, and where, differs from one
 * Node to the next.
 */

/** Levels of a module's result. */
export const RESULT_MAX_DEPTH = 1_000
/** Levels of a unit's answer: none comes near it. */
export const ANSWER_MAX_DEPTH = 500
/** Levels of a record: a result, and what lies around it. */
export const RECORD_MAX_DEPTH = 1_100

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Whether brackets outside of texts nest deeper. */
export function nestsDeeperThan(json: string, levels: number): boolean {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = endOfText(json, at + 1)
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      if (++depth > levels) return true
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--
  }
  return false
}

/** Where the quote lies that ends a text; texts are most of an answer, and are not looked at one by one. */
function endOfText(json: string, from: number): number {
  for (let end = json.indexOf('"', from); end >= 0; end = json.indexOf('"', end + 1)) {
    let escapes = 0
    while (json.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return end
  }
  return json.length
}

/**
 * A value's JSON.
 *
 * @param replacer puts another value in the place of what JSON cannot say
 * @returns undefined where it nests deeper than `levels`, or cannot be written at all; `undefined` as a value is one of these
 */
export function boundedJson(
  value: unknown,
  levels = RESULT_MAX_DEPTH,
  replacer?: (key: string, value: unknown) => unknown
): string | undefined {
  let json: string | undefined
  try {
    json = JSON.stringify(value, replacer)
  } catch {
    return undefined
  }
  return json === undefined || nestsDeeperThan(json, levels) ? undefined : json
}
