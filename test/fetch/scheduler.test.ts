import { describe, expect, it } from 'vitest'
import { createScheduler } from '../../src/fetch/scheduler.ts'
import type { ProcessId } from '../../src/model/ids.ts'
import { EXAMPLE, exampleData, exampleEdge, idOf } from '../fakes/data.ts'
import { PROCESS, quick, start } from './start.ts'

describe('a scheduler', () => {
  it('returns the record of a process', async () => {
    const network = await start()
    expect(await createScheduler(quick(), `${network.url}//`).process(PROCESS)).toEqual({
      id: PROCESS,
      owner: { address: idOf('owner'), key: 'a2V5' },
      tags: [
        { name: 'Data-Protocol', value: 'ao' },
        { name: 'Type', value: 'Process' },
        { name: 'Module', value: EXAMPLE.module },
        { name: 'Scheduler', value: EXAMPLE.scheduler }
      ],
      signature: 'c2ln',
      anchor: null,
      target: '',
      timestamp: 1_720_000_000_000,
      blockHeight: 1_500_000,
      data: 'process'
    })
    expect(network.requests.map(({ what }) => what)).toEqual([`/processes/${PROCESS}?process-id=${PROCESS}`])
  })

  it('refuses a process that it does not know', async () => {
    const { url } = await start()
    await expect(createScheduler(quick(), url).process(idOf('another') as ProcessId)).rejects.toMatchObject({
      code: 'UNIT_REFUSED',
      message: `the scheduler ${url} does not know the process ${idOf('another')} (it answered 404)`,
      unit: { role: 'scheduler', url }
    })
  })

  it('may not answer with the record of another process', async () => {
    const body = JSON.stringify(exampleData(0).process)
    const { url } = await start({ faults: [{ kind: 'status', status: 200, body }] })
    await expect(createScheduler(quick(), url).process(idOf('another') as ProcessId)).rejects.toMatchObject({
      code: 'WIRE_INVALID',
      message: expect.stringContaining('answered with another process')
    })
  })

  it('returns the newest nonce', async () => {
    const { url } = await start()
    expect(await createScheduler(quick(), url).latestNonce(PROCESS)).toBe(3)
  })

  it('serves a page with the anchors of its assignments', async () => {
    const network = await start()
    const page = await createScheduler(quick(), network.url).page(PROCESS, 0, 2)
    expect(network.requests.map(({ what }) => what)).toEqual([
      `/${PROCESS}?process-id=${PROCESS}&from-nonce=0&limit=2&show-anchor=1`
    ])
    expect(page.hasNextPage).toBe(true)
    expect(page.messages.map(({ nonce }) => nonce)).toEqual([1, 2])
    const { node } = exampleEdge(1)
    expect(page.messages[0]).toEqual({
      nonce: 1,
      epoch: 0,
      timestamp: 1_720_000_000_001,
      blockHeight: 1_500_001,
      hashChain: idOf('chain 1'),
      assignment: { ...node.assignment, anchor: idOf('anchor 1') },
      message: node.message,
      messageId: idOf('message 1')
    })
  })

  it('receives requests for smaller pages after a page that is too large', async () => {
    const network = await start(exampleData(20))
    const edgeBytes = JSON.stringify(exampleEdge(1)).length
    const http = quick({ limits: { schedulePageBytes: edgeBytes * 6, contentAttempts: 1 } })
    const scheduler = createScheduler(http, network.url)
    expect((await scheduler.page(PROCESS, -1, 16)).messages.map(({ nonce }) => nonce)).toEqual([0, 1, 2, 3])
    expect((await scheduler.page(PROCESS, 3, 16)).messages).toHaveLength(4)
    const limits = network.requests.map(({ what }) => /&limit=(\d+)/.exec(what)?.[1])
    expect(limits).toEqual(['16', '4', '4'])
  })

  it('ends reading with ANSWER_TOO_LARGE if a single message is too large', async () => {
    const { url } = await start()
    const http = quick({ limits: { schedulePageBytes: 100, contentAttempts: 1 } })
    await expect(createScheduler(http, url).page(PROCESS, -1, 16)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
  })
})
