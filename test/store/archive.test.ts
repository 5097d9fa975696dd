import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readArchive, writeArchive } from '../../src/store/archive.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { Store } from '../../src/store/store.ts'

let folder: string
let stores: Store[]
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-archive-'))
  stores = []
})
afterEach(async () => {
  for (const store of stores) await store.close()
  rmSync(folder, { recursive: true, force: true })
})

async function newStore(name: string): Promise<Store> {
  const store = await openStore(path.join(folder, name))
  stores.push(store)
  return store
}

const at = (name: string) => path.join(folder, name)

async function fill(store: Store, order: readonly number[]) {
  for (const nonce of order) await store.put([[['schedule', 'p', nonce], { nonce, text: 'ü\n' }]])
  await store.put([[['process', 'p'], { id: 'p' }]])
  await store.put([[['other', 1], 'not selected']])
  const blobs = [await store.putBlob(Buffer.from('module')), await store.putBlob(Buffer.from('item'))]
  return {
    prefixes: [
      ['process', 'p'],
      ['schedule', 'p']
    ],
    blobs: order[0] === 0 ? blobs : blobs.reverse(),
    subject: { process: 'p' }
  }
}

async function makeArchive(): Promise<Buffer> {
  const store = await newStore('source')
  await writeArchive(store, await fill(store, [0, 1, 2]), at('a'))
  return readFileSync(at('a'))
}

describe('archive', () => {
  it('gives a store what was selected of another', async () => {
    await makeArchive()
    const target = await newStore('target')
    expect(await readArchive(at('a'), target)).toEqual({ process: 'p' })
    expect(await target.get(['schedule', 'p', 2])).toEqual({ nonce: 2, text: 'ü\n' })
    expect(await target.get(['process', 'p'])).toEqual({ id: 'p' })
    expect(await target.get(['other', 1])).toBeUndefined()
    const ref = await target.putBlob(Buffer.from('item'))
    expect(Buffer.from((await target.getBlob(ref)) ?? []).toString()).toBe('item')
  })

  it('is the same bytes for the same content, however it came into the store', async () => {
    const first = await makeArchive()
    const store = await newStore('again')
    await writeArchive(store, await fill(store, [2, 0, 1]), at('b'))
    expect(readFileSync(at('b')).equals(first)).toBe(true)
  })

  it('is refused with any byte changed, or cut anywhere', { timeout: 60_000 }, async () => {
    const bytes = await makeArchive()
    const target = await newStore('target')
    const accepted: string[] = []
    const attempt = async (what: string, content: Uint8Array) => {
      writeFileSync(at('wrong'), content)
      const code = await readArchive(at('wrong'), target).then(
        () => 'accepted',
        (error: { code?: string }) => error.code
      )
      if (code !== 'ARCHIVE_INVALID') accepted.push(`${what}: ${code}`)
    }
    for (let place = 0; place < bytes.byteLength; place++) {
      const changed = Buffer.from(bytes)
      changed[place] = (changed[place] ?? 0) ^ 0xff
      await attempt(`byte ${place}`, changed)
    }
    for (let length = 0; length < bytes.byteLength; length += 3) await attempt(`cut to ${length}`, bytes.subarray(0, length))
    await attempt('one more byte', Buffer.concat([bytes, Buffer.from([0])]))
    await attempt('another archive behind it', Buffer.concat([bytes, bytes]))
    await attempt('text', Buffer.from('no archive at all'))
    await attempt('a gzip of something else', gzipSync('no tar'))
    expect(accepted).toEqual([])
  })

  it('says so where there is none, and where it cannot be written', async () => {
    const store = await newStore('source')
    await expect(readArchive(at('nowhere'), store)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    const selection = await fill(store, [0])
    await expect(writeArchive(store, selection, at('no/such/folder/a'))).rejects.toMatchObject({ code: 'USAGE' })
  })
})
