/** Archives altered by somebody who knows the format: refused, or judged by the signed data. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import tar from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/audit-options.ts'
import { pullArchive } from '../../src/audit/pull-archive.ts'
import { AuditError } from '../../src/model/errors.ts'
import type { Report } from '../../src/report/model.ts'
import { startFakeNetwork } from '../fakes/network.ts'
import { compileSmallModule } from '../modules/small-module.ts'
import { type SmallProcess, signedSmallProcess } from '../modules/small-process.ts'
import { type ForgedEntry, gzipOf, manifestOf, tarOf } from '../store/forge.ts'

const FORMAT = 'wasm32-unknown-emscripten4'
const WORDS = ['count', 'error', 'count', 'count']
type Line = [(string | number)[], unknown]
let folder: string
let small: SmallProcess
let other: SmallProcess
let lines: Line[]
let otherLines: Line[]
let blobs: ForgedEntry[]
let subject: unknown

const result = (fields: object) => ({ Messages: [], Assignments: [], Spawns: [], Output: '', GasUsed: 0, ...fields })

async function pulled(of: SmallProcess) {
  let count = 0
  const claims = WORDS.map((word, place) => ({
    id: of.messageIds[place + 1] ?? '',
    status: 200,
    result: word === 'count' ? result({ Output: String(++count) }) : result({ Output: 'failed', Error: 'boom' })
  }))
  const { url, close } = await startFakeNetwork({ ...of, claims })
  const file = path.join(folder, `${of.process.process_id}.gz`)
  try {
    const units = { scheduler: url, gateways: [url], computes: [url] }
    await pullArchive({ process: of.process.process_id, ...units, store: path.join(folder, `store ${url.slice(-5)}`) }, file)
  } finally {
    await close()
  }
  const entries = new Map<string, Buffer>()
  const extract = Readable.from([gunzipSync(readFileSync(file))]).pipe(tar.extract())
  for await (const entry of extract) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    entries.set(entry.header.name, Buffer.concat(chunks))
  }
  const text = entries.get('records.jsonl')?.toString() ?? ''
  return {
    lines: text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line),
    blobs: [...entries].flatMap(([name, content]) => (name.startsWith('blobs/') ? [{ name, content }] : [])),
    subject: (JSON.parse(entries.get('manifest.json')?.toString() ?? '') as { subject: unknown }).subject
  }
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-forged-run-'))
  small = await signedSmallProcess({ format: FORMAT, wasm: await compileSmallModule(FORMAT), messages: WORDS })
  const larger = await compileSmallModule(FORMAT, { initialPages: 21 })
  other = await signedSmallProcess({ format: FORMAT, wasm: larger, messages: WORDS, seed: 'other' })
  ;({ lines, blobs, subject } = await pulled(small))
  const second = await pulled(other)
  otherLines = second.lines
  blobs = [...new Map([...blobs, ...second.blobs].map((blob) => [blob.name, blob])).values()].sort((left, right) =>
    left.name < right.name ? -1 : 1
  )
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The verdict on an archive of these records, or the code of the error that refuses it. */
async function said(forged: readonly Line[], more: Pick<AuditOptions, 'start'> = {}): Promise<string> {
  const report = await auditOf(forged, more)
  return report instanceof AuditError ? report.code : report.verdict
}

async function auditOf(forged: readonly Line[], more: Pick<AuditOptions, 'start'> = {}): Promise<Report | AuditError> {
  const records = { name: 'records.jsonl', content: forged.map((line) => `${JSON.stringify(line)}\n`).join('') }
  const entries = [records, ...blobs]
  const archive = path.join(folder, 'forged.gz')
  writeFileSync(archive, gzipOf(await tarOf([manifestOf(entries, { subject }), ...entries])))
  try {
    return await audit({ archive, ...more })
  } catch (error) {
    if (error instanceof AuditError) return error
    throw error
  }
}

const changed = (kind: string, change: (value: Record<string, unknown>, key: Line[0]) => unknown): Line[] =>
  lines.map(([key, value]) => (key[0] === kind ? [key, change(value as Record<string, unknown>, key)] : [key, value]))
/** Sorted as in an archive: numbers before texts. */
const withRecord = (record: Line): Line[] =>
  [...lines, record].sort(([left], [right]) =>
    String(left[0]) < String(right[0]) ? -1 : String(left[0]) > String(right[0]) ? 1 : 0
  )

describe('an archive with correct hashes', { timeout: 120_000 }, () => {
  it('gets the same verdict as the network if nothing is altered', async () => {
    expect(await said(lines)).toBe('match')
  })

  it('is refused if it has records that no pull writes, or of another process or run', async () => {
    const valid = { status: 'valid' }
    const foreign = otherLines.find(([key]) => key[0] === 'schedule')
    for (const record of [
      [['verdict', 'arweave', small.process.process_id, 1], { assignment: valid, message: valid }],
      [['derived', 'verdict', 'arweave', small.process.process_id, 1], { of: '', assignment: valid, message: valid }],
      [['derived', 'snapshot', small.process.process_id, 'x'], {}],
      [['__proto__', 'x'], {}],
      [['unproven', small.moduleId], []],
      ...(foreign === undefined ? [] : [foreign])
    ] as Line[])
      expect([record[0], await said(withRecord(record))]).toEqual([record[0], 'ARCHIVE_INVALID'])
  })

  it('is refused if a record has another shape or lies under another key', async () => {
    for (const kind of ['run', 'process', 'schedule', 'transaction', 'claim', 'listing', 'unavailable'])
      for (const by of [null, 7, [], {}, 'text'])
        expect([kind, by, await said(changed(kind, () => by))]).toEqual([kind, by, 'ARCHIVE_INVALID'])
    const swapped = changed('transaction', (value, key) =>
      key[1] === small.moduleId ? { ...value, id: other.moduleId } : value
    )
    expect(await said(swapped)).toBe('ARCHIVE_INVALID')
  })

  it('is refused if the fields of a claim contradict its text', async () => {
    const fault = { kind: 'key-twice', path: 'Output', detail: 'x' }
    for (const more of [{ value: result({ Output: 'EVIL' }) }, { covers: ['Output'] }, { faults: [fault] }, { raw: '{' }])
      expect([
        more,
        await said(changed('claim', (value) => (value['kind'] === 'result' ? { ...value, ...more } : value)))
      ]).toEqual([more, 'ARCHIVE_INVALID'])
  })

  it('is inconclusive if an answer names another message, and the claim is reported as unmatched', async () => {
    const forged = changed('claim', (value, key) =>
      key[3] === 3 && value['kind'] === 'result' ? { ...value, messageId: small.messageIds[1] } : value
    )
    const report = await auditOf(forged)
    if (report instanceof AuditError) throw report
    expect([report.verdict, report.findings.map(({ code }) => code)]).toEqual([
      'inconclusive',
      expect.arrayContaining(['CLAIM_UNMATCHED'])
    ])
  })

  it('is replayed with no module but the signed one, whatever other fields or keys say', async () => {
    expect(
      await said(changed('process', (value) => ({ ...value, moduleId: other.moduleId, scheduler: other.scheduler })))
    ).toBe('match')
    const module = otherLines.find(([key]) => key[1] === other.moduleId)?.[1] as Record<string, unknown>
    const forged = changed('transaction', (value, key) =>
      key[1] === small.moduleId ? { ...module, id: small.moduleId } : value
    )
    expect(await said(forged)).toBe('inconclusive')
  })

  it('is judged within seconds if its newest nonce is 9007199254740990', async () => {
    const report = await auditOf(changed('run', (value) => ({ ...value, to: 9_007_199_254_740_990 })))
    if (report instanceof AuditError) throw report
    expect(report.verdict).toBe('inconclusive')
    expect(report.evaluations.filter(({ through }) => through !== undefined)).toEqual([
      expect.objectContaining({ nonce: WORDS.length + 1, through: 9_007_199_254_740_990, status: 'inconclusive' })
    ])
  }, 20_000)

  it('is inconclusive if it lacks the checkpoint to start at', async () => {
    expect(await said(lines, { start: { checkpoint: small.moduleId } })).toBe('inconclusive')
  })

  it('is refused or judged by the signed data if any member of any record is altered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(lines.length - 1),
        fc.nat(),
        fc.constantFrom<unknown>(null, 0, '', 'x', [], {}, 9_007_199_254_740_990),
        async (place, member, by) => {
          const [key, value] = structuredClone(lines[place] ?? lines[0]) as Line
          // Anybody can claim anything, in an archive as on the network.
          if (key[0] === 'claim' || key[0] === 'unavailable' || key[0] === 'listing') return
          const inside = (one: unknown): [Record<string, unknown>, string][] =>
            typeof one !== 'object' || one === null
              ? []
              : Object.entries(one).flatMap(([name, inner]) => [
                  [one as Record<string, unknown>, name] as [Record<string, unknown>, string],
                  ...inside(inner)
                ])
          const all = inside(value)
          const [holder, name] = all[member % Math.max(1, all.length)] ?? []
          if (holder === undefined || name === undefined) return
          holder[name] = by
          const verdict = await said(lines.map((line, at) => (at === place ? [key, value] : line)))
          expect(['match', 'inconclusive', 'ARCHIVE_INVALID', 'USAGE']).toContain(verdict)
        }
      ),
      { numRuns: 100 }
    )
  })
})

describe('an audit of a module in a format that the loader does not know', { timeout: 60_000 }, () => {
  it('ends in an inconclusive report that names the module', async () => {
    const odd = await signedSmallProcess({
      format: 'wasm99' as typeof FORMAT,
      wasm: Uint8Array.of(0),
      messages: [],
      seed: 'odd'
    })
    const { url, close } = await startFakeNetwork({ ...odd, claims: [] })
    try {
      const units = { scheduler: url, gateways: [url], computes: [url], store: path.join(folder, 'odd') }
      const { verdict, findings } = await audit({ process: odd.process.process_id, ...units })
      expect(verdict).toBe('inconclusive')
      expect(findings.map(({ code, attribution }) => `${code} ${attribution}`)).toContain('MODULE_UNSUPPORTED module')
    } finally {
      await close()
    }
  })
})
