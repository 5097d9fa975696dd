/** Runs the reader in docs/archive-format.md as a stranger would: it contains no code of this project. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readArchive, readManifest } from '../../src/store/archive.ts'
import { openStore } from '../../src/store/level-store.ts'

const EXAMPLE = 'demo/ledger.tar.gz'

describe('the reader in docs/archive-format.md', () => {
  let folder: string
  let reader: string
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-format-'))
    reader = path.join(folder, 'reader.mjs')
    const shown = /^```js\n(.*?)^```$/ms.exec(readFileSync('docs/archive-format.md', 'utf8'))?.[1]
    writeFileSync(reader, shown ?? '')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const read = (file: string) => spawnSync(process.execPath, [reader, file], { encoding: 'utf8' })

  it('finds the same in the bundled example as ao-audit does', async () => {
    const { subject, entries } = await readManifest(EXAMPLE)
    const store = await openStore(path.join(folder, 'store'))
    const records: Record<string, number> = {}
    try {
      await readArchive(EXAMPLE, store, () => () => true)
      for await (const [[kind = '']] of store.list([])) records[kind] = (records[kind] ?? 0) + 1
    } finally {
      await store.close()
    }
    expect(Object.keys(records)).toContain('claim')
    const { stdout, stderr } = read(EXAMPLE)
    expect(stderr).toBe('')
    const { process } = subject as { readonly process: string }
    expect(JSON.parse(stdout)).toEqual({ process, blobs: entries.length - 1, records })
  })

  it('refuses a file with one changed bit', () => {
    const bytes = readFileSync(EXAMPLE)
    const middle = bytes.byteLength >> 1
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
    const altered = path.join(folder, 'altered')
    writeFileSync(altered, bytes)
    expect(read(altered)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('it was cut or changed') })
  })
})
