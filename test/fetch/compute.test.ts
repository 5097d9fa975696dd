import { describe, expect, it } from 'vitest'
import { createCompute } from '../../src/fetch/compute.ts'
import { cursorOf, EXAMPLE, idOf } from '../fakes/data.ts'
import type { Fault } from '../fakes/faults.ts'
import { messageId, PROCESS, quick, start } from './start.ts'

const RESULT = { Messages: [], Assignments: [], Spawns: [], Output: { data: 'done 1' } }
const claiming = (result: unknown, status = 200) => ({ claims: [{ id: idOf('message 1'), status, result }] })

describe('an answer to /result', () => {
  it('is a claim whose body is kept unchanged', async () => {
    const network = await start()
    expect(await createCompute(quick(), network.url).result(PROCESS, messageId(1))).toEqual({
      kind: 'claim',
      body: { bytes: Buffer.from(JSON.stringify(RESULT)), text: JSON.stringify(RESULT), value: RESULT }
    })
    expect(network.requests.map(({ what }) => what)).toEqual([`/result/${messageId(1)}?process-id=${PROCESS}`])
  })

  it.each([
    [{ Messages: [] }],
    [{ Error: 'no' }],
    [{}],
    [{ Spawns: [], GasUsed: 1 }],
    [null],
    ['Output'],
    [[1, 2]],
    [7],
    [true]
  ])('is a claim even if it is %j', async (result) => {
    const { url } = await start(claiming(result))
    expect(await createCompute(quick(), url).result(PROCESS, messageId(1))).toMatchObject({
      kind: 'claim',
      body: { value: result }
    })
  })

  it.each<[string, Fault]>([
    ['201', { kind: 'status', status: 201, body: '{"Output":"b"}' }],
    ['203', { kind: 'status', status: 203, body: '{"Output":"b"}' }],
    ['226', { kind: 'status', status: 226, body: '{"Output":"b"}' }],
    ['a byte order mark', { kind: 'status', status: 200, body: '\uFEFF{"Output":"b"}' }]
  ])('is a claim, as for other clients, if it comes with %s', async (_, fault) => {
    const { url } = await start({ faults: [fault] })
    const answer = await createCompute(quick(), url).result(PROCESS, messageId(1))
    expect(answer).toMatchObject({ kind: 'claim', body: { value: { Output: 'b' } } })
  })

  it('is read after as many redirects as other clients follow', async () => {
    const { url } = await start({ faults: [{ kind: 'redirect', path: messageId(1), times: 20 }] })
    expect(await createCompute(quick(), url).result(PROCESS, messageId(1))).toMatchObject({ kind: 'claim' })
  })

  it.each<[string, Fault, string]>([
    ['text that is not JSON', { kind: 'garbage' }, 'its answer is not JSON'],
    ['status 204', { kind: 'status', status: 204, body: '' }, 'its answer is not JSON'],
    ['more bytes than any result', { kind: 'endless' }, 'its answer is larger than'],
    ['too deeply nested JSON', { kind: 'status', status: 200, body: '['.repeat(600) }, 'nested deeper than 500 levels'],
    ['a chain of too many redirects', { kind: 'redirect' }, 'redirects more than'],
    ['a redirect into a private network', { kind: 'redirect', location: 'http://10.0.0.1/' }, 'not public']
  ])('counts as unread if it is %s, and other results are still requested', async (_, fault, words) => {
    const { url } = await start({ faults: [{ ...fault, path: messageId(1) }] })
    const compute = createCompute(quick({ limits: { contentAttempts: 2, resultBytes: 100_000 } }), url)
    const answer = await compute.result(PROCESS, messageId(1))
    expect(answer).toEqual({ kind: 'unread', detail: expect.stringContaining(words) })
    expect(await compute.result(PROCESS, messageId(2))).toMatchObject({ kind: 'claim' })
  })

  it.each([403, 404, 413, 422, 425])('with status %i means at once that there is no claim', async (status) => {
    const network = await start(claiming({ error: 'gone' }, status))
    expect(await createCompute(quick(), network.url).result(PROCESS, messageId(1))).toEqual({
      kind: 'unavailable',
      status,
      detail: '{"error":"gone"}'
    })
    expect(network.requests).toHaveLength(1)
  })

  it('that refuses need not be JSON, and its text is cut', async () => {
    const { url } = await start({ faults: [{ kind: 'status', status: 404, body: '<'.repeat(600) }] })
    expect(await createCompute(quick(), url).result(PROCESS, messageId(1))).toEqual({
      kind: 'unavailable',
      status: 404,
      detail: '<'.repeat(500)
    })
  })

  it('with status 202 is requested again', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 202, times: 3 }] })
    expect(await createCompute(quick(), network.url).result(PROCESS, messageId(1))).toMatchObject({ kind: 'claim' })
    expect(network.requests).toHaveLength(4)
  })

  it('that stays at status 202 ends in UNIT_UNREACHABLE', async () => {
    const { url } = await start({ faults: [{ kind: 'status', status: 202 }] })
    await expect(
      createCompute(quick({ limits: { patienceMs: 100 } }), url).result(PROCESS, messageId(1))
    ).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      message: `${url} did not answer: it is busy (202)`
    })
  })

  it('that always fails, while other messages have answers, is unavailable on its own', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 500, path: messageId(1), body: 'stuck' }] })
    const compute = createCompute(quick({ limits: { attempts: 3, patienceMs: 60_000 } }), network.url)
    const stuck = compute.result(PROCESS, messageId(1))
    while (network.asked(messageId(1)) < 3) await compute.result(PROCESS, messageId(2))
    expect(await stuck).toEqual({ kind: 'unavailable', status: 500, detail: 'stuck' })
  })
})

describe('the listings /results and /cron', () => {
  it('are read page by page, each edge with its key', async () => {
    const network = await start()
    const compute = createCompute(quick(), network.url)
    const page = await compute.results(PROCESS, undefined)
    expect(page.next).toBeUndefined()
    expect(page.edges[1]).toEqual({
      key: { ordinate: 1, timestamp: 1_720_000_000_001 },
      cursor: cursorOf(1, 1_720_000_000_001),
      value: RESULT
    })
    expect(page.edges.map(({ key }) => key.ordinate)).toEqual([0, 1, 2, 3])
    const cron = await compute.cron(PROCESS, undefined)
    expect(cron.edges.map(({ key }) => key)).toEqual([{ ordinate: 0, cron: '0-30-seconds', timestamp: 1_720_000_000_500 }])
    expect(network.requests.map(({ what }) => what)).toEqual([
      `/results/${PROCESS}?limit=500&sort=ASC`,
      `/cron/${PROCESS}?limit=500&sort=ASC`
    ])
  })

  it('continue from a cursor', async () => {
    const results = Array.from({ length: 501 }, (_, nonce) => ({ node: RESULT, cursor: cursorOf(nonce, nonce) }))
    const { url } = await start({ results })
    const compute = createCompute(quick(), url)
    const { edges, next } = await compute.results(PROCESS, undefined)
    expect([edges.length, next]).toEqual([500, cursorOf(499, 499)])
    expect(await compute.results(PROCESS, next)).toMatchObject({ edges: [{ key: { ordinate: 500 } }], next: undefined })
  })

  it('are read with any successful status', async () => {
    const body = `{"pageInfo":{"hasNextPage":false},"edges":[{"node":{"Output":"b"},"cursor":"${cursorOf(1, 1)}"}]}`
    const { url } = await start({ faults: [{ kind: 'status', status: 201, body }] })
    expect((await createCompute(quick(), url).results(PROCESS, undefined)).edges).toMatchObject([{ value: { Output: 'b' } }])
  })

  it('keep names that are dangerous to copy', async () => {
    const body = `{"pageInfo":{"hasNextPage":false},"edges":[{"node":{"__proto__":{"x":1}},"cursor":"${cursorOf(1, 1)}"}]}`
    const { url } = await start({ faults: [{ kind: 'status', status: 200, body }] })
    const [edge] = (await createCompute(quick(), url).results(PROCESS, undefined)).edges
    expect(Object.keys(edge?.value ?? {})).toEqual(['__proto__'])
  })
})

describe('the address of a Compute Unit', () => {
  it('comes from its GET /', async () => {
    const { url } = await start()
    expect(await createCompute(quick(), url).address()).toBe(EXAMPLE.computeUnit)
  })

  it.each([404, 200])('is unknown if GET / answers with a page for people and status %i', async (status) => {
    const { url } = await start({ faults: [{ kind: 'status', status, body: '<html>' }] })
    const compute = createCompute(quick({ limits: { contentAttempts: 2 } }), url)
    expect(await compute.address()).toBeUndefined()
  })

  it('is unknown if GET / names something other than an address', async () => {
    const { url } = await start({ address: 'me' })
    expect(await createCompute(quick(), url).address()).toBeUndefined()
  })
})
