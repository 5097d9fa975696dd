/** The inputs that the CU gives a module besides messages (protocol §2.4, §2.9; CU domain/lib/loadModule.js). */
import { type ModuleItem, type ProcessItem, type Tag, tagValue } from '../../model/records.ts'
import type { Checked } from '../../verify/signed.ts'
import { ownerAddress } from './owner.ts'

const BYTES: Readonly<Record<string, number>> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40, pb: 2 ** 50 }

export interface ModuleEnvironment {
  readonly Process: SpawnedItem
  readonly Module: SpawnedItem
}

interface SpawnedItem {
  readonly Id: string
  readonly Owner: string
  readonly Tags: readonly Tag[]
}

/**
 * Builds the second argument of `handle` (§2.4; CU domain/model.js, messageSchema, AoGlobal), with all tags, even `From` and
 * `Owner`.
 */
export function moduleEnvironment(process: Checked<ProcessItem>, module: Checked<ModuleItem>): ModuleEnvironment {
  return { Process: subject(process), Module: subject(module) }
}

function subject({ id, owner, tags }: Pick<ProcessItem, 'owner' | 'tags'> & { readonly id: string }): SpawnedItem {
  return { Id: id, Owner: ownerAddress(owner), Tags: tags.map(({ name, value }) => ({ name, value })) }
}

/**
 * Builds the loader's options (§2.9; CU domain/lib/loadModule.js, setModuleOptionsWith).
 *
 * A process's own limits override the module's. `memoryLimit` is in bytes, `computeLimit` in gas; a CU evaluates nothing if one of
 * them is missing or 0. `blockHeight` is the CU's placeholder: the loader uses that of each message.
 */
export function moduleOptions(process: Checked<ProcessItem>, module: Checked<ModuleItem>): Readonly<Record<string, unknown>> {
  const own = (name: string) => tagValue(process.tags, name) ?? tagValue(module.tags, name)
  const limit = own('Compute-Limit')
  return {
    format: tagValue(module.tags, 'Module-Format'),
    inputEncoding: tagValue(module.tags, 'Input-Encoding'),
    outputEncoding: tagValue(module.tags, 'Output-Encoding'),
    memoryLimit: parseBytes(own('Memory-Limit')),
    computeLimit: limit === undefined ? undefined : Number.parseInt(limit, 10),
    extensions: extensionsOf(module.tags),
    mode: own('Availability-Type') ?? 'Assignments',
    spawn: { id: process.id, owner: ownerAddress(process.owner), tags: process.tags },
    module: { id: module.id, owner: ownerAddress(module.owner), tags: module.tags },
    blockHeight: 100
  }
}

/** Reads a size like `500-mb` as the library `bytes` 3.1 does after removal of its first hyphen. */
function parseBytes(text: string | undefined): number | undefined {
  const parsed = /^([-+]?\d+(?:\.\d+)?) *(kb|mb|gb|tb|pb)$/i.exec(text?.replace('-', '') ?? '')
  if (parsed?.[1] !== undefined && parsed[2] !== undefined) {
    return Math.floor(Number(parsed[1]) * (BYTES[parsed[2].toLowerCase()] ?? 1))
  }
  const plain = Number.parseInt(text?.replace('-', '') ?? '', 10)
  return Number.isNaN(plain) ? undefined : plain
}

/** Returns the extensions by name with the tags of their namespaces: `Foo-Max` belongs to `Foo` as `Max`. */
function extensionsOf(tags: readonly Tag[]): Readonly<Record<string, readonly Tag[]>> {
  const found: Record<string, readonly Tag[]> = Object.create(null)
  for (const { name, value: extension } of tags) {
    if (name !== 'Extension') continue
    found[extension] = tags
      .filter((tag) => tag.name.startsWith(extension))
      .map((tag) => ({ name: tag.name.substring(extension.length + 1), value: tag.value }))
  }
  return found
}
