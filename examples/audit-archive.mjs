/** Audits an archive: node audit-archive.mjs process.tar.gz */
import { AuditError, audit } from 'ao-audit'

const [archive] = process.argv.slice(2)
try {
  const report = await audit({ archive })
  console.log(report.verdict, `${report.coverage.compared} of ${report.coverage.scheduled + report.coverage.cron} evaluations`)
  for (const { severity, code, nonce = '', detail } of report.findings) console.log(severity, code, nonce, detail)
} catch (error) {
  if (!(error instanceof AuditError)) throw error
  console.error(error.code, error.message, error.hint ?? '')
  process.exitCode = 2
}
