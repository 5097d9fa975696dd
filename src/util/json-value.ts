/** Equality of JSON values of any depth. */

/** An object of JSON: neither null nor an array. */
export type JsonObject = { readonly [key: string]: unknown }

export const BYTE_ORDER_MARK = '\uFEFF'

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads JSON as `fetch().json()` does, which ignores a byte order mark at the start. */
export function parseJson(text: string): unknown {
  return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text)
}

/** An own member, undefined if there is none: `__proto__` is a name like any other. */
export function member(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** The names of the members that JSON would show. */
export function memberNames(object: JsonObject): string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined)
}

/** Whether two values have the same JSON apart from the order of keys. It keeps its own stack, so only memory limits the depth. */
export function sameJson(left: unknown, right: unknown): boolean {
  const stack: [unknown, unknown][] = [[left, right]]
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [a, b] = pair
    if (a === b) continue
    if (Array.isArray(a) && Array.isArray(b)) {
      if (a.length !== b.length) return false
      for (const [index, item] of a.entries()) stack.push([item, b[index]])
    } else if (isJsonObject(a) && isJsonObject(b)) {
      const names = memberNames(a)
      if (names.length !== memberNames(b).length) return false
      for (const name of names) {
        if (!Object.hasOwn(b, name)) return false
        stack.push([a[name], b[name]])
      }
    } else return false
  }
  return true
}
