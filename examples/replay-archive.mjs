/** Executes all messages of an archive again: node replay-archive.mjs process.tar.gz */
import { LEGACYNET, openArchive, planEvaluations, replay } from 'ao-audit/replay'

const [file] = process.argv.slice(2)
const archive = await openArchive(file)
try {
  const { to } = archive.range
  const job = {
    setup: archive.setup,
    profile: LEGACYNET,
    plan: () => planEvaluations(archive.planInputs()),
    hashAfter: ({ nonce }) => nonce === to
  }
  for await (const { nonce, outcome, stateHash } of replay(job)) {
    console.log(nonce, outcome.kind, outcome.kind === 'result' ? JSON.stringify(outcome.result.Output).slice(0, 60) : '')
    if (stateHash !== undefined) console.log(`memory after nonce ${nonce}: ${stateHash}`)
  }
} finally {
  await archive.close()
}
