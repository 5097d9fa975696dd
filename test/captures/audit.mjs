/** Whole audits over HTTP of honest and tampered captures, with faults and interruptions. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { auditCapture, inFolder, readCapture, reportIn, run, serve } from './network.mjs'

const VERDICT_EXIT = { match: 0, mismatch: 1, inconclusive: 3 }

/** Audits a capture and compares the report with the expected one; `look` checks further. */
function audited(title, capture, { verdict, serverArgs, args, within, look }) {
  return {
    title,
    async check() {
      const ended = await auditCapture(capture, { serverArgs, args })
      const { report, code, seconds } = ended
      assert.ok(report, `no report: ${ended.stderr}`)
      assert.equal(report.verdict, verdict, `verdict ${report.verdict}: ${report.reasons.join('; ')}`)
      assert.equal(code, VERDICT_EXIT[verdict])
      if (within !== undefined) assert.ok(seconds < within, `${seconds.toFixed(1)} s, not within ${within} s`)
      look?.(report, ended)
      return `${verdict}, ${report.coverage.compared} of ${report.coverage.scheduled + report.coverage.cron} compared`
    }
  }
}

const has = (report, code, nonce) =>
  report.findings.some((finding) => finding.code === code && (nonce === undefined || finding.nonce === nonce))

const FAULTS = ['429:5', '500:7', '202:3', '307:4', 'cut:6', 'garbage:6', 'slow:50', 'drip:20', 'down:3']
const SLOW_FAULTS = ['hang:9', 'endless:9']
/** As in docs/limits.md. */
const PATIENCE_SECONDS = 30

function whole402(report) {
  assert.equal(report.coverage.scheduled, 402)
  assert.equal(report.coverage.compared, 402)
}

/** An audit that is killed and started again ends in the same report and requests no stored answer again. */
const killed = {
  title: 'long64, killed in the middle and started again',
  check: () =>
    inFolder(async (store) => {
      const network = await serve('long64', ['--fault', 'compute/slow:20'])
      const { process: id } = readCapture('long64', 'scenario.json')
      const units = ['--scheduler', network.url, '--gateway', network.url, '--compute', network.url]
      const args = ['audit', id, ...units, '--store', store, '--json', '--quiet']
      try {
        const first = await run(args, { killAfter: (child) => killWhen(network, child, 150) })
        assert.equal(first.signal, 'SIGKILL')
        const before = wholeAnswers(await network.log())
        const second = await run(args)
        assert.equal(second.code, 0, second.stderr)
        const after = wholeAnswers(await network.log())
        const again = [...after].filter(
          ([what, count]) => what.includes('/result/') && (before.get(what) ?? 0) > 0 && count > 1
        )
        assert.ok(again.length <= 64 + 16, `${again.length} answers were asked for again`)
        const plain = await run(['audit', id, ...units, '--store', path.join(store, 'other'), '--json', '--quiet'])
        assert.deepEqual(withoutTimings(second.stdout), withoutTimings(plain.stdout))
        return `${before.size} requests before the kill, ${again.length} of them in progress and repeated`
      } finally {
        await network.close()
      }
    })
}

async function killWhen(network, child, requests) {
  for (;;) {
    const lines = (await network.log()).split('\n').length
    if (lines > requests) return child.kill('SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** How often each request was answered completely. */
function wholeAnswers(log) {
  const counts = new Map()
  for (const line of log.split('\n')) {
    if (!line.startsWith('whole ')) continue
    const what = line.slice('whole '.length)
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return counts
}

function withoutTimings(text) {
  return { ...reportIn(text), date: null, digest: null, timings: null }
}

const interrupted = {
  title: 'long64, Ctrl-C',
  check: () =>
    inFolder(async (store) => {
      const network = await serve('long64', ['--fault', 'compute/slow:50'])
      const { process: id } = readCapture('long64', 'scenario.json')
      const units = ['--scheduler', network.url, '--gateway', network.url, '--compute', network.url]
      const args = ['audit', id, ...units, '--store', store, '--json', '--quiet']
      try {
        const killAfter = async (child) => {
          while ((await network.log()).split('\n').length < 100) await new Promise((resolve) => setTimeout(resolve, 5))
          child.kill('SIGINT')
        }
        const first = await run(args, { killAfter })
        assert.equal(first.code, 130, `exit ${first.code}: ${first.stderr}`)
        const second = await run(args)
        assert.equal(second.code, 0, second.stderr)
        return 'exit 130, and the next run goes on with the store'
      } finally {
        await network.close()
      }
    })
}

const archived = {
  title: 'ledger64 pulled twice, audited from the archive, damaged',
  check: () =>
    inFolder(async (folder) => {
      const network = await serve('ledger64')
      const { process: id } = readCapture('ledger64', 'scenario.json')
      const units = ['--scheduler', network.url, '--gateway', network.url, '--compute', network.url]
      const at = (name) => path.join(folder, name)
      try {
        for (const name of ['a', 'b']) {
          const pulled = await run(['pull', id, ...units, '--store', at('store'), '-o', at(name), '--quiet'])
          assert.equal(pulled.code, 0, pulled.stderr)
        }
      } finally {
        await network.close()
      }
      const { readFileSync } = await import('node:fs')
      const bytes = readFileSync(at('a'))
      assert.ok(bytes.equals(readFileSync(at('b'))), 'two archives of one store differ')
      const offline = await run(['audit', '--archive', at('a'), '--json', '--quiet'])
      assert.equal(offline.code, 0, offline.stderr)
      /** @type {[string, Buffer][]} */
      const wrong = [
        ['cut', bytes.subarray(0, bytes.length - 100)],
        ['half', bytes.subarray(0, bytes.length / 2)],
        ['text', Buffer.from('no archive')]
      ]
      for (let place = 20; place < bytes.length; place += Math.floor(bytes.length / 12)) {
        const flipped = Buffer.from(bytes)
        flipped[place] ^= 1
        wrong.push([`byte ${place}`, flipped])
      }
      for (const [what, content] of wrong) {
        writeFileSync(at('wrong'), content)
        const ended = await run(['audit', '--archive', at('wrong'), '--json', '--quiet'])
        assert.equal(ended.code, 2, `${what}: exit ${ended.code} ${ended.stderr}`)
        assert.match(ended.stderr, /^ao-audit: [^\n]+\n( {2}[^\n]+\n)?$/)
      }
      return `${bytes.length} bytes, twice the same; ${wrong.length} damaged ones refused`
    })
}

export const auditCases = [
  audited('long64', 'long64', { verdict: 'match', within: 30, look: whole402 }),
  audited('long64 claim:137', 'long64', {
    verdict: 'mismatch',
    serverArgs: ['--tamper', 'claim:137'],
    look({ firstDivergence }) {
      assert.equal(firstDivergence.nonce, 137)
      const [difference] = firstDivergence.differences
      assert.match(difference.path, /^Messages\[0\]\.Tags\[\d+\]\.value$/)
      assert.notEqual(difference.claimed, difference.computed)
    }
  }),
  audited('long64 result-only:137', 'long64', {
    verdict: 'mismatch',
    serverArgs: ['--tamper', 'result-only:137'],
    look(report) {
      assert.equal(report.firstDivergence.nonce, 137)
      assert.ok(has(report, 'CLAIMANT_CONTRADICTS_ITSELF', 137))
    }
  }),
  audited('ledger32 to 22', 'ledger32', { verdict: 'match', args: ['--to', '22'] }),
  audited('ledger32 to 22, Output of nonce 9', 'ledger32', {
    verdict: 'mismatch',
    serverArgs: ['--tamper', 'claim-field:9:Output.data:"x"'],
    args: ['--to', '22'],
    look: ({ firstDivergence }) => assert.equal(firstDivergence.nonce, 9)
  }),
  audited('long64 compute/425:50', 'long64', {
    verdict: 'match',
    serverArgs: ['--fault', 'compute/425:50'],
    look(report) {
      whole402(report)
      assert.ok(has(report, 'RESULT_UNAVAILABLE', 50))
    }
  }),
  ...['compute', 'gateway', 'scheduler'].map((unit) =>
    audited(`long64 ${unit}/off:0`, 'long64', {
      verdict: 'inconclusive',
      serverArgs: ['--fault', `${unit}/off:0`],
      within: PATIENCE_SECONDS + 15,
      look(report) {
        assert.ok(report.unreachable.length > 0, 'the report does not say who did not answer')
        assert.ok(has(report, 'UNIT_UNREACHABLE'))
      }
    })
  ),
  ...FAULTS.map((fault) =>
    audited(`long64 ${fault}`, 'long64', { verdict: 'match', serverArgs: ['--fault', fault], look: whole402 })
  ),
  ...SLOW_FAULTS.map((fault) =>
    audited(`long64 ${fault}`, 'long64', { verdict: 'match', serverArgs: ['--fault', fault], within: 120, look: whole402 })
  ),
  audited('long64 claim:137 and 500:7', 'long64', {
    verdict: 'mismatch',
    serverArgs: ['--tamper', 'claim:137', '--fault', '500:7'],
    look: ({ firstDivergence }) => assert.equal(firstDivergence.nonce, 137)
  }),
  // Evaluations up to a nonce do not depend on the end of the range.
  ...Array.from({ length: 14 }, (_, to) => audited(`cron64 to ${to}`, 'cron64', { verdict: 'match', args: ['--to', `${to}`] })),
  killed,
  interrupted,
  archived
]
