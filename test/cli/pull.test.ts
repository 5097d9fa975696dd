import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LedgerNetwork, startLedger } from '../fakes/ledger.ts'
import { expectError, lasting, ROOT, reportIn, run, unitsOf } from './command.ts'

let folder: string
let network: LedgerNetwork
let archive: string

const inFolder = (name: string) => path.join(folder, name)
const pull = (store: string, output: string) =>
  run(['pull', network.process, ...unitsOf(network), '--store', inFolder(store), '--to', '5', '-o', output])

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-cli-'))
  network = await startLedger()
  archive = inFolder('first.tar.gz')
  const ended = await pull('store', archive)
  expect(ended).toEqual({
    code: 0,
    signal: null,
    stdout: '',
    stderr: `${archive}: nonces 0 to 5 of ${network.process}\n`
  })
})
afterAll(async () => {
  await network.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('ao-audit pull', () => {
  it('writes the same bytes a second time, and only requests the newest nonce again', async () => {
    const before = network.requests.length
    const second = inFolder('second.tar.gz')
    expect((await pull('store', second)).code).toBe(0)
    expect(readFileSync(second).equals(readFileSync(archive))).toBe(true)
    const again = network.requests.slice(before).map(({ what }) => what)
    expect(again.sort()).toEqual(['/', `/${network.process}/latest?process-id=${network.process}`])
  })

  it('leaves no other file beside the archive', () => {
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('prints nothing with --quiet', async () => {
    const args = ['pull', network.process, ...unitsOf(network), '--store', inFolder('store'), '--to', '5', '--quiet']
    expect(await run([...args, '-o', inFolder('quiet.tar.gz')])).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
  })

  it('writes the existing nonces if --to is too large, says where the archive ends, and ends with exit code 3', async () => {
    const output = inFolder('short.tar.gz')
    const args = ['pull', network.process, ...unitsOf(network), '--store', inFolder('store'), '--to', '99', '--quiet']
    const line = 'ao-audit: the archive ends at nonce 45, the newest one, although --to is 99'
    expectError(await run([...args, '-o', output]), 3, line)
    expect(readdirSync(folder)).toContain('short.tar.gz')
  })

  it('prints one line and ends with exit code 2 if the folder of the archive does not exist', async () => {
    const output = inFolder('nowhere/a.tar.gz')
    expectError(await pull('store', output), 2, `ao-audit: the archive ${output} cannot be written: its folder does not exist`)
  })

  it('writes no archive and ends with exit code 3 if an input is missing', async () => {
    const broken = await startLedger({ missingItems: [network.module] })
    try {
      const output = inFolder('broken.tar.gz')
      const args = ['pull', broken.process, ...unitsOf(broken), '--store', inFolder('broken'), '--to', '5', '-o', output]
      const hint = '  give another gateway with --gateway URL'
      expectError(await run(args), 3, `ao-audit: no gateway has the module ${network.module}`, hint)
      expect(readdirSync(folder)).not.toContain('broken.tar.gz')
    } finally {
      await broken.close()
    }
  })
})

describe('the audit of an archive', () => {
  const audited = (file: string, ...args: string[]) => run(['audit', '--archive', file, '--json', ...args])

  it('gives the same report as over the network, without one', async () => {
    const live = reportIn(
      await run(['audit', network.process, ...unitsOf(network), '--store', inFolder('store'), '--to', '5', '--json'])
    )
    const before = network.requests.length
    const ended = await audited(archive)
    expect(ended.code).toBe(0)
    expect(ended.stderr).toBe('')
    expect(lasting(reportIn(ended))).toEqual(lasting(live))
    expect(network.requests.length).toBe(before)
  })

  it('can judge a part of it', async () => {
    const ended = await audited(archive, '--to', '2')
    expect(ended.code).toBe(0)
    expect(reportIn(ended).range).toEqual({ from: 0, to: 2 })
  })

  it('compares the nonces in it and names the missing ones, with exit code 3', async () => {
    const ended = await audited(archive, '--to', '99')
    expect(ended.code).toBe(3)
    const report = reportIn(ended)
    const absent = 'nonces 6 to 99 are missing: the archive ends at nonce 5'
    expect(report).toMatchObject({ verdict: 'inconclusive', reasons: [absent], range: { from: 0, to: 5 } })
    expect(report.coverage.compared).toBe(6)
    const late = inFolder('late.tar.gz')
    const args = ['pull', network.process, ...unitsOf(network), '--store', inFolder('store'), '--from', '3', '--to', '5']
    expect((await run([...args, '-o', late])).code).toBe(0)
    expect((await audited(late)).code).toBe(0)
    const early = await audited(late, '--from', '0')
    expect(early.code).toBe(3)
    expect(reportIn(early).reasons).toEqual(['nonces 0 to 2 are missing: the archive begins at nonce 3'])
  })

  it('is an error with exit code 2 if it contains none of the requested nonces', async () => {
    expectError(await audited(archive, '--from', '6'), 2, 'ao-audit: the archive holds nonces 0 to 5')
  })

  it('is refused with exit code 2 if one bit anywhere was altered', async () => {
    const whole = readFileSync(archive)
    for (const at of [20, whole.byteLength >> 1, whole.byteLength - 1]) {
      const altered = Buffer.from(whole)
      altered[at] = (altered[at] ?? 0) ^ 1
      const file = inFolder('altered.tar.gz')
      writeFileSync(file, altered)
      expectError(await audited(file), 2, /^ao-audit: .*altered\.tar\.gz/, /^ {2}\S/)
    }
  })

  it('is refused with exit code 2 if the archive was cut', async () => {
    const whole = readFileSync(archive)
    const file = inFolder('cut.tar.gz')
    writeFileSync(file, whole.subarray(0, whole.byteLength - 1000))
    expectError(await audited(file), 2, /^ao-audit: .*cut\.tar\.gz/, /^ {2}\S/)
  })

  it('is refused with exit code 2 for another kind of file', async () => {
    const other = inFolder('other.tar.gz')
    copyFileSync(path.join(ROOT, 'LICENSE'), other)
    expectError(await audited(other), 2, /^ao-audit: .*other\.tar\.gz/, /^ {2}\S/)
  })

  it('is an error with exit code 2 if the file does not exist', async () => {
    expectError(await audited(inFolder('none.tar.gz')), 2, /^ao-audit: the archive .*none\.tar\.gz does not exist$/)
  })

  it('leaves no folder behind, whatever the file is', async () => {
    const temporary = mkdtempSync(path.join(folder, 'tmp-'))
    const env = { TMPDIR: temporary, TEMP: temporary, TMP: temporary }
    await run(['audit', '--archive', inFolder('cut.tar.gz')], { env })
    await run(['audit', '--archive', archive, '--to', '1'], { env })
    expect(readdirSync(temporary)).toEqual([])
  })
})
