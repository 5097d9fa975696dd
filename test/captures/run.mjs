/** Checks audits of a real CU's claims about real processes. `node test/captures/run.mjs [suite]…` */
import { spawnSync } from 'node:child_process'
import { auditCases } from './audit.mjs'
import { requireCaptures } from './network.mjs'

/** Runs in a process of its own, so that its memory can be measured. */
const vectors = {
  title: 'vectors, judged and fuzzed',
  async check() {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['test/captures/vectors.mjs'], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${stdout.slice(-2000)}${stderr.slice(-500)}`)
    return stdout.trim().split('\n').at(-1)
  }
}

requireCaptures()
const { fidelityCases } = await import('./fidelity.mjs')
const { hyperbeamVectorCases } = await import('./hyperbeam-vectors.mjs')
const { tamperCases } = await import('./tampers.mjs')
const SUITES = {
  audit: auditCases,
  fidelity: fidelityCases,
  httpsig: hyperbeamVectorCases,
  tampers: tamperCases,
  vectors: [vectors]
}
const wanted = process.argv.slice(2)
let passed = 0
let failed = 0
for (const [name, cases] of Object.entries(SUITES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  console.log(`\n${name}`)
  for (const { title, check } of cases) {
    const begun = performance.now()
    let words = ''
    try {
      words = (await check()) ?? ''
      passed++
    } catch (error) {
      failed++
      words = `FAILED: ${error.message}`
    }
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    console.log(`  ${title.padEnd(58)} ${seconds.padStart(5)} s  ${words}`)
  }
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
