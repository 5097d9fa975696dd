/** Writes a small module to disk and makes messages for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type ExecutionProfile, LEGACYNET } from '../../../src/replay/profile.ts'
import type { ModuleSetup, SandboxMessage } from '../../../src/replay/sandbox/protocol.ts'
import { openSandbox, type Sandbox, type SandboxOptions } from '../../../src/replay/sandbox/sandbox.ts'
import { compileSmallModule, type SmallModuleFormat, type SmallModuleOptions } from '../../modules/small-module.ts'

export interface SmallSetup {
  readonly setup: ModuleSetup
  /** The folder of the module's file. */
  readonly folder: string
  remove(): void
}

/** @returns a module's setup; `remove` deletes its file */
export async function smallSetup(format: SmallModuleFormat, options: SmallModuleOptions = {}): Promise<SmallSetup> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-sandbox-'))
  const wasmPath = path.join(folder, 'small.wasm')
  writeFileSync(wasmPath, await compileSmallModule(format, options))
  return {
    folder,
    setup: { wasmPath, format, env: { Process: { Id: 'p' } }, options: {} },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

export function order(data: string, fresh = false, claimedError = false): SandboxMessage {
  return { message: { Data: data }, fresh, ...(claimedError ? { claimedError } : {}) }
}

/** Opens a sandbox for as long as `use` takes. */
export async function withSandbox<T>(
  { setup }: SmallSetup,
  use: (sandbox: Sandbox) => Promise<T>,
  options: SandboxOptions = {},
  profile: ExecutionProfile = LEGACYNET
): Promise<T> {
  const { sandbox, refused } = await openSandbox(setup, profile, options)
  if (sandbox === undefined) throw new Error(`the module was refused: ${refused.reason}`)
  try {
    return await use(sandbox)
  } finally {
    await sandbox.close()
  }
}

/** Returns the module's answers: the Output, or the Error if there is one. */
export function answersOf(results: readonly { readonly text: string }[]): unknown[] {
  return results.map(({ text }) => {
    const { Output, Error: error } = JSON.parse(text) as { Output: unknown; Error?: unknown }
    return error === undefined ? Output : { error }
  })
}
