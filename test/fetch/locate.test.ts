import { describe, expect, it } from 'vitest'
import { createGateway } from '../../src/fetch/gateway.ts'
import { locateScheduler } from '../../src/fetch/locate.ts'
import type { ProcessId } from '../../src/model/ids.ts'
import { EXAMPLE, exampleData, type FakeTransaction, idOf } from '../fakes/data.ts'
import { PROCESS, quick, start } from './start.ts'

/** A record of the scheduler's wallet; `upper` spells its names as legacynet does. */
function location(url: string, height: number, { upper = true, owner = EXAMPLE.scheduler as string } = {}): FakeTransaction {
  const tags = upper
    ? { 'Data-Protocol': 'ao', Type: 'Scheduler-Location', Url: url }
    : { 'data-protocol': 'ao', type: 'location', url }
  return {
    id: idOf(`location ${url} ${height}`),
    height,
    owner: { address: owner, key: '' },
    tags: Object.entries(tags).map(([name, value]) => ({ name, value })),
    signature: '',
    anchor: '',
    target: ''
  }
}

async function locate(records: readonly FakeTransaction[], allowPrivate = false, process = PROCESS): Promise<string> {
  return (await located(records, allowPrivate, process)).url
}

async function located(records: readonly FakeTransaction[], allowPrivate = false, process = PROCESS) {
  const { url } = await start({ transactions: [...exampleData(0).transactions, ...records] })
  return locateScheduler(createGateway(quick(), [url]), process, allowPrivate)
}

describe('the location of a scheduler', () => {
  it('comes from the newest record of its wallet', async () => {
    expect(await locate([location('http://8.8.8.8/old', 1), location('http://8.8.8.8/new/', 2)])).toBe('http://8.8.8.8/new')
  })

  it('is read from a record with lower-case names too', async () => {
    expect(await locate([location('http://8.8.8.8', 1, { upper: false })])).toBe('http://8.8.8.8')
  })

  it('never comes from a record of another wallet', async () => {
    await expect(locate([location('http://8.8.8.8', 1, { owner: idOf('stranger') })])).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: `the scheduler ${EXAMPLE.scheduler} has published no location`
    })
  })

  it('may not be inside the user’s network, unless the user allows it', async () => {
    await expect(locate([location('http://127.0.0.1:1', 1)])).rejects.toMatchObject({ code: 'ADDRESS_FORBIDDEN' })
    expect(await locate([location('http://127.0.0.1:1', 1)], true)).toBe('http://127.0.0.1:1')
  })

  it('comes with the checked addresses to connect to', async () => {
    expect(await located([location('http://8.8.8.8', 1)])).toEqual({ url: 'http://8.8.8.8', destination: ['8.8.8.8'] })
    expect(await located([location('http://127.0.0.1:1', 1)], true)).toEqual({ url: 'http://127.0.0.1:1' })
  })

  it.each(['file:///etc/passwd', 'nonsense', ''])('may not be %j', async (url) => {
    await expect(locate([location(url, 1)], true)).rejects.toMatchObject({ code: 'INPUT_MISSING' })
  })

  it('is missing if no gateway knows the process', async () => {
    await expect(locate([], false, idOf('unknown') as ProcessId)).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: `no gateway knows the process ${idOf('unknown')}`
    })
  })
})
