import { describe, expect, test } from 'vitest'
import { idOf, onChain, outline, plan, processMessage, processRecord, resealed, scheduled, tag } from './fixtures.ts'

const PUSH = { tags: [tag('From-Process', idOf('other'))], data: 'paid' }

describe('the first evaluation', () => {
  test('is the process message if the schedule begins with it', async () => {
    expect(outline(await plan({ schedule: [processMessage(), scheduled(1)] }))).toEqual(['0 run', '1 run'])
  })

  test('is a boot message before an ordinary message, an on-chain item, two Type tags, or an empty schedule', async () => {
    const item = scheduled(0, { item: null, messageId: idOf('item') })
    const twoTypes = scheduled(0, { item: { tags: [tag('Type', 'Process'), tag('Type', 'Process')] } })
    for (const first of [scheduled(0), item, twoTypes]) {
      const planned = await plan({ schedule: [first], processData: 'x', items: [onChain('item', {}, '')] })
      expect(outline(planned)).toEqual(['0 run', '0 run'])
      expect(planned.map(({ saved }) => saved)).toEqual([false, true])
    }
    expect(outline(await plan({ schedule: [], processData: 'x' }))).toEqual(['0 run'])
  })

  test('is missing if no gateway has the data of the boot message', async () => {
    const [boot] = await plan({ schedule: [scheduled(0)] })
    expect(boot?.work).toEqual({ kind: 'missing', reason: "no gateway has the process's own data" })
  })
})

describe('the plan for duplicates', () => {
  test('skips a push with the same content under another id, but not one with another tag', async () => {
    const other = { ...PUSH, tags: [...PUSH.tags, tag('Pushed-For', idOf('x'))] }
    const schedule = [
      processMessage(),
      scheduled(1, { item: PUSH }),
      scheduled(2, { item: other }),
      scheduled(3, { item: PUSH })
    ]
    const planned = await plan({ schedule })
    expect(outline(planned)).toEqual(['0 run', '1 run', '2 run', '3 skip 1'])
    expect(planned[3]).toMatchObject({ nonce: 3, messageId: idOf('message3'), assignmentId: idOf('assignment3'), saved: true })
    expect(planned[3]?.work).toEqual({ kind: 'skip', reason: 'duplicate-push', of: 1 })
  })

  test('skips a push as a duplicate whether its data is null, absent or empty', async () => {
    const schedule = [null, undefined, ''].map((data, nonce) => {
      const message = scheduled(nonce, { item: PUSH })
      return resealed(message, { message: { ...message.message, data } as never })
    })
    expect(outline(await plan({ schedule, processData: '' }))).toEqual(['0 run', '0 run', '1 skip 0', '2 skip 0'])
  })

  test('runs both of two pushes that differ only in a tag that the module never sees', async () => {
    const other = { ...PUSH, tags: [...PUSH.tags, tag('Owner', 'x')] }
    const schedule = [processMessage(), scheduled(1, { item: PUSH }), scheduled(2, { item: other })]
    expect(outline(await plan({ schedule }))).toEqual(['0 run', '1 run', '2 run'])
  })

  test('skips an item that was assigned before or was an ordinary message, but not one that was a push', async () => {
    const assign = (nonce: number, name: string) => scheduled(nonce, { item: null, messageId: idOf(name) })
    const schedule = [
      processMessage(),
      scheduled(1),
      scheduled(2, { item: PUSH }),
      assign(3, 'item'),
      assign(4, 'item'),
      assign(5, 'message1'),
      assign(6, 'message2'),
      assign(7, 'message2')
    ]
    const items = [onChain('item', {}, ''), onChain('message2', {}, '')]
    const planned = await plan({ schedule, items })
    expect(outline(planned)).toEqual(['0 run', '1 run', '2 run', '3 run', '4 skip 3', '5 skip 1', '6 run', '7 skip 6'])
    expect(planned[4]?.work).toEqual({ kind: 'skip', reason: 'duplicate-assignment', of: 3 })
  })

  test('never skips an ordinary message, whatever its id is', async () => {
    const again = scheduled(2, { messageId: idOf('message1') })
    expect(outline(await plan({ schedule: [processMessage(), scheduled(1), again] }))).toEqual(['0 run', '1 run', '2 run'])
  })
})

describe('the stream of the CU', () => {
  const stopOf = async (message: ReturnType<typeof scheduled>) => {
    const [, planned] = await plan({ schedule: [processMessage(), message], items: [onChain('item', {}, '')] })
    return planned?.work
  }

  test('stops at an assignment with exactly one Exclude tag', async () => {
    const assignmentTags = [tag('Exclude', 'Data')]
    const stop = { kind: 'stop', reason: 'its assignment has exactly one Exclude tag, which ends the CU’s stream' }
    expect(await stopOf(scheduled(1, { assignmentTags }))).toEqual(stop)
    expect(await stopOf(scheduled(1, { assignmentTags, item: null, messageId: idOf('item') }))).toEqual(stop)
    expect(await stopOf(scheduled(1, { assignmentTags: [...assignmentTags, ...assignmentTags] }))).toMatchObject({
      kind: 'run'
    })
  })

  test('stops at a push whose anchor is not 32 bytes long, but not at another message with such an anchor', async () => {
    expect(await stopOf(scheduled(1, { item: { ...PUSH, anchor: 'short' } }))).toEqual({
      kind: 'stop',
      reason: 'the anchor of a push is not 32 bytes long, which ends the CU’s stream'
    })
    expect(await stopOf(scheduled(1, { item: { anchor: 'short' } }))).toMatchObject({ kind: 'run' })
  })

  test('stops at every message of a process with crons that the CU cannot read', async () => {
    const process = processRecord({ tags: [tag('Type', 'Process'), tag('Cron-Interval', '10-ms')] })
    const planned = await plan({ process, schedule: [processMessage(process), scheduled(1)] })
    expect(planned.map(({ work }) => work)).toEqual(
      Array(2).fill({ kind: 'stop', reason: 'a cron interval is shorter than a second' })
    )
    expect(await plan({ process, schedule: [], processData: '' })).toEqual([])
  })
})

describe('the plan for missing inputs', () => {
  const schedule = [processMessage(), scheduled(1, { item: null, messageId: idOf('item') })]

  test('names a missing item, or the missing data of an item', async () => {
    expect((await plan({ schedule }))[1]?.work).toEqual({
      kind: 'missing',
      reason: `no gateway has the item ${idOf('item')}`
    })
    const work = (await plan({ schedule, items: [onChain('item')] }))[1]?.work
    expect(work).toEqual({ kind: 'missing', reason: `no gateway has the data of ${idOf('item')}` })
  })

  test('does not skip the second assignment of a missing item as a duplicate', async () => {
    const again = scheduled(2, { item: null, messageId: idOf('item') })
    expect(outline(await plan({ schedule: [...schedule, again] }))).toEqual(['0 run', '1 missing', '2 missing'])
  })
})
