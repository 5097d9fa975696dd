import type { Divergence, JudgedEvaluation } from '../../src/compare/comparison.ts'
import type { Finding } from '../../src/model/findings.ts'
import type { ClaimantParts, ReportParts } from '../../src/report/build.ts'
import type { Coverage, Report } from '../../src/report/model.ts'

const PROCESS_ID = 'pid0pid0pid0pid0pid0pid0pid0pid0pid0pid0pi0'
export const MESSAGE_ID = 'mid0mid0mid0mid0mid0mid0mid0mid0mid0mid0mi0'
export const CU = 'http://127.0.0.1:4000'
export const OTHER_CU = 'http://127.0.0.1:4001'
export const MODULE_SHA256 = 'ab'.repeat(32)
export const INPUTS_SHA256 = '0123456789abcdef'.repeat(4)
export const STATE_SHA256 = 'cd'.repeat(32)

/** Text that clears a screen, reverses text, hides and breaks lines, and contains a table cell, a tag, code and a link. */
export const HOSTILE =
  '\u001b[2J\u009b1A\r\n\u202Emoor\u200b\u2028\u007f\u0000\ud800|<img src=x onerror=a()>`**[b](http://c)`</code>'

/** The parts of a report that hold hashes, with hostile text in every place. The schema refuses it, and the renderings escape it. */
export function hostileHashes(): Pick<Report, 'process' | 'stateHashes' | 'checkpoints'> {
  const hashes = { claimedSha256: HOSTILE, dataSha256: HOSTILE, computedSha256: HOSTILE }
  return {
    process: { id: HOSTILE, owner: HOSTILE, scheduler: HOSTILE, module: { id: HOSTILE, sha256: HOSTILE, format: HOSTILE } },
    stateHashes: { [HOSTILE]: HOSTILE },
    checkpoints: [{ id: HOSTILE, nonce: 3, signer: HOSTILE, ...hashes, status: 'mismatch' }]
  }
}

export const COVERAGE: Coverage = {
  scheduled: 4,
  cron: 0,
  evaluated: 4,
  compared: 4,
  skipped: 0,
  unclaimed: 0,
  unread: 0,
  unverified: 0
}

export const DIVERGENCE: Divergence = {
  key: { ordinate: 2, timestamp: 1_700_000_000_002 },
  nonce: 2,
  message: MESSAGE_ID,
  claimant: CU,
  differences: [{ path: 'Messages[0].Tags[3].value', claimed: '1001', computed: '1000' }]
}

export function evaluation(ordinate: number, over: Partial<JudgedEvaluation> = {}): JudgedEvaluation {
  return { key: { ordinate, timestamp: 1_700_000_000_000 + ordinate }, nonce: ordinate, status: 'match', claimant: CU, ...over }
}

export function finding(over: Partial<Finding> = {}): Finding {
  return { code: 'RESULT_MISMATCH', severity: 'error', attribution: 'compute-unit', detail: 'the results differ', ...over }
}

export function claimant(over: Partial<ClaimantParts> = {}): ClaimantParts {
  return {
    claimant: CU,
    kind: 'compute-unit',
    audited: true,
    verdict: 'match',
    reasons: [],
    coverage: COVERAGE,
    firstDivergence: null,
    evaluations: [],
    evaluationsCut: 0,
    findings: [],
    tolerances: [],
    remarks: [],
    unexplained: null,
    contradicts: null,
    ...over
  }
}

/** A CU whose claim of nonce 2 differs. */
export function dishonest(over: Partial<ClaimantParts> = {}): ClaimantParts {
  const { differences } = DIVERGENCE
  return claimant({
    verdict: 'mismatch',
    reasons: ['nonce 2 differs under every profile tried'],
    firstDivergence: DIVERGENCE,
    evaluations: [evaluation(2, { status: 'mismatch', message: MESSAGE_ID, differences })],
    findings: [finding({ nonce: 2, claimant: CU })],
    ...over
  })
}

export function parts(over: Partial<ReportParts> = {}): ReportParts {
  return {
    date: '2026-01-02T03:04:05.678Z',
    inputsDigest: INPUTS_SHA256,
    processId: PROCESS_ID,
    process: {
      id: PROCESS_ID,
      owner: 'own0own0own0own0own0own0own0own0own0own0ow0',
      scheduler: 'sch0sch0sch0sch0sch0sch0sch0sch0sch0sch0sc0',
      module: { id: 'mod0mod0mod0mod0mod0mod0mod0mod0mod0mod0mo0', sha256: MODULE_SHA256, format: 'wasm64-unknown-emscripten' }
    },
    start: null,
    range: { from: 0, to: 3 },
    trusted: [],
    unreachable: [],
    notChecked: [],
    inconclusive: [],
    coverage: { ...COVERAGE, compared: 0, unclaimed: 4 },
    claimants: [claimant()],
    checkpoints: [],
    findings: [],
    profile: {
      name: 'legacynet',
      environment: ['LANG=C.UTF-8', '_=/usr/app'],
      clock: { start: 10_004, step: 1 },
      instances: 'one',
      loader: '0.0.44',
      source: 'default',
      proven: false,
      tried: ['legacynet'],
      instancesTried: 0
    },
    stateHashes: { 3: STATE_SHA256 },
    tool: { version: '0.1.0', node: 'v22.0.0', loader: '0.0.49' },
    timings: {
      fetchMs: 3_100,
      verifyMs: 200,
      replayMs: 12_040,
      moduleMs: 11_000,
      compareMs: 4,
      messagesPerSecond: 33.46,
      resumedAfter: null,
      jobs: 2,
      partsAhead: { begun: 0, proven: 0 }
    },
    ...over
  }
}
