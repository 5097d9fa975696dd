/** What a real CU said about real processes, judged as it must be. `node test/captures/run.mjs [suite]…` */
import { auditCases } from './audit.mjs'
import { requireCaptures } from './network.mjs'

const SUITES = { audit: auditCases }

requireCaptures()
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
