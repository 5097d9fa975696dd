/** Every way to alter one place of a unit's answer, one at a time. */

export interface Alteration {
  /** `Messages[0].Tags[1].value changed` */
  readonly what: string
  readonly kind: 'changed' | 'removed' | 'retyped' | 'dropped' | 'doubled' | 'swapped' | 'added'
  /** As in a report: `Messages[0].Tags[1].value`; empty for the whole result. */
  readonly path: string
  /** The original value. */
  readonly was: unknown
  readonly value: Result
}

export type Result = Readonly<Record<string, unknown>>

/** All alterations of one result. */
export function* alterationsOf(result: Result): Generator<Alteration> {
  for (const { path, kind, was, value } of altered(result, '')) {
    yield { what: `${path === '' ? 'the result' : path} ${kind}`, kind, path, was, value: value as Result }
  }
  const { Error: error, GasUsed: gas } = result
  if (error === undefined) yield added(result, 'Error', 'invented')
  if (typeof gas === 'number') {
    for (const by of [1, -1])
      yield { what: `GasUsed ${by}`, kind: 'changed', path: 'GasUsed', was: gas, value: { ...result, GasUsed: gas + by } }
  }
  yield added(result, 'Patches', [{ device: 'patch@1.0' }])
}

function added(result: Result, name: string, value: unknown): Alteration {
  return { what: `${name} added`, kind: 'added', path: name, was: undefined, value: { ...result, [name]: value } }
}

type Step = Omit<Alteration, 'what' | 'value'> & { readonly value: unknown }

function* altered(node: unknown, path: string): Generator<Step> {
  if (Array.isArray(node)) yield* alteredList(node, path)
  else if (typeof node === 'object' && node !== null) yield* alteredFields(node as Result, path)
  else if (typeof node === 'string') {
    yield { kind: 'changed', path, was: node, value: `${node}x` }
    yield { kind: 'retyped', path, was: node, value: [node] }
  } else if (typeof node === 'number') {
    yield { kind: 'changed', path, was: node, value: node + 1 }
    yield { kind: 'retyped', path, was: node, value: `${node} ` }
  } else if (typeof node === 'boolean') {
    yield { kind: 'changed', path, was: node, value: !node }
    yield { kind: 'retyped', path, was: node, value: String(node) }
  }
}

function* alteredFields(node: Result, path: string): Generator<Step> {
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  for (const [name, inner] of Object.entries(node)) {
    if (inner === undefined) continue
    const { [name]: _, ...without } = node
    yield { kind: 'removed', path: at(name), was: inner, value: without }
    for (const step of altered(inner, at(name))) yield { ...step, value: { ...node, [name]: step.value } }
    if (typeof inner === 'object' && inner !== null)
      yield { kind: 'retyped', path: at(name), was: inner, value: { ...node, [name]: 'text' } }
  }
  if (path !== '') yield { kind: 'added', path: at('Extra'), was: undefined, value: { ...node, Extra: 'more' } }
}

function* alteredList(list: readonly unknown[], path: string): Generator<Step> {
  if (list.length === 0) yield { kind: 'added', path: `${path}[0]`, was: undefined, value: [{ Target: 'x' }] }
  for (const [place, inner] of list.entries()) {
    const at = `${path}[${place}]`
    const put = (...by: unknown[]) => [...list.slice(0, place), ...by, ...list.slice(place + 1)]
    yield { kind: 'dropped', path: at, was: inner, value: put() }
    yield { kind: 'doubled', path: at, was: inner, value: put(inner, inner) }
    if (place > 0) {
      const swapped = [...list]
      swapped[place] = list[place - 1]
      swapped[place - 1] = inner
      yield { kind: 'swapped', path: at, was: inner, value: swapped }
    }
    for (const step of altered(inner, at)) yield { ...step, value: put(step.value) }
  }
}
