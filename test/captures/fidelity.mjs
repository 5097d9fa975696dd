/** Compares every claim, memory and checkpoint of a real CU to the last byte. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createData, DataItem, EthereumSigner } from 'arbundles'
import {
  auditCapture,
  captureFile,
  inFolder,
  NODE_VERSIONS,
  nodeBinary,
  pullCapture,
  readCapture,
  reportIn,
  run
} from './network.mjs'

const CAPTURES = ['ledger64', 'ledger32', 'legacy64', 'cron64', 'edge64', 'metered32', 'long64']
const ENVIRONMENT = ['USER=web_user', 'LOGNAME=web_user', 'PATH=/', 'PWD=/', 'HOME=/home/web_user', 'LANG=C.UTF-8']
const SCRIPT = '_=/usr/app/src/effects/worker/evaluator/index.js'

const assigned = (edge, name) => Number(edge.node.assignment.tags.find((tag) => tag.name === name).value)
const nonceOf = (edge) => assigned(edge, 'Nonce')
const timeOf = (edge) => assigned(edge, 'Timestamp')

function states(capture) {
  const all = readCapture(capture, 'states.json')
  const of = (kind) => (all[kind] ?? []).filter(({ status }) => status === 200)
  return {
    stepwise: of('stepwise'),
    oneStream: of('oneStream'),
    twoStreams: of('twoStreams'),
    askedFor: all.twoStreamsAskedFor ?? []
  }
}

function uploads(capture) {
  try {
    return readdirSync(captureFile(capture, 'uploads')).length
  } catch {
    return 0
  }
}

/** Every claim agrees; a match under another profile reads the clock or depends on blocks, and a finding says so. */
function claims(capture, version) {
  return {
    title: `${capture}: claims, states, checkpoints${version === undefined ? '' : `, Node ${version}`}`,
    async check() {
      const wanted = states(capture).stepwise
      const args = ['--state-hash', wanted.map(({ nonce }) => nonce).join(',')]
      const ended = await auditCapture(capture, { args, node: version === undefined ? undefined : nodeBinary(version) })
      const { report, code } = ended
      assert.ok(report, ended.stderr)
      assert.equal(report.verdict, 'match', report.reasons.join('; '))
      assert.equal(code, 0)
      const codes = new Set(report.findings.map((finding) => finding.code))
      assert.ok(!codes.has('TAG_ORDER_DIFFERS'), 'tags come in another order')
      const fitted = report.evaluations.filter(({ status }) => status === 'match-profile')
      const said = report.findings.filter((finding) => finding.code === 'HOST_INPUT_READ').length
      assert.equal(said, fitted.length)
      for (const { nonce, sha256 } of wanted) assert.equal(report.stateHashes[nonce], sha256, `the memory after nonce ${nonce}`)
      const equal = report.checkpoints.filter(({ status }) => status === 'match').length
      assert.equal(equal, uploads(capture), `${equal} of ${uploads(capture)} checkpoints are equal`)
      return `${report.coverage.compared} compared, ${fitted.length} by profile, ${wanted.length} states, ${equal} checkpoints`
    }
  }
}

/** Memories of a CU that received other requests: a profile states the starts of its instances. */
function streams(capture, kind) {
  const { [kind]: wanted, askedFor } = states(capture)
  if (wanted.length === 0) return []
  return {
    title: `${capture}: ${kind}`,
    check: () =>
      inFolder(async (folder) => {
        // A stream begins after each nonce that the CU was asked for.
        const begins = kind === 'twoStreams' ? askedFor.map(Number).map((nonce) => nonce + 1) : []
        const file = path.join(folder, 'profile.json')
        const times = new Map(readCapture(capture, 'schedule.json').map((edge) => [nonceOf(edge), timeOf(edge)]))
        const profile = {
          name: kind,
          environment: [...ENVIRONMENT, SCRIPT],
          instances: begins.length > 0 ? begins : 'one',
          blocks: kind === 'oneStream' ? 'one-stream' : askedFor.map((nonce) => times.get(Number(nonce)))
        }
        writeFileSync(file, JSON.stringify(profile))
        const args = ['--profile', file, '--no-search', '--state-hash', wanted.map(({ nonce }) => nonce).join(',')]
        const { report, stderr } = await auditCapture(capture, { args })
        assert.ok(report, stderr)
        for (const { nonce, sha256 } of wanted)
          assert.equal(report.stateHashes[nonce], sha256, `the memory after nonce ${nonce}`)
        assert.equal(report.profile.name, kind)
        return `${wanted.length} states`
      })
  }
}

/** A replay from each checkpoint ends in the same memory, and so does one in parallel parts. */
function starts(capture) {
  return {
    title: `${capture}: from each checkpoint, and in parts`,
    check: () =>
      inFolder(async (folder) => {
        const archive = await pullCapture(capture, path.join(folder, 'archive.tar.gz'))
        const audited = async (...args) => {
          const { stdout, stderr, code } = await run(['audit', '--archive', archive, '--json', '--quiet', ...args])
          assert.equal(code, 0, stderr || stdout)
          return reportIn(stdout)
        }
        const last = states(capture).stepwise.at(-1)
        const [one, two] = [await audited('--jobs', '1'), await audited('--jobs', '2')]
        const { begun, proven } = two.timings.partsAhead
        const lasting = (report) => ({ ...report, date: null, digest: null, timings: null })
        assert.deepEqual(lasting(two), lasting(one))
        assert.equal(one.checkpoints.length, uploads(capture))
        const behind = one.checkpoints.filter(({ nonce }) => nonce < last.nonce)
        for (const { id, nonce } of behind) {
          const report = await audited('--start', `checkpoint:${id}`, '--state-hash', 'last')
          assert.equal(report.stateHashes[last.nonce], last.sha256, `from ${id}`)
          assert.deepEqual([report.start.nonce, report.range.from, report.verdict], [nonce, nonce + 1, 'match'])
        }
        return `${behind.length} starts; ${proven} of ${begun} links proven ahead`
      })
  }
}

/** Adds a checkpoint of another signer, whose memory differs in one byte, to the CU's own. */
const stranger = {
  title: "ledger64 with a stranger's checkpoint of another memory",
  check: () =>
    inFolder(async (folder) => {
      const copy = path.join(folder, 'ledger64')
      cpSync(captureFile('ledger64', '.'), copy, { recursive: true })
      const items = readdirSync(path.join(copy, 'uploads')).map(
        (file) => new DataItem(readFileSync(path.join(copy, 'uploads', file)))
      )
      // The first checkpoint: until the second clock reading all honest memories are equal.
      const nonceIn = ({ tags }) => Number(tags.find(({ name }) => name === 'Nonce').value)
      const [own] = items.sort((left, right) => nonceIn(left) - nonceIn(right))
      const memory = gunzipSync(own.rawData)
      const at = memory.length - 4096
      memory[at] ^= 0xff
      const signer = new EthereumSigner('7'.repeat(64))
      const sha256 = createHash('sha256').update(memory).digest('hex')
      const tags = own.tags.map(({ name, value }) => ({ name, value: name === 'SHA-256' ? sha256 : value }))
      const strange = createData(gzipSync(memory, { level: 1 }), signer, { tags })
      await strange.sign(signer)
      const address = createHash('sha256').update(signer.publicKey).digest('base64url')
      const listed = {
        id: strange.id,
        height: 1_600_000,
        owner: { address, key: signer.publicKey.toString('base64url') },
        signature: strange.rawSignature.toString('base64url'),
        anchor: '',
        target: '',
        tags,
        data: strange.rawData.toString('base64')
      }
      writeFileSync(path.join(copy, 'txs.json'), JSON.stringify([...readCapture(copy, 'txs.json'), listed]))
      const { report, code, stderr } = await auditCapture(copy)
      assert.ok(report, stderr)
      assert.deepEqual([report.verdict, code], ['match', 0])
      const judged = Object.fromEntries(report.checkpoints.map(({ id, status }) => [id, status]))
      assert.equal(judged[strange.id], 'mismatch')
      assert.deepEqual(Object.values(judged).filter((status) => status === 'match').length, uploads('ledger64'))
      assert.deepEqual(report.claimants.map(({ audited, verdict }) => [audited, verdict]).sort(), [
        [false, 'match'],
        [false, 'mismatch'],
        [true, 'match']
      ])
      const { differingBytes, ranges } = report.checkpoints.find(({ id }) => id === strange.id).memory
      assert.deepEqual([differingBytes, ranges.length, ranges[0].offset, ranges[0].place], [1, 1, at, 'heap'])
      return `mismatch, 1 byte at 0x${at.toString(16)} (heap); the unit: ${report.verdict}`
    })
}

const misfit = {
  title: 'ledger64 --profile loader-0.0.49',
  async check() {
    const { report, code } = await auditCapture('ledger64', { args: ['--profile', 'loader-0.0.49'] })
    assert.notEqual(report.verdict, 'mismatch')
    assert.notEqual(code, 1)
    const found = report.findings.find((finding) => finding.code === 'PROFILE_DOES_NOT_FIT')
    assert.match(found?.detail ?? '', /legacynet/)
    return `${report.verdict}: ${found.detail.slice(0, 60)}`
  }
}

const clockClaim = {
  title: 'ledger64 claim:26, after a time zone that no profile states',
  async check() {
    const { report, code } = await auditCapture('ledger64', { serverArgs: ['--tamper', 'claim:26'] })
    assert.equal(report.verdict, 'inconclusive')
    assert.equal(code, 3)
    assert.match(
      report.evaluations.find(({ nonce }) => nonce === 26).reason,
      /^the module asked its host's time zone \(localtime_js\) at nonce 23,/
    )
    return 'inconclusive, nobody blamed'
  }
}

const spoiltCheckpoint = {
  title: 'long64 checkpoint:ID',
  async check() {
    const [id] = readdirSync(captureFile('long64', 'uploads')).map((file) => path.basename(file, '.bin'))
    const { report, code } = await auditCapture('long64', { serverArgs: ['--tamper', `checkpoint:${id}`] })
    assert.equal(report.verdict, 'match', report.reasons.join('; '))
    assert.equal(code, 0)
    assert.equal(report.checkpoints.find((checkpoint) => checkpoint.id === id).status, 'unverified')
    assert.equal(report.checkpoints.filter(({ status }) => status === 'match').length, uploads('long64') - 1)
    const found = report.findings.find((finding) => finding.code === 'CHECKPOINT_SIGNATURE_INVALID')
    assert.deepEqual([found.severity, found.attribution], ['error', 'gateway'])
    return 'unverified, the rest is judged'
  }
}

export const fidelityCases = [
  ...CAPTURES.map((capture) => claims(capture)),
  ...CAPTURES.filter((capture) => uploads(capture) > 0).map(starts),
  ...CAPTURES.flatMap((capture) => [streams(capture, 'oneStream'), streams(capture, 'twoStreams')].flat()),
  stranger,
  misfit,
  clockClaim,
  spoiltCheckpoint,
  ...NODE_VERSIONS.flatMap((version) => CAPTURES.map((capture) => claims(capture, version)))
]
