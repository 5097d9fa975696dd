/**
 * Decides which processes have WeaveDrive, and which files it opens for them (the legacynet CU's @permaweb/weavedrive 0.0.18,
 * `checkAdmissible`; protocol §2.9).
 */
import { type AttestationType, type ModuleItem, type ProcessItem, type Tag, tagValue } from '../../model/records.ts'
import type { Checked } from '../../verify/signed.ts'

/** The process and module tags that decide about WeaveDrive. */
export interface DriveSubject {
  readonly process: Checked<Pick<ProcessItem, 'tags'>>
  readonly module: Checked<Pick<ModuleItem, 'tags'>>
}

export type DriveAdmission =
  | { readonly kind: 'open' }
  /** The CU's WeaveDrive fails, the evaluation never ends, and the CU has no result to answer with. */
  | { readonly kind: 'closed'; readonly reason: string }
  /** Open if an item of one of these types and owners is in a block up to the message's own. */
  | { readonly kind: 'attested'; readonly types: readonly AttestationType[]; readonly owners: readonly string[] }

/** The CU gives WeaveDrive to every module of this format (effects/worker/evaluate.js, loadInstance). */
const ALWAYS_WITH_DRIVE = 'wasm64-unknown-emscripten-draft_2024_02_15'
const MODES: readonly string[] = ['Assignments', 'Individual', 'Library']

/** Whether the CU gives WeaveDrive to the module at all; without it no file exists for the module. */
export function hasDrive({ module }: Pick<DriveSubject, 'module'>): boolean {
  return tagValue(module.tags, 'Module-Format') === ALWAYS_WITH_DRIVE || extendsDrive(module.tags)
}

/**
 * Whether a process declares that it reads files. A module of the format that always has WeaveDrive may read blocks and
 * transactions even if this is false.
 */
export function namesDrive({ process, module }: DriveSubject): boolean {
  const extended = extendsDrive(module.tags) || extendsDrive(process.tags)
  return hasDrive({ module }) && (extended || valuesOf(process.tags, 'On-Boot').length > 0 || opensAll({ process, module }))
}

/** Whether the module may read `/data/<id>`. It may always read blocks and transactions. */
export function admissionOf({ process, module }: DriveSubject, id: string): DriveAdmission {
  if (opensAll({ process, module }) || valuesOf(process.tags, 'On-Boot').at(-1) === id) return { kind: 'open' }
  if (!extendsDrive(module.tags) && !extendsDrive(process.tags)) {
    return { kind: 'closed', reason: 'neither process nor module has the extension WeaveDrive' }
  }
  // The last of several tags counts, and an empty tag counts as absent.
  const ofModule = valuesOf(module.tags, 'Availability-Type').at(-1) || 'Assignments'
  const mode = valuesOf(process.tags, 'Availability-Type').at(-1) || ofModule
  if (!MODES.includes(mode))
    return { kind: 'closed', reason: `WeaveDrive does not know the Availability-Type ${mode.slice(0, 80)}` }
  const schedulers = valuesOf(process.tags, 'Scheduler').slice(-1)
  const owners = [...schedulers, ...valuesOf(process.tags, 'Attestor')].filter((owner) => owner !== '')
  return { kind: 'attested', types: mode === 'Individual' ? ['Attestation', 'Available'] : ['Attestation'], owners }
}

/**
 * Whether the mode is `test`. The CU accepts it only from a single tag, because it turns several into a list (domain/utils.js,
 * parseTags).
 */
function opensAll({ process, module }: DriveSubject): boolean {
  const own = valuesOf(process.tags, 'Availability-Type')
  const values = own.length > 0 ? own : valuesOf(module.tags, 'Availability-Type')
  return values.length === 1 && values[0] === 'test'
}

function extendsDrive(tags: readonly Tag[]): boolean {
  return valuesOf(tags, 'Extension').includes('WeaveDrive')
}

function valuesOf(tags: readonly Tag[], name: string): string[] {
  return tags.filter((tag) => tag.name === name).map(({ value }) => value)
}
