import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BlobRef } from '../../src/model/records.ts'
import { readArchive, readManifest, type Selection, writeArchive } from '../../src/store/archive.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { RecordKey, Store } from '../../src/store/store.ts'

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

async function newStore(): Promise<Store> {
  const store = await openStore(path.join(folder, `store${stores.length}`))
  stores.push(store)
  return store
}

/** Admits every record. */
const ANY = () => () => true
const at = (name: string) => path.join(folder, name)

const RECORDS: readonly (readonly [RecordKey, unknown])[] = [
  [['process', 'p'], { id: 'p' }],
  [['schedule', 'p', 0], { nonce: 0, text: 'ü\n\ud800' }],
  [['schedule', 'p', 9], JSON.parse('{"nonce":9,"__proto__":{"a":1},"10":1,"2":1}')],
  [['schedule', 'p', 10], null],
  [['schedule', 'p\u0000', 1], 'a neighbour']
]
const LINES = [
  '[["process","p"],{"id":"p"}]\n',
  '[["schedule","p",0],{"nonce":0,"text":"ü\\n\\ud800"}]\n',
  '[["schedule","p",9],{"2":1,"10":1,"nonce":9,"__proto__":{"a":1}}]\n',
  '[["schedule","p",10],null]\n'
]
const BLOBS = ['module', 'item', '']
const SELECTED: readonly RecordKey[] = [
  ['process', 'p'],
  ['schedule', 'p']
]

/** A store of these records, put in this order. */
async function filled(records: readonly (readonly [RecordKey, unknown])[], blobs: readonly string[]) {
  const store = await newStore()
  for (const record of records) await store.put([record])
  const refs: BlobRef[] = []
  for (const content of blobs) refs.push(await store.putBlob(Buffer.from(content)))
  return { store, refs }
}

const selectionOf = (refs: readonly BlobRef[], prefixes = SELECTED): Selection => ({
  prefixes,
  blobs: refs,
  subject: { of: 'p' }
})

async function makeArchive(): Promise<Buffer> {
  const { store, refs } = await filled(RECORDS, BLOBS)
  await writeArchive(store, selectionOf(refs), at('a'))
  return readFileSync(at('a'))
}

describe('an archive', () => {
  it('copies the selected records and blobs into another store', async () => {
    await makeArchive()
    const target = await newStore()
    expect(await readArchive(at('a'), target, ANY)).toEqual({ of: 'p' })
    const lines: string[] = []
    for await (const record of target.list([])) lines.push(`${JSON.stringify(record)}\n`)
    expect(lines).toEqual(LINES)
    for (const content of BLOBS) {
      const sha256 = createHash('sha256').update(content).digest('hex') as BlobRef['sha256']
      expect(Buffer.from((await target.getBlob({ sha256, bytes: content.length })) ?? 'none').toString()).toBe(content)
    }
  })

  it('lists its content in its manifest', async () => {
    await makeArchive()
    const entry = (name: string, content: string) => ({
      name,
      bytes: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex')
    })
    const blobs = BLOBS.map((content) => entry(`blobs/${entry('', content).sha256}`, content))
    expect(await readManifest(at('a'))).toEqual({
      subject: { of: 'p' },
      entries: [entry('records.jsonl', LINES.join('')), ...blobs.sort((one, other) => (one.name < other.name ? -1 : 1))]
    })
  })

  it('is a gzip file as in RFC 1952, without a time, a name or a system', async () => {
    const bytes = await makeArchive()
    expect(bytes.subarray(0, 16).toString('hex')).toBe('1f8b08040000000002ff2400414f2000')
    expect(bytes.subarray(16, 48).equals(createHash('sha256').update(bytes.subarray(48)).digest())).toBe(true)
    expect(gunzipSync(bytes).subarray(0, 13).toString()).toBe('manifest.json')
  })

  it('has the same bytes for the same content, in whatever order it was stored and selected', async () => {
    const first = await makeArchive()
    const choice = fc.tuple(
      fc.shuffledSubarray([...RECORDS], { minLength: RECORDS.length }),
      fc.shuffledSubarray(BLOBS, { minLength: BLOBS.length }),
      fc.shuffledSubarray<RecordKey>([...SELECTED, ['schedule', 'p', 9], ['process', 'p']], { minLength: 4 })
    )
    await fc.assert(
      fc.asyncProperty(choice, async ([records, blobs, prefixes]) => {
        const { store, refs } = await filled(records, blobs)
        await writeArchive(store, selectionOf([...refs, ...refs], prefixes), at('b'))
        expect(readFileSync(at('b')).equals(first)).toBe(true)
      }),
      { numRuns: 8 }
    )
  })

  it('has the same bytes again when it is written from the store that it was read into', async () => {
    const first = await makeArchive()
    const target = await newStore()
    await readArchive(at('a'), target, ANY)
    const { entries } = await readManifest(at('a'))
    const refs = entries.slice(1).map(({ sha256, bytes }) => ({ sha256: sha256 as BlobRef['sha256'], bytes }))
    await writeArchive(target, selectionOf(refs), at('b'))
    expect(readFileSync(at('b')).equals(first)).toBe(true)
  })

  it('carries any JSON under any key', async () => {
    const part = fc.oneof(
      fc.maxSafeNat(),
      fc.string(),
      fc.constantFrom('\u0000', '\u0001', '\ud800', '\uffff', '😀', '__proto__')
    )
    const record = fc.tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.jsonValue())
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 12 }), async (records) => {
        const { store } = await filled(records, [])
        await writeArchive(store, selectionOf([], [[]]), at('b'))
        const target = await newStore()
        await readArchive(at('b'), target, ANY)
        const kept = new Map<string, string>()
        for await (const [key, value] of target.list([])) kept.set(JSON.stringify(key), JSON.stringify(value))
        expect(kept).toEqual(new Map(records.map(([key, value]) => [JSON.stringify(key), JSON.stringify(value)])))
      }),
      { numRuns: 12 }
    )
  })

  it('carries a blob larger than any buffer and more records than a batch', async () => {
    const store = await newStore()
    const bytes = Buffer.alloc(3_000_001)
    for (let place = 0; place + 4 < bytes.byteLength; place += 7) bytes.writeUInt32LE((place * 2_654_435_761) % 2 ** 32, place)
    const ref = await store.putBlob(bytes)
    await store.put(Array.from({ length: 1203 }, (_, nonce) => [['n', nonce], 'x'.repeat(nonce)] as const))
    await writeArchive(store, selectionOf([ref], [['n']]), at('a'))
    const target = await newStore()
    await readArchive(at('a'), target, ANY)
    expect(Buffer.compare((await target.getBlob(ref)) ?? Buffer.alloc(0), bytes)).toBe(0)
    let count = 0
    for await (const [, value] of target.list<string>(['n'])) expect(value.length).toBe(count++)
    expect(count).toBe(1203)
  })
})

describe('an archive that is not as it was written', () => {
  it('is refused if any byte is changed, if it is cut anywhere, or if bytes follow it', async () => {
    const bytes = await makeArchive()
    const target = await newStore()
    const reading = async (content: Uint8Array) => {
      writeFileSync(at('wrong'), content)
      return readArchive(at('wrong'), target, ANY).then(
        () => 'accepted',
        (error: { message: string }) => error.message.slice(`${at('wrong')} is not a valid archive: `.length)
      )
    }
    expect(await reading(bytes)).toBe('accepted')
    const said = new Map<string, number>()
    const attempt = async (content: Uint8Array) => {
      const why = await reading(content)
      said.set(why, (said.get(why) ?? 0) + 1)
    }
    for (let place = 0; place < bytes.byteLength; place++) {
      for (const change of [0xff, 1 << (place % 8)]) {
        const changed = Buffer.from(bytes)
        changed[place] = (changed[place] ?? 0) ^ change
        await attempt(changed)
      }
    }
    for (let length = 0; length < bytes.byteLength; length++) await attempt(bytes.subarray(0, length))
    await attempt(Buffer.concat([bytes, Buffer.from([0])]))
    await attempt(Buffer.concat([bytes, bytes]))
    await attempt(Buffer.from('no archive at all, and longer than the header of one would be'))
    await attempt(gzipSync(Buffer.from('a gzip file of something else, longer than a header')))
    // 16 bytes are always the same; a file shorter than header, one byte and trailer holds nothing.
    const [start, shortest] = [16, 48 + 1 + 8]
    expect(said).toEqual(
      new Map([
        ['it does not begin like one', 2 * start + shortest + 2],
        ['it was cut or changed', 3 * bytes.byteLength - 2 * start - shortest + 2]
      ])
    )
  })

  it('is refused if the file does not exist or is no archive', async () => {
    const store = await newStore()
    await expect(readArchive(at('nowhere'), store, ANY)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    await expect(readArchive(folder, store, ANY)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    await expect(readManifest(at('nowhere'))).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
  })

  it('reports an error of the store as the error of the store, not of the archive', async () => {
    await makeArchive()
    const target = await newStore()
    writeFileSync(path.join(folder, 'store1/blobs', createHash('sha256').update('item').digest('hex').slice(0, 2)), '')
    await expect(readArchive(at('a'), target, ANY)).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  })
})

describe('writing an archive', () => {
  const left = () => readdirSync(folder).filter((name) => !name.startsWith('store'))

  it('fails if a blob is missing or corrupt, and keeps the existing file', async () => {
    const { store, refs } = await filled(RECORDS, BLOBS)
    const [module] = refs
    if (module === undefined) throw new Error('no blob')
    writeFileSync(at('a'), 'earlier')
    const writing = (blobs: readonly BlobRef[]) => writeArchive(store, selectionOf(blobs), at('a'))
    await expect(writing([{ ...module, bytes: 5 }])).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
    await expect(writing([{ ...module, bytes: 7 }])).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
    writeFileSync(store.blobPath(module), 'modulE')
    await expect(writing(refs)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: `the blob ${module.sha256} is corrupt in the store`
    })
    rmSync(store.blobPath(module))
    await expect(writing(refs)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: `the store lacks the blob ${module.sha256}`
    })
    expect(left()).toEqual(['a'])
    expect(readFileSync(at('a'), 'utf8')).toBe('earlier')
  })

  it('reports why the file cannot be written', async () => {
    const { store, refs } = await filled(RECORDS, BLOBS)
    mkdirSync(at('folder'))
    for (const [file, why] of [
      [at('no/such/folder/a'), 'its folder does not exist'],
      [at('folder'), 'it is a folder']
    ]) {
      await expect(writeArchive(store, selectionOf(refs), file ?? '')).rejects.toMatchObject({
        code: 'OUTPUT_UNUSABLE',
        message: `the archive ${file} cannot be written: ${why}`
      })
    }
    expect(left()).toEqual(['folder'])
  })

  it('refuses to write an archive that could not be read again', async () => {
    const { store } = await filled(RECORDS, [])
    const subject = 'x'.repeat(32 * 1024 * 1024)
    await expect(writeArchive(store, { ...selectionOf([]), subject }, at('a'))).rejects.toMatchObject({ code: 'USAGE' })
    expect(left()).toEqual([])
  })
})
