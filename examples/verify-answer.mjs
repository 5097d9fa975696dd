/** Asks a HyperBEAM node, and says what of its answer is signed: node verify-answer.mjs http://node/~meta@1.0/info/address */
import { get } from 'node:http'
import { verifyHttpMessage } from 'ao-audit/httpsig'

const [url] = process.argv.slice(2)
// fetch() folds the names of headers and joins their values, which would lose what is signed.
const { headers, body } = await new Promise((resolve, reject) => {
  get(url, { insecureHTTPParser: true }, async (response) => {
    const { rawHeaders } = response
    const names = rawHeaders.filter((_, place) => place % 2 === 0)
    const chunks = await response.toArray()
    resolve({ headers: names.map((name, place) => [name, rawHeaders[2 * place + 1]]), body: Buffer.concat(chunks) })
  }).on('error', reject)
})

const judged = verifyHttpMessage(headers, body)
if (!judged.ok) {
  console.error(`not readable: ${judged.reason}`)
  process.exitCode = 1
} else {
  for (const commitment of judged.value.commitments) {
    if (commitment.kind !== 'signature') console.log(commitment.kind, commitment.algorithm)
    else {
      console.log('signed by', commitment.signer)
      for (const [name, value] of commitment.content.fields) console.log(' ', name, Buffer.from(value).toString())
    }
  }
}
