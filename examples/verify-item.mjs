/** Verifies a data item as it lies on Arweave: node verify-item.mjs item.bin */
import { readFileSync } from 'node:fs'
import { addressOfKey, parseDataItem, verifyItem } from 'ao-audit/ans104'

const [file] = process.argv.slice(2)
const parsed = parseDataItem(readFileSync(file))
if (!parsed.ok) {
  console.error(`no data item: ${parsed.reason}`)
  process.exitCode = 1
} else {
  const { owner, tags } = parsed.value
  console.log(verifyItem(parsed.value).status, 'signed by', addressOfKey(owner))
  for (const { name, value } of tags) console.log(' ', name, value)
}
