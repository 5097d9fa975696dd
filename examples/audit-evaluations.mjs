/** Audits an archive and reads every evaluation behind the verdict: node audit-evaluations.mjs process.tar.gz */
import { auditEvaluations } from 'ao-audit'

const [archive] = process.argv.slice(2)
const audited = await auditEvaluations({ archive })
try {
  console.log(audited.report.verdict)
  for await (const { evaluation, stands } of audited.evaluations) {
    for (const { claimant, status } of stands) console.log(evaluation.nonce ?? evaluation.key.cron, claimant, status)
  }
} finally {
  await audited.close()
}
