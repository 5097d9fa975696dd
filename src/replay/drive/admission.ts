/**
 * Which processes have WeaveDrive, and which files it opens for them (the legacynet CU's @permaweb/weavedrive 0.0.18,
 * `checkAdmissible`; protocol §2.9).
 */
import { type AttestationType, type ModuleItem, type ProcessItem, type Tag, tagValue } from '../../model/records.ts'
import type { Checked } from '../../verify/signed.ts'

/** The parts of a subject that decide it. */
export interface DriveSubject {
  readonly process: Checked<Pick<ProcessItem, 'tags'>>
  readonly module: Checked<Pick<ModuleItem, 'tags'>>
}

export type DriveAdmission =
  | { readonly kind: 'open' }
  /** The CU's WeaveDrive fails then, and the evaluation never ends: it has no result to answer with. */
  | { readonly kind: 'closed'; readonly reason: string }
  /** Where an item of one of these types and owners lies in a block up to the message's own. */
  | { readonly kind: 'attested'; readonly types: readonly AttestationType[]; readonly owners: readonly string[] }

/** The CU gives it to every module of this format (effects/worker/evaluate.js, loadInstance). */
const ALWAYS_WITH_DRIVE = 'wasm64-unknown-emscripten-draft_2024_02_15'
const MODES: readonly string[] = ['Assignments', 'Individual', 'Library']

/** Whether the CU hands WeaveDrive to the module at all; without it every file is one that is not there. */
export function hasDrive({ module }: Pick<DriveSubject, 'module'>): boolean {
  return tagValue(module.tags, 'Module-Format') === ALWAYS_WITH_DRIVE || extendsDrive(module.tags)
}

/**
 * Whether a process says that it reads files. One of the always-with-drive format may read blocks and transactions even
 * where this is false.
 */
export function namesDrive({ process, module }: DriveSubject): boolean {
  const extended = extendsDrive(module.tags) || extendsDrive(process.tags)
  return hasDrive({ module }) && (extended || valuesOf(process.tags, 'On-Boot').length > 0 || opensAll({ process, module }))
}

/** Whether `/data/<id>` may be read. Blocks and transactions may be always. */
export function admissionOf({ process, module }: DriveSubject, id: string): DriveAdmission {
  if (opensAll({ process, module }) || valuesOf(process.tags, 'On-Boot').at(-1) === id) return { kind: 'open' }
  if (!extendsDrive(module.tags) && !extendsDrive(process.tags)) {
    return { kind: 'closed', reason: 'neither process nor module has the extension WeaveDrive' }
  }
  // The last of several tags counts, and an empty one is as none.
  const ofModule = valuesOf(module.tags, 'Availability-Type').at(-1) || 'Assignments'
  const mode = valuesOf(process.tags, 'Availability-Type').at(-1) || ofModule
  if (!MODES.includes(mode)) return { kind: 'closed', reason: `WeaveDrive knows no Availability-Type ${mode.slice(0, 80)}` }
  const schedulers = valuesOf(process.tags, 'Scheduler').slice(-1)
  const owners = [...schedulers, ...valuesOf(process.tags, 'Attestor')].filter((owner) => owner !== '')
  return { kind: 'attested', types: mode === 'Individual' ? ['Attestation', 'Available'] : ['Attestation'], owners }
}

/** The mode `test`: the CU takes it from one tag alone, of several it makes a list (domain/utils.js, parseTags). */
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
