/** The inputs that a module read and no profile states, in the order of a report. */
import type { UnstatedInput } from '../../model/records.ts'

/** Returns each input once, sorted by kind and name. */
export function sortedInputs(inputs: readonly UnstatedInput[]): readonly UnstatedInput[] {
  const byName = new Map(inputs.map((input) => [`${input.kind} ${input.name}`, input]))
  return [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? [])
}
