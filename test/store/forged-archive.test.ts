import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditError } from '../../src/model/errors.ts'
import { readArchive } from '../../src/store/archive.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { Store } from '../../src/store/store.ts'
import { blob, type ForgedEntry, gzipOf, hashOf, manifestOf, records, tarOf, type Wrapping } from './forge.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-forged-'))
  store = await openStore(path.join(folder, 'store'))
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The result of reading these bytes: `accepted`, or the reason why not. */
async function said(bytes: Buffer): Promise<string> {
  const file = path.join(folder, 'forged')
  writeFileSync(file, bytes)
  return readArchive(file, store, () => () => true).then(
    () => 'accepted',
    ({ code, message }: AuditError) => {
      expect(code).toBe('ARCHIVE_INVALID')
      expect(message.startsWith(`${file} is not a valid archive: `)).toBe(true)
      return message.slice(`${file} is not a valid archive: `.length)
    }
  )
}

const archive = async (entries: readonly ForgedEntry[], wrapping?: Wrapping) => gzipOf(await tarOf(entries), wrapping)
const withManifest = (entries: readonly ForgedEntry[], more?: object) => [manifestOf(entries, more), ...entries]

const RECORDS = records([['a', 1], { x: 1 }], [['a', 2], null])
const BLOBS = [blob('one'), blob('two')].sort((left, right) => (left.name < right.name ? -1 : 1))
const [FIRST = blob('one'), SECOND = blob('two')] = BLOBS
const HONEST = [RECORDS, ...BLOBS]

const OTHER_FORM = 'this version cannot read its manifest'
const OTHER_ENTRIES = 'its entries do not match its manifest'
const OTHER_JSON = 'it holds JSON that no archive writer produces'
const OTHER_RECORD = 'one of its records is malformed'
const OTHER_ORDER = 'its records are not in order'
const OTHER_CONTENT = 'the content of an entry does not match its manifest'
const OTHER_END = 'its length or checksum is wrong'
const TOO_MUCH = 'it unpacks to more bytes than it declares'

describe('an archive whose hashes are right', () => {
  it('is accepted if nothing else is wrong with it', async () => {
    expect(await said(await archive(withManifest(HONEST)))).toBe('accepted')
    expect(await store.get(['a', 1])).toEqual({ x: 1 })
    expect(await said(await archive(withManifest([records()])))).toBe('accepted')
  })

  it.each<[string, ForgedEntry[], string]>([
    ['no entries', [], 'entries are missing'],
    ['no manifest', HONEST, 'it does not begin with a manifest'],
    ['its manifest last', [...HONEST, manifestOf(HONEST)], 'it does not begin with a manifest'],
    ['another schema', withManifest(HONEST, { schema: 'ao-audit/archive/v2' }), OTHER_FORM],
    ['a field more in the manifest', withManifest(HONEST, { more: 1 }), OTHER_FORM],
    ['no records', withManifest(BLOBS), OTHER_FORM],
    ['records twice', withManifest([RECORDS, RECORDS]), OTHER_FORM],
    ['a blob twice', withManifest([RECORDS, FIRST, FIRST]), OTHER_FORM],
    ['blobs in another order', withManifest([RECORDS, SECOND, FIRST]), OTHER_FORM],
    ['a name that climbs', withManifest([RECORDS, { name: '../../evil', content: 'x' }]), OTHER_FORM],
    [
      'a name that climbs below blobs',
      withManifest([RECORDS, { name: `blobs/../${'a'.repeat(61)}`, content: 'x' }]),
      OTHER_FORM
    ],
    ['an absolute name', withManifest([RECORDS, { name: '/tmp/evil', content: 'x' }]), OTHER_FORM],
    ['a blob under another hash', withManifest([RECORDS, { ...FIRST, name: SECOND.name }]), OTHER_FORM],
    [
      'a blob of another content',
      withManifest([RECORDS, { name: blob('one').name, content: 'eno', sha256: hashOf('one') }]),
      OTHER_CONTENT
    ],
    ['records of another hash', withManifest([{ ...RECORDS, sha256: hashOf('one') }]), OTHER_CONTENT],
    [
      'a manifest of two lines',
      [{ ...manifestOf([RECORDS]), content: `${manifestOf([RECORDS]).content.toString()}\n` }, RECORDS],
      OTHER_JSON
    ],
    ['a manifest that is no JSON', [{ name: 'manifest.json', content: '\u001b[31m{\n' }], OTHER_JSON],
    ['an empty manifest', [{ name: 'manifest.json', content: '' }], OTHER_JSON],
    ['an entry less than its manifest', [manifestOf(HONEST), RECORDS, FIRST], 'entries are missing'],
    ['an entry more than its manifest', [manifestOf([RECORDS, FIRST]), ...HONEST], OTHER_ENTRIES],
    ['an empty entry more than its manifest', [manifestOf(HONEST), ...HONEST, { name: 'x', content: '' }], OTHER_ENTRIES],
    ['another entry in its place', [manifestOf([RECORDS, FIRST]), RECORDS, SECOND], OTHER_ENTRIES],
    ['a longer entry in its place', [manifestOf([RECORDS, FIRST]), RECORDS, { ...FIRST, content: 'one more' }], OTHER_ENTRIES],
    [
      'a link',
      [manifestOf([RECORDS, FIRST]), RECORDS, { ...FIRST, content: '/etc/hostname', type: 'symlink' }],
      'one of its entries is no file'
    ],
    [
      'a folder',
      [manifestOf([RECORDS, FIRST]), RECORDS, { name: 'evil/', content: '', type: 'directory' }],
      'one of its entries is no file'
    ],
    [
      'a file of another kind',
      [manifestOf([RECORDS, FIRST]), RECORDS, { ...FIRST, type: 'contiguous-file' }],
      'one of its entries is no file'
    ],
    ['a name by an extended header', [manifestOf(HONEST), RECORDS, { ...FIRST, pax: { path: FIRST.name } }, SECOND], OTHER_END],
    ['a record that is no pair', withManifest([records([['a']])]), OTHER_RECORD],
    ['a record of three', withManifest([records([['a'], 1, 2])]), OTHER_RECORD],
    ['a key that is no list', withManifest([records(['a', 1])]), OTHER_RECORD],
    ['a key of no parts', withManifest([records([[], 1])]), OTHER_RECORD],
    ['a part of a key that is negative', withManifest([records([[-1], 1])]), OTHER_RECORD],
    ['a part of a key that is no whole number', withManifest([records([[0.5], 1])]), OTHER_RECORD],
    ['a part of a key beyond 2^53', withManifest([records('[[9007199254740992],1]')]), OTHER_RECORD],
    ['records out of order', withManifest([records([['a', 10], 1], [['a', 9], 1])]), OTHER_ORDER],
    ['a record twice', withManifest([records([['a', 1], 1], [['a', 1], 2])]), OTHER_ORDER],
    ['a record that is no JSON', withManifest([records('{')]), OTHER_JSON],
    ['an empty line', withManifest([records('')]), OTHER_JSON],
    ['a blank in a record', withManifest([records('[["a"], 1]')]), OTHER_JSON],
    ['a name twice in an object', withManifest([records('[["a"],{"b":1,"b":2}]')]), OTHER_JSON],
    ['a number that no double is', withManifest([records('[["a"],1e999]')]), OTHER_JSON],
    [
      'a record nested without end',
      withManifest([records(`[["a"],${'['.repeat(200_000)}${']'.repeat(200_000)}]`)]),
      OTHER_JSON
    ],
    [
      'a record nested deeper than any',
      withManifest([records(`[["a"],${'['.repeat(20_000)}${']'.repeat(20_000)}]`)]),
      OTHER_JSON
    ],
    [
      'bytes that are not UTF-8',
      withManifest([{ name: 'records.jsonl', content: Buffer.from('5b5b2261225d2c22ff225d0a', 'hex') }]),
      OTHER_JSON
    ],
    [
      'a last record that is cut',
      withManifest([{ name: 'records.jsonl', content: '[["a"],1]' }]),
      'its last record is cut short'
    ]
  ])('is refused with %s', async (_what, entries, why) => {
    expect(await said(await archive(entries))).toBe(why)
    expect(readdirSync(folder).sort()).toEqual(['forged', 'store'])
  })

  it.each<[string, Wrapping]>([
    ['bytes after its content', { behind: Buffer.from('more') }],
    ['zeros after its content', { behind: Buffer.alloc(9) }],
    ['another archive after its content', { behind: gzipOf(Buffer.from('x')) }],
    ['another checksum', { crc32: 1 }],
    ['another length', { length: 1 }]
  ])('is refused with %s', async (_what, wrapping) => {
    expect(await said(await archive(withManifest(HONEST), wrapping))).toBe(OTHER_END)
  })

  it('is refused if it ends whole blocks too early or too late', async () => {
    const whole = await tarOf(withManifest(HONEST))
    expect(await said(gzipOf(whole.subarray(0, -512)))).toBe(OTHER_END)
    expect(await said(gzipOf(whole.subarray(0, -1024)))).toBe(OTHER_END)
    expect(await said(gzipOf(Buffer.concat([whole, Buffer.alloc(512)])))).toBe(OTHER_END)
  })

  it('is refused if any byte of its records, of a blob or of a header is changed', async () => {
    const whole = await tarOf(withManifest([RECORDS, FIRST]))
    const refused = async (from: number, bytes: number) => {
      for (let place = from; place < from + bytes; place++) {
        const changed = Buffer.from(whole)
        changed[place] = (changed[place] ?? 0) ^ (1 << (place % 8))
        expect(`${place}: ${await said(gzipOf(changed))}`).not.toBe(`${place}: accepted`)
      }
    }
    const recordsAt = whole.indexOf(RECORDS.content)
    const blobHeaderAt = whole.indexOf(`${FIRST.name}\0`)
    await refused(recordsAt, RECORDS.content.length)
    // The header's checksum between the two may be written in several ways.
    await refused(blobHeaderAt, 148)
    await refused(blobHeaderAt + 156, 512 - 156 + FIRST.content.length)
  })
})

describe('an archive that unpacks to more bytes than it declares', () => {
  const bomb = Buffer.alloc(64 * 1024 * 1024)

  it('is refused at the size in its manifest, not at its end', async () => {
    const whole = await tarOf(withManifest(HONEST))
    // A reader that unpacks everything reaches a block of an unknown type.
    const wrapping = { endless: true, behind: Buffer.from([0x07]) }
    expect(await said(gzipOf(whole, wrapping))).toBe('invalid block type')
    expect(await said(gzipOf(Buffer.concat([whole, bomb]), wrapping))).toBe(TOO_MUCH)
  })

  it('is refused at the size limit of a manifest if it has none', async () => {
    expect(await said(gzipOf(bomb, { endless: true, behind: Buffer.from([0x07]) }))).toBe(TOO_MUCH)
  })

  it('is refused as soon as its manifest declares more than the limits allow', async () => {
    const big = (bytes: number) => manifestOf([], { entries: [{ name: 'records.jsonl', bytes, sha256: hashOf('') }] })
    expect(await said(await archive([big(64 * 1024 ** 3)]))).toBe('it unpacks to too many bytes')
    expect(await said(await archive([big(64 * 1024 ** 3 + 1)]))).toBe(OTHER_FORM)
    const blobOf = { name: `blobs/${hashOf('')}`, bytes: 513 * 1024 * 1024, sha256: hashOf('') }
    const entries = [{ name: 'records.jsonl', bytes: 0, sha256: hashOf('') }, blobOf]
    expect(await said(await archive([manifestOf([], { entries })]))).toBe(OTHER_FORM)
  })

  it('is refused at a manifest that is larger than the limit', async () => {
    const content = Buffer.alloc(32 * 1024 * 1024 + 1, ' ')
    expect(await said(await archive([{ name: 'manifest.json', content }]))).toBe('it does not begin with a manifest')
  })
})
