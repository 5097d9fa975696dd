/** A message with nested messages, as a tree of bytes. What is in it was received, and proves nothing. */
import type { HttpsigLimits } from './httpsig-limits.ts'

/** One message: values by name, nested messages by name. Names are text with a character for each byte. */
export interface MessageNode {
  readonly fields: ReadonlyMap<string, Uint8Array>
  readonly children: ReadonlyMap<string, MessageNode>
}

/** Where the commitments of a message stand. They are no field of it: nothing covers them. */
export const COMMITMENTS = 'commitments'

interface GrowingNode extends MessageNode {
  readonly fields: Map<string, Uint8Array>
  readonly children: Map<string, GrowingNode>
  /** Whether its own fields have come. A node may be there first because of a nested one. */
  filled: boolean
}

/** Builds a tree of parts. */
export interface TreeBuilder {
  readonly root: MessageNode
  /** Puts a value at a path. Returns why it cannot stand there. */
  putValue(path: readonly string[], value: Uint8Array): string | undefined
  /** Puts the fields of a nested message at a path. Returns why they cannot stand there. */
  putMessage(path: readonly string[], fields: ReadonlyMap<string, Uint8Array>): string | undefined
}

/**
 * An empty tree.
 *
 * @param limits on the depth, and on the messages in it
 * @returns what puts parts into it; a name that would stand for two things is refused
 */
export function createTreeBuilder(limits: Pick<HttpsigLimits, 'maxDepth' | 'maxMessages'>): TreeBuilder {
  const root = emptyNode()
  let messages = 0
  const descend = (path: readonly string[]): GrowingNode | string => {
    if (path.length > limits.maxDepth) return `a part lies more than ${limits.maxDepth} deep`
    let node = root
    for (const name of path) {
      if (name === '') return 'a part has an empty name in its path'
      if (node.fields.has(name)) return `${name} is both a value and a message`
      let next = node.children.get(name)
      if (next === undefined) {
        if (++messages > limits.maxMessages) return `more than ${limits.maxMessages} messages`
        next = emptyNode()
        node.children.set(name, next)
      }
      node = next
    }
    return node
  }
  const put = (node: GrowingNode, name: string, value: Uint8Array): string | undefined => {
    if (node.fields.has(name)) return `${name} occurs twice`
    if (node.children.has(name)) return `${name} is both a value and a message`
    node.fields.set(name, value)
    return undefined
  }
  return {
    root,
    putValue(path, value) {
      const name = path.at(-1) ?? ''
      if (name === '') return 'a part has no name'
      const parent = descend(path.slice(0, -1))
      return typeof parent === 'string' ? parent : put(parent, name, value)
    },
    putMessage(path, fields) {
      const node = descend(path)
      if (typeof node === 'string') return node
      if (node.filled) return `${path.at(-1)} occurs twice`
      node.filled = true
      for (const [name, value] of fields) {
        const failure = put(node, name, value)
        if (failure !== undefined) return failure
      }
      return undefined
    }
  }
}

function emptyNode(): GrowingNode {
  return { fields: new Map(), children: new Map(), filled: false }
}

/**
 * A list as HyperBEAM encodes it: a message with the names 1 to n.
 *
 * @param node of the list
 * @returns its values in order; undefined if it is none, or a number is missing
 */
export function listOf(node: MessageNode | undefined): readonly Uint8Array[] | undefined {
  if (node === undefined || node.children.size > 0) return undefined
  return numbered(node.fields, node.fields.has('ao-types') ? 1 : 0)
}

/**
 * What stands under the numbers from 1 on.
 *
 * @param entries by number in decimal digits
 * @param others how many entries are not to be counted
 * @returns in order; undefined where the numbers have a gap or something else is among them
 */
export function numbered<T>(entries: ReadonlyMap<string, T>, others = 0): readonly T[] | undefined {
  const values: T[] = []
  for (let number = 1; number <= entries.size - others; number++) {
    const value = entries.get(String(number))
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}
