/** Whatever a unit does, the error names its role and origin, never the auditor. */
import { describe, expect, it } from 'vitest'
import { absenceFindings } from '../../src/audit/outcome/audit-findings.ts'
import { createCompute } from '../../src/fetch/compute.ts'
import { createGateway } from '../../src/fetch/gateway.ts'
import { readSchedule } from '../../src/fetch/schedule-pages.ts'
import { createScheduler } from '../../src/fetch/scheduler.ts'
import { AuditError } from '../../src/model/errors.ts'
import type { Fault } from '../fakes/faults.ts'
import { MODULE, messageId, PROCESS, quick, start } from './start.ts'

const LIMITS = { patienceMs: 60, idleMs: 40, contentAttempts: 2, attempts: 2, resultBytes: 10_000, listedPageBytes: 10_000 }
const SMALL = { recordBytes: 10_000, schedulePageBytes: 10_000, graphqlBytes: 10_000 }
const http = () => quick({ limits: { ...LIMITS, ...SMALL } })

type Ask = (url: string) => Promise<unknown>

const questions: readonly [string, Ask][] = [
  ['scheduler', (url) => createScheduler(http(), url).process(PROCESS)],
  ['scheduler', (url) => createScheduler(http(), url).latestNonce(PROCESS)],
  ['scheduler', (url) => createScheduler(http(), url).page(PROCESS, -1, 10)],
  ['gateway', (url) => createGateway(http(), [url]).transactions({ ids: [MODULE], limit: 1 })],
  ['gateway', (url) => createGateway(http(), [url]).raw(MODULE, 1_000)],
  ['gateway', (url) => createGateway(http(), [url]).header(MODULE)],
  ['gateway', (url) => createGateway(http(), [url]).headerBytes(MODULE, 1_000)],
  ['gateway', (url) => createGateway(http(), [url]).blockBytes('5', 1_000)],
  ['gateway', (url) => createGateway(http(), [url]).blocks(1, 5)],
  ['compute-unit', (url) => createCompute(http(), url).result(PROCESS, messageId(1))],
  ['compute-unit', (url) => createCompute(http(), url).results(PROCESS, undefined)],
  ['compute-unit', (url) => createCompute(http(), url).cron(PROCESS, undefined)]
]

const faults: readonly [string, Fault][] = [
  ['400', { kind: 'status', status: 400 }],
  ['202', { kind: 'status', status: 202 }],
  ['404', { kind: 'status', status: 404 }],
  ['500', { kind: 'status', status: 500 }],
  ['304', { kind: 'status', status: 304 }],
  ['faulty fields', { kind: 'status', status: 200, body: '{"address":7,"data":{"transactions":{},"blocks":{}}}' }],
  ['JSON that is not an object', { kind: 'status', status: 200, body: '[]' }],
  ['a page of another shape', { kind: 'status', status: 200, body: '{"pageInfo":{"hasNextPage":true},"edges":[{"node":1}]}' }],
  ['deep JSON', { kind: 'status', status: 200, body: '['.repeat(600) }],
  ['redirects in circles', { kind: 'redirect' }],
  ['a redirect into the network', { kind: 'redirect', location: 'http://169.254.169.254/' }],
  ['a redirect to an unknown name', { kind: 'redirect', location: 'http://nowhere.invalid/' }],
  ['a redirect to a file', { kind: 'redirect', location: 'file:///etc/passwd' }],
  ['text that is not JSON', { kind: 'garbage' }],
  ['a cut body', { kind: 'cut' }],
  ['an endless body', { kind: 'endless' }],
  ['silence', { kind: 'hang' }],
  ['a closed connection', { kind: 'destroy' }]
]

describe('an error', () => {
  it.each(faults)('names the unit that answered with %s', { timeout: 60_000 }, async (_, fault) => {
    const { url } = await start({ faults: [fault] })
    const ended = await Promise.allSettled(questions.map(([, ask]) => ask(url)))
    for (const [place, one] of ended.entries()) {
      if (one.status === 'fulfilled') continue
      expect(one.reason).toBeInstanceOf(AuditError)
      expect((one.reason as AuditError).unit).toEqual({ role: questions[place]?.[0], url })
      const [finding] = absenceFindings([one.reason as AuditError])
      expect([finding?.attribution, finding?.claimant]).toEqual([questions[place]?.[0], url])
    }
  })

  it('names the scheduler whose schedule has too many pages', async () => {
    const { url } = await start()
    const pages = readSchedule(createScheduler(http(), url), PROCESS, { fromNonce: 0, toNonce: 3, pageSize: 1, maxPages: 1 })
    const reading = async () => {
      for await (const _ of pages);
    }
    await expect(reading()).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE', unit: { role: 'scheduler', url } })
  })
})
