import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCrons } from '../../../src/replay/plan/cron-tags.ts'
import { tag } from './fixtures.ts'

const interval = (value: string) => parseCrons([tag('Cron-Interval', value)])

test('parseCrons gives tags to the interval before them, and puts block crons first, then shorter times', () => {
  const crons = parseCrons([
    tag('Cron-Tag', 'no name'),
    tag('Cron-Interval', '5-minutes'),
    tag('Cron-Tag-Action', 'A'),
    tag('Cron-Interval', '10-blocks'),
    tag('Other', 'x'),
    tag('Cron-Tag-Action', 'B'),
    tag('Cron-Tag-Action', 'C'),
    tag('Cron-Interval', '30-seconds'),
    tag('Cron-Interval', '1-block')
  ])
  expect(crons).toEqual([
    { name: '0-10-blocks', unit: 'blocks', every: 10, tags: [tag('Action', 'B'), tag('Action', 'C')] },
    { name: '1-1-block', unit: 'blocks', every: 1, tags: [] },
    { name: '0-30-seconds', unit: 'seconds', every: 30, tags: [] },
    { name: '1-5-minutes', unit: 'seconds', every: 300, tags: [tag('Action', 'A')] }
  ])
})

describe('parseCrons', () => {
  test.each([
    ['1-second', 1],
    ['1500-ms', 1],
    ['2000', 2],
    ['1.5-hours', 5400],
    ['.5-m', 30],
    [' 20 - Seconds ', 20],
    ['1-d', 86_400],
    ['1-week', 604_800],
    ['1-y', 31_557_600],
    ['5-seconds-more', 5]
  ])('reads %s as a time', (value, every) => {
    expect(interval(value)).toEqual([{ name: `0-${value}`, unit: 'seconds', every, tags: [] }])
  })

  test.each(['1-months', 'x-seconds', '', '-5-seconds', '5 seconds', `${'9'.repeat(100)}-seconds`])(
    'reads %s as an interval that never fires',
    (value) => {
      expect(interval(value)).toEqual([{ name: `0-${value}`, unit: 'seconds', every: Number.NaN, tags: [] }])
    }
  )

  test.each([
    ['2.9-blocks', 2],
    ['0-blocks', 0],
    ['x-block', Number.NaN]
  ])('reads %s as a number of blocks', (value, every) => {
    expect(interval(value)).toEqual([{ name: `0-${value}`, unit: 'blocks', every, tags: [] }])
  })

  test.each(['999-ms', '0-seconds', '5'])('reports %s as shorter than a second', (value) => {
    expect(interval(value)).toEqual({ fault: 'a cron interval is shorter than a second' })
  })
})

test('parseCrons reports a Cron-Tag before any interval', () => {
  expect(parseCrons([tag('Cron-Tag-Action', 'x')])).toEqual({ fault: 'a Cron-Tag comes before any Cron-Interval' })
})

test('parseCrons accepts any tags and returns one cron for each interval, or a fault', () => {
  const tags = fc.array(fc.record({ name: fc.constantFrom('Cron-Interval', 'Cron-Tag-A', 'Cron-Tag-\n'), value: fc.string() }))
  fc.assert(
    fc.property(tags, (given) => {
      const crons = parseCrons(given)
      const places = given.filter(({ name }) => name === 'Cron-Interval').length
      expect('fault' in crons || crons.length === places).toBe(true)
    })
  )
})
