import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressSchema,
  blocksSchema,
  listedPageSchema,
  parseWire,
  schedulePageSchema,
  schedulerProcessSchema,
  transactionsSchema
} from '../../src/fetch/unit-schemas.ts'
import { AuditError } from '../../src/model/errors.ts'
import { readScheduled, scheduledMessageSchema } from '../../src/verify/scheduled-edge.ts'
import { cursorOf, exampleData, exampleEdge, idOf } from '../fakes/data.ts'

const ASKED = { role: 'scheduler', url: 'http://unit/x' } as const

function faultsOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof AuditError && error.code === 'WIRE_INVALID') return error.message
    throw error
  }
  throw new Error('nothing was thrown')
}

/** An edge with other values for its assignment's tags. */
function withTags(values: Readonly<Record<string, string>>) {
  const { message, assignment } = exampleEdge(7).node
  const tags = assignment.tags.map(({ name, value }) => ({ name, value: values[name] ?? value }))
  return { message, assignment: { ...assignment, tags } }
}

describe('parseWire', () => {
  it('names the URL and every faulty field of an edge', () => {
    const node = {
      message: { ...exampleEdge(1).node.message, data: 7 },
      assignment: { ...exampleEdge(1).node.assignment, id: 'x' }
    }
    const page = { page_info: {}, edges: [{ node }, { node: exampleEdge(2).node }] }
    expect(faultsOf(() => parseWire(schedulePageSchema, page, ASKED))).toBe(
      `${ASKED.url} answered with faulty fields: page_info.has_next_page: Invalid input: expected boolean, received undefined; ` +
        'edges.0.node.message.data: Invalid input: expected string, received number; ' +
        'edges.0.node.assignment.id: must be 43 characters of base64url'
    )
  })

  it('names every tag that should hold a number but does not', () => {
    const node = withTags({ Nonce: '-1', Epoch: '1e3', Timestamp: '0x10', 'Block-Height': '' })
    expect(faultsOf(() => parseWire(scheduledMessageSchema, node, ASKED))).toBe(
      `${ASKED.url} answered with faulty fields: ${['Nonce', 'Epoch', 'Timestamp', 'Block-Height']
        .map((name) => `assignment.tags.${name}: must be a whole number`)
        .join('; ')}`
    )
  })

  it('names the faulty field of a process', () => {
    const process = { ...exampleData(0).process, block: '1.5' }
    expect(faultsOf(() => parseWire(schedulerProcessSchema, process, ASKED))).toBe(
      `${ASKED.url} answered with faulty fields: block: must be a whole number`
    )
  })

  it('names the URL if the answer is not an object', () => {
    for (const value of [null, 7, 'text', []]) {
      expect(faultsOf(() => parseWire(addressSchema, value, ASKED))).toMatch(/^http:\/\/unit\/x answered with faulty fields: /)
    }
  })

  it('bounds the length of its message', () => {
    const edges = Array.from({ length: 1_000 }, () => ({}))
    expect(faultsOf(() => parseWire(schedulePageSchema, { edges }, ASKED)).length).toBeLessThan(4_200)
  })
})

describe('a number in a tag', () => {
  it('may have leading zeros, as in the CU', () => {
    expect(parseWire(scheduledMessageSchema, withTags({ 'Block-Height': '000001234567' }), ASKED).blockHeight).toBe(1_234_567)
  })

  it('is read if it can be exact, and refused otherwise', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.nat(3), (value, zeros) => {
        const text = `${'0'.repeat(zeros)}${value}`
        const read = readScheduled(withTags({ Nonce: text }))?.nonce
        expect(read).toBe(value <= BigInt(Number.MAX_SAFE_INTEGER) && text.length <= 16 ? Number.parseInt(text, 10) : undefined)
      })
    ))
})

describe('an edge', () => {
  it('of an assigned item has the message’s id, but no message', () => {
    const { assignment } = exampleEdge(4).node
    expect(parseWire(scheduledMessageSchema, { message: null, assignment }, ASKED)).toMatchObject({
      message: null,
      messageId: idOf('message 4')
    })
  })

  it('with neither a message nor its id is faulty', () => {
    expect(
      faultsOf(() => parseWire(scheduledMessageSchema, { message: null, assignment: exampleEdge(0).node.assignment }, ASKED))
    ).toBe(`${ASKED.url} answered with faulty fields: assignment.tags.Message: must be 43 characters of base64url`)
  })

  it('keeps tags in order, with any name and value', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.oneof(fc.string(), fc.constant('__proto__')), value: fc.string() })),
        (tags) => {
          const { message, assignment } = exampleEdge(1).node
          const node = JSON.parse(JSON.stringify({ message: { ...message, tags }, assignment })) as unknown
          expect(parseWire(scheduledMessageSchema, node, ASKED).message?.tags).toEqual(tags)
        }
      )
    ))
})

describe('a cursor of a listing', () => {
  const page = (cursor: string) => ({ pageInfo: { hasNextPage: false }, edges: [{ node: {}, cursor }] })
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')

  it('reads back as the key that it was made from', () =>
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.option(fc.string()), (ordinate, timestamp, cron) => {
        const text = cursorOf(ordinate, timestamp, cron)
        const key = { ordinate, timestamp, ...(cron === null ? {} : { cron }) }
        expect(parseWire(listedPageSchema, page(text), ASKED).edges[0]?.cursor).toEqual({ text, key })
      })
    ))

  it.each([
    'no base64',
    encoded({}),
    encoded({ timestamp: null, ordinate: '1' }),
    encoded({ timestamp: 1, ordinate: '' }),
    encoded({ timestamp: 1, ordinate: true }),
    encoded({ timestamp: -1, ordinate: '1' }),
    encoded({ timestamp: 1, ordinate: '1', cron: 7 })
  ])('is refused if it is %s', (text) => {
    expect(faultsOf(() => parseWire(listedPageSchema, page(text), ASKED))).toContain(
      'edges.0.cursor: must be a cursor of a Compute Unit'
    )
  })
})

it('parseWire reads or refuses any JSON, without another effect', () => {
  const schemas = [
    schedulePageSchema,
    scheduledMessageSchema,
    schedulerProcessSchema,
    listedPageSchema,
    transactionsSchema,
    blocksSchema
  ]
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...schemas), (value, schema) => {
      try {
        parseWire<unknown>(schema, value, ASKED)
      } catch (error) {
        expect(error).toMatchObject({ code: 'WIRE_INVALID' })
      }
    })
  )
  expect(Object.keys(Object.prototype)).toEqual([])
})
