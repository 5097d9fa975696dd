import { describe, expect, it } from 'vitest'
import { createCompute } from '../../src/fetch/compute.ts'
import { cursorOf, EXAMPLE, idOf } from '../fakes/data.ts'
import { messageId, PROCESS, quick, start } from './start.ts'

const RESULT = { Messages: [], Assignments: [], Spawns: [], Output: { data: 'done 1' } }
const claiming = (result: unknown, status = 200) => ({ claims: [{ id: idOf('message 1'), status, result }] })

describe('/result', () => {
  it('is a claim, its body kept as it came', async () => {
    const network = await start()
    expect(await createCompute(quick(), network.url).result(PROCESS, messageId(1))).toEqual({
      kind: 'claim',
      value: RESULT,
      raw: JSON.stringify(RESULT)
    })
    expect(network.requests.map(({ what }) => what)).toEqual([`/result/${messageId(1)}?process-id=${PROCESS}`])
  })

  it.each([{ Messages: [] }, { Output: '' }, { Error: 'no' }])('%j is a claim', async (result) => {
    const { url } = await start(claiming(result))
    expect(await createCompute(quick(), url).result(PROCESS, messageId(1))).toMatchObject({ kind: 'claim', value: result })
  })

  it.each([[{}], [{ Spawns: [], GasUsed: 1 }], [null], ['Output'], [[]]])('%j is none', async (result) => {
    const { url } = await start(claiming(result))
    expect(await createCompute(quick(), url).result(PROCESS, messageId(1))).toEqual({
      kind: 'unavailable',
      status: 200,
      detail: JSON.stringify(result)
    })
  })

  it('is none where the names are only inherited', async () => {
    const body = '{"__proto__":{"Output":"x"}}'
    const { url } = await start({ faults: [{ kind: 'status', status: 200, body }] })
    expect(await createCompute(quick(), url).result(PROCESS, messageId(1))).toMatchObject({ kind: 'unavailable', detail: body })
  })

  it.each([403, 404, 413, 422, 425])('%i says that there is none, at once', async (status) => {
    const network = await start(claiming({ error: 'gone' }, status))
    expect(await createCompute(quick(), network.url).result(PROCESS, messageId(1))).toEqual({
      kind: 'unavailable',
      status,
      detail: '{"error":"gone"}'
    })
    expect(network.requests).toHaveLength(1)
  })

  it('a refusal need not be JSON, and its words are cut', async () => {
    const { url } = await start({ faults: [{ kind: 'status', status: 404, body: '<'.repeat(600) }] })
    expect(await createCompute(quick(), url).result(PROCESS, messageId(1))).toEqual({
      kind: 'unavailable',
      status: 404,
      detail: '<'.repeat(500)
    })
  })

  it('busy is asked again', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 202, times: 3 }] })
    expect(await createCompute(quick(), network.url).result(PROCESS, messageId(1))).toMatchObject({ kind: 'claim' })
    expect(network.requests).toHaveLength(4)
  })

  it('busy for ever is unreachable', async () => {
    const { url } = await start({ faults: [{ kind: 'status', status: 202 }] })
    await expect(
      createCompute(quick({ limits: { patienceMs: 100 } }), url).result(PROCESS, messageId(1))
    ).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      message: `${url} did not answer: it is busy (202)`
    })
  })

  it('one that always fails, while others are answered, is unavailable alone', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 500, path: messageId(1), body: 'stuck' }] })
    const compute = createCompute(quick({ limits: { attempts: 3, patienceMs: 60_000 } }), network.url)
    const stuck = compute.result(PROCESS, messageId(1))
    while (network.asked(messageId(1)) < 3) await compute.result(PROCESS, messageId(2))
    expect(await stuck).toEqual({ kind: 'unavailable', status: 500, detail: 'stuck' })
  })
})

describe('/results and /cron', () => {
  it('are read page by page, each edge with its key', async () => {
    const network = await start()
    const compute = createCompute(quick(), network.url)
    const page = await compute.results(PROCESS, undefined)
    expect(page.next).toBeUndefined()
    expect(page.edges[1]).toEqual({
      key: { ordinate: 1, timestamp: 1_720_000_000_001 },
      value: RESULT,
      raw: JSON.stringify(RESULT)
    })
    expect(page.edges.map(({ key }) => key.ordinate)).toEqual([0, 1, 2, 3])
    const cron = await compute.cron(PROCESS, undefined)
    expect(cron.edges.map(({ key }) => key)).toEqual([{ ordinate: 0, cron: '0-30-seconds', timestamp: 1_720_000_000_500 }])
    expect(network.requests.map(({ what }) => what)).toEqual([
      `/results/${PROCESS}?limit=500&sort=ASC`,
      `/cron/${PROCESS}?limit=500&sort=ASC`
    ])
  })

  it('go on from a cursor', async () => {
    const results = Array.from({ length: 501 }, (_, nonce) => ({ node: RESULT, cursor: cursorOf(nonce, nonce) }))
    const { url } = await start({ results })
    const compute = createCompute(quick(), url)
    const { edges, next } = await compute.results(PROCESS, undefined)
    expect([edges.length, next]).toEqual([500, cursorOf(499, 499)])
    expect(await compute.results(PROCESS, next)).toMatchObject({ edges: [{ key: { ordinate: 500 } }], next: undefined })
  })

  it('end where a cursor leads back to itself', async () => {
    const cursor = cursorOf(1, 1)
    const body = JSON.stringify({ pageInfo: { hasNextPage: true }, edges: [{ node: {}, cursor }] })
    const { url } = await start({ faults: [{ kind: 'status', status: 200, body }] })
    const compute = createCompute(quick(), url)
    expect((await compute.results(PROCESS, undefined)).next).toBe(cursor)
    expect((await compute.results(PROCESS, cursor)).next).toBeUndefined()
  })

  it('keep names that are dangerous to copy', async () => {
    const body = `{"pageInfo":{"hasNextPage":false},"edges":[{"node":{"__proto__":{"x":1}},"cursor":"${cursorOf(1, 1)}"}]}`
    const { url } = await start({ faults: [{ kind: 'status', status: 200, body }] })
    const [edge] = (await createCompute(quick(), url).results(PROCESS, undefined)).edges
    expect(edge?.raw).toBe('{"__proto__":{"x":1}}')
    expect(Object.keys(edge?.value ?? {})).toEqual(['__proto__'])
  })
})

describe('its address', () => {
  it('is what GET / names', async () => {
    const { url } = await start()
    expect(await createCompute(quick(), url).address()).toBe(EXAMPLE.computeUnit)
  })

  it.each([404, 200])('is unknown where a page for people comes with %i', async (status) => {
    const { url } = await start({ faults: [{ kind: 'status', status, body: '<html>' }] })
    const compute = createCompute(quick({ limits: { contentAttempts: 2 } }), url)
    expect(await compute.address()).toBeUndefined()
  })

  it('is unknown where it is none', async () => {
    const { url } = await start({ address: 'me' })
    expect(await createCompute(quick(), url).address()).toBeUndefined()
  })
})
