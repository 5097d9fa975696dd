/**
 * Makes the bundled example of an archive: without the module, and with names in place of loopback addresses.
 * `node demo/make.mjs FULL.tar.gz MODULE_SHA256`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readArchive, writeArchive } from '../dist/src/store/archive.js'
import { openStore } from '../dist/src/store/level-store.js'

const [archive, moduleSha256] = process.argv.slice(2)
const folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-demo-'))
const from = await openStore(path.join(folder, 'from'))
const to = await openStore(path.join(folder, 'to'))
const kinds = ['anomaly', 'block', 'claim', 'listing', 'process', 'run', 'schedule', 'transaction', 'unavailable']
const named = (value) => JSON.parse(JSON.stringify(value).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'https://unit.example'))
const blobs = []
const subject = await readArchive(archive, from, () => () => true)
for (const kind of kinds) {
  for await (const record of from.list([kind])) {
    const [key, value] = named(record)
    // A checkpoint is a memory image, and not this project's either.
    if (kind === 'transaction' && value.tags.some((tag) => tag.value === 'Checkpoint')) continue
    await to.put([[key, value]])
    if (kind !== 'transaction' || value.data === undefined || value.data.sha256 === moduleSha256) continue
    blobs.push(await to.putBlob(await from.getBlob(value.data)))
  }
}
await writeArchive(to, { prefixes: kinds.map((kind) => [kind]), blobs, subject }, 'demo/ledger.tar.gz')
await from.close()
await to.close()
rmSync(folder, { recursive: true })
