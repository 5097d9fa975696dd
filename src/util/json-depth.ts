/**
 * Limits on how deep JSON may nest. Levels are counted, because the depth at which `JSON.parse` and `JSON.stringify` exhaust the
 * stack differs between versions of Node.
 */

/** Levels of a module's result. */
export const RESULT_MAX_DEPTH = 1_000
/** Levels of a unit's answer; honest answers are far flatter. */
export const ANSWER_MAX_DEPTH = 500
/** Levels of a record: a result and the record around it. */
export const RECORD_MAX_DEPTH = 1_100

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Whether brackets outside strings nest deeper. */
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

/** The place of the quote that ends a string. Strings are most of an answer, so it searches instead of reading each character. */
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
 * @param replacer replaces values that JSON cannot express
 * @returns undefined if it nests deeper than `levels` or cannot be written at all; the value `undefined` cannot be written
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
