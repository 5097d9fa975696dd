/** Every tamper in every capture: the expected finding, and the verdict on the Compute Unit. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { auditCapture, captureFile, readCapture } from './network.mjs'

const EXIT = { match: 0, mismatch: 1, inconclusive: 3 }
/** Nonces that the CU evaluated and whose claims can be altered. */
const NONCES = { ledger64: 12, ledger32: 12, edge64: 3, long64: 137 }
/** The finding that the honest capture has. */
const EDGE_LOSSY = { code: 'MESSAGE_DATA_LOSSY', severity: 'info', nonce: 2 }

const above = (report) => report.findings.filter(({ severity }) => severity !== 'info')
const named = ({ code, nonce, attribution }) => `${code}@${nonce ?? '-'} (${attribution})`

function tampered(capture, tamper, { verdict, finding, args = [], look }) {
  return {
    title: `${capture} ${tamper ?? 'none'} ${args.join(' ')}`,
    async check() {
      const serverArgs = tamper === undefined ? [] : ['--tamper', tamper]
      const { report, code, stderr } = await auditCapture(capture, { serverArgs, args })
      assert.ok(report, `no report: ${stderr}`)
      const found = above(report)
      assert.equal(report.verdict, verdict, `${report.reasons.join('; ')} | ${found.map(named).join(', ')}`)
      assert.equal(code, EXIT[verdict])
      if (finding === undefined) assert.deepEqual(found.map(named), [])
      else {
        const all = Object.entries(finding)
        const matches = (one) => all.every(([key, value]) => one[key] === value)
        assert.ok(report.findings.some(matches), `no ${JSON.stringify(finding)} among ${report.findings.map(named).join(', ')}`)
      }
      look?.(report)
      return `${verdict} ${found.map(named).slice(0, 3).join(', ')}`
    }
  }
}

/** `edge64` has no checkpoints. */
function checkpointsOf(capture) {
  const folder = captureFile(capture, 'uploads')
  return existsSync(folder) ? readdirSync(folder).map((file) => path.basename(file, '.bin')) : []
}

function casesOf(capture) {
  const n = NONCES[capture]
  const scheduled = readCapture(capture, 'schedule.json').length
  const scheduler = (code, severity = 'error') => ({ code, severity, nonce: n, attribution: 'scheduler' })
  const overTrueItem = { verdict: 'match' }
  return [
    tampered(capture, undefined, {
      verdict: 'match',
      look: (report) => {
        if (capture !== 'edge64') return
        const matches = ({ code, severity, nonce }) => code === EDGE_LOSSY.code && severity === 'info' && nonce === 2
        assert.ok(report.findings.some(matches))
        assert.equal(report.coverage.unverified, 0)
      }
    }),
    tampered(capture, undefined, { verdict: 'match', args: ['--schedule', 'both'] }),
    tampered(capture, `claim:${n}`, {
      verdict: 'mismatch',
      finding: { code: 'RESULT_MISMATCH', nonce: n, attribution: 'compute-unit' },
      look: ({ firstDivergence }) => assert.equal(firstDivergence.nonce, n)
    }),
    tampered(capture, `data:${n}`, { ...overTrueItem, finding: scheduler('MESSAGE_SIGNATURE_INVALID') }),
    tampered(capture, `tag:${n}:Action:Other`, { ...overTrueItem, finding: scheduler('MESSAGE_SIGNATURE_INVALID') }),
    tampered(capture, `hashchain:${n}`, { ...overTrueItem, finding: scheduler('ASSIGNMENT_SIGNATURE_INVALID') }),
    tampered(capture, `drop:${n}`, {
      verdict: 'inconclusive',
      finding: scheduler('NONCE_GAP'),
      look: ({ coverage }) =>
        assert.ok(coverage.compared > 0 && coverage.compared < scheduled, 'the nonces before it are judged')
    }),
    tampered(capture, `drop:${n}`, {
      verdict: 'match',
      args: ['--schedule', 'both'],
      finding: scheduler('NONCE_GAP'),
      look: ({ coverage }) => assert.equal(coverage.unverified, 0)
    }),
    tampered(capture, `swap:${n}`, {
      ...overTrueItem,
      finding: { code: 'SCHEDULE_OUT_OF_ORDER', severity: 'warning', attribution: 'scheduler' }
    }),
    tampered(capture, `twice:${n}`, { ...overTrueItem, finding: scheduler('NONCE_TWICE', 'warning') }),
    tampered(capture, 'module', {
      verdict: 'inconclusive',
      finding: { code: 'MODULE_SIGNATURE_INVALID', severity: 'error', attribution: 'gateway' }
    }),
    ...checkpointsOf(capture)
      .slice(0, 1)
      .map((id) =>
        tampered(capture, `checkpoint:${id}`, {
          verdict: 'match',
          finding: { code: 'CHECKPOINT_SIGNATURE_INVALID', severity: 'error', attribution: 'gateway' },
          look({ checkpoints }) {
            const unverified = checkpoints.filter(({ status }) => status === 'unverified').map((one) => one.id)
            assert.deepEqual(unverified, [id])
          }
        })
      )
  ]
}

export const tamperCases = Object.keys(NONCES).flatMap(casesOf)
