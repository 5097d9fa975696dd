/** The differences between the module formats that the loader runs (protocol §2.8, profiles §5). */
import { AuditError } from '../model/errors.ts'

export interface ModuleFormat {
  readonly name: string
  readonly pointerBytes: 4 | 8
  /** The module's clock at the start of an instance; undefined if the loader always answers 0. */
  readonly clockStart: number | undefined
  readonly metered: boolean
}

const FORMATS: readonly ModuleFormat[] = [
  { name: 'wasm32-unknown-emscripten', pointerBytes: 4, clockStart: undefined, metered: false },
  { name: 'wasm32-unknown-emscripten2', pointerBytes: 4, clockStart: undefined, metered: false },
  { name: 'wasm32-unknown-emscripten3', pointerBytes: 4, clockStart: 10_003, metered: false },
  { name: 'wasm32-unknown-emscripten4', pointerBytes: 4, clockStart: 10_004, metered: false },
  { name: 'wasm32-unknown-emscripten-metering', pointerBytes: 4, clockStart: 10_004, metered: true },
  { name: 'wasm64-unknown-emscripten-draft_2024_02_15', pointerBytes: 8, clockStart: 10_004, metered: false },
  { name: 'wasm64-unknown-emscripten-draft_2024_10_16-metering', pointerBytes: 8, clockStart: 10_004, metered: true }
]

/**
 * Returns the format that a module's `Module-Format` tag names.
 *
 * @throws AuditError `MODULE_UNSUPPORTED` if the loader does not run the format, for example one of HyperBEAM's own devices (§6.1)
 */
export function moduleFormat(name: string): ModuleFormat {
  const format = FORMATS.find((candidate) => candidate.name === name)
  if (format === undefined) {
    throw new AuditError('MODULE_UNSUPPORTED', `the module's format ${JSON.stringify(name.slice(0, 80))} cannot be replayed`, {
      hint: `formats: ${FORMATS.map((candidate) => candidate.name).join(', ')}`
    })
  }
  return format
}
