/** Verifies the schedule of an archive: node verify-schedule.mjs process.tar.gz */
import { openArchive, unprovenInputsOf } from 'ao-audit/verify'

const [file] = process.argv.slice(2)
const archive = await openArchive(file)
try {
  console.log(archive.process.id, 'of scheduler', archive.process.scheduler)
  for await (const { scheduled, findings } of archive.schedule()) {
    const [unproven] = unprovenInputsOf(scheduled)
    console.log(scheduled.nonce, scheduled.messageId, unproven === undefined ? 'signed' : `unproven: ${unproven.reason}`)
    for (const { code, detail } of findings) console.log(' ', code, detail)
  }
} finally {
  await archive.close()
}
