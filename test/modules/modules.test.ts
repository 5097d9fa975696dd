import { beforeAll, describe, expect, it } from 'vitest'
import { moduleFormat } from '../../src/replay/formats.ts'
import { type Answer, runModule, SCRIPT } from './run-module.ts'
import { compileSmallModule, PATTERN_OFFSET, patternWord, SMALL_MODULE_FORMATS } from './small-module.ts'

const ENVIRONMENT = 'USER=web_user\nLOGNAME=web_user\nPATH=/\nPWD=/\nHOME=/home/web_user\nLANG=C.UTF-8\n'
const TEXT = '"\\" \n\u0001 é € 😀 \u{FFFD} __proto__'
/** Text before the message's Data that looks like it. */
const FALSE_DATA = [{ name: 'Data', value: '"Data":"count' }]

/** The messages to one instance, group by group in this order. */
const TOLD = {
  echo: ['echo', `echo ${TEXT}`, 'echo  two', '', 'counts'],
  clock: ['clock', 'clock'],
  environment: ['env'],
  numbers: ['num', 'num 12.50', 'pages'],
  tags: ['tags'],
  gas: ['echo a', 'echo ab', 'echo abc', 'echo z'],
  state: ['count', 'error', 'count', 'throw', 'trap', 'bad', 'oom', 'count', 'dirty 64', 'count', 'error', 'echo'],
  growth: ['grow', 'growerr', 'pages', 'grow 1', 'grow 100', 'pages', 'count'],
  size: ['big', 'big 5000000', 'pages', 'dirty 3000', 'deep', 'deep 3'],
  raw: ['count', 'growraw', 'count']
} satisfies Record<string, readonly string[]>
type Group = keyof typeof TOLD

/** A message like those of a CU, as far as the module can see. */
const messageOf = (Data: unknown) => ({ Id: 'A'.repeat(43), Signature: 'c2ln', Tags: FALSE_DATA, Data, Owner: 'B'.repeat(43) })

/** The exception, or the response without the additions of the loader. */
function outcomeOf({ thrown, response }: Answer): Record<string, unknown> {
  if (response === undefined) return { thrown }
  const { Patches, GasUsed: _, ...rest } = JSON.parse(response)
  expect(Patches).toEqual([])
  return rest
}

const outputsOf = (answers: readonly Answer[]) => answers.map((answer) => outcomeOf(answer).Output)
const gasOf = ({ response = '' }: Answer): number => JSON.parse(response).GasUsed
const BOOM = { Error: 'boom', Output: 'failed' }
const TRAPPED = { thrown: 'RuntimeError: unreachable' }
const NO_JSON = { thrown: expect.stringMatching(/^SyntaxError: /) }

describe.each(SMALL_MODULE_FORMATS)('the small module for %s', (format) => {
  const { metered, clockStart } = moduleFormat(format)
  const answers = new Map<Group, readonly Answer[]>()
  const answersTo = (group: Group): readonly Answer[] => answers.get(group) ?? []

  beforeAll(async () => {
    const wasm = await compileSmallModule(format, { maximumPages: 120 })
    const all = await runModule(wasm, { format }, Object.values(TOLD).flat().map(messageOf), PATTERN_OFFSET)
    const rest = [...all]
    for (const group of Object.keys(TOLD) as Group[]) answers.set(group, rest.splice(0, TOLD[group].length))
  })

  it('echoes text with escapes', () => {
    expect(outputsOf(answersTo('echo'))).toEqual(['', TEXT, ' two', '', ''])
  })

  it('reads the clock once for each message', () => {
    const expected = clockStart === undefined ? ['0', '0'] : [String(clockStart), String(clockStart + 1)]
    expect(outputsOf(answersTo('clock'))).toEqual(expected)
  })

  it('answers with the environment that the loader gives it', () => {
    const stubbed = !/emscripten[23]?$/.test(format)
    expect(outputsOf(answersTo('environment'))).toEqual([stubbed ? '' : `${ENVIRONMENT}_=${SCRIPT}\n`])
  })

  it('answers with numbers, and with its size as text', () => {
    expect(outputsOf(answersTo('numbers'))).toEqual([42, 12.5, '20'])
  })

  it('answers with dangerous names of tags and keys', () => {
    const [answer = {}] = answersTo('tags')
    expect(answer.response).toBe(
      `{"Output":{"data":"","__proto__":{"polluted":true}},"Messages":[{"Target":"${'A'.repeat(43)}",` +
        `"Anchor":"${'1'.padStart(32, '0')}","Data":"tagged","Tags":[{"name":"__proto__","value":"polluted"},` +
        '{"name":"constructor","value":"polluted"},{"name":"Quantity","value":"0"}]}],"Patches":[],' +
        `"GasUsed":${gasOf(answer)}}`
    )
  })

  it('uses gas if it is metered, equal for equal work and for each character', () => {
    const [one = 0, two = 0, three = 0, again = 0] = answersTo('gas').map(gasOf)
    expect([three - two, again]).toEqual([two - one, one])
    expect(two > one && one > 0).toBe(metered)
  })

  it('counts every message that changes the state', () => {
    expect(answersTo('state').map(outcomeOf)).toEqual([
      { Output: '1' },
      BOOM,
      { Output: '3' },
      { thrown: 'boom' },
      TRAPPED,
      NO_JSON,
      { Output: '42: not enough memory for buffer allocation' },
      { Output: '8' },
      { Output: '64' },
      { Output: '10' },
      BOOM,
      { Output: '' }
    ])
    const seen = answersTo('state').map(({ peek }) => peek)
    expect(seen.filter((peek) => peek !== undefined)).toEqual([1, 2, 3, 7, 8, 9, 10, 11, 11].map(patternWord))
  })

  it('grows its memory through the loader up to its maximum', () => {
    const [sixteen, fifty, sixty, count] = ['36', '52', '63', '16'].map((Output) => ({ Output }))
    expect(answersTo('growth').map(outcomeOf)).toEqual([sixteen, BOOM, fifty, sixty, TRAPPED, sixty, count])
  })

  it('answers with long text and deep lists', () => {
    const [short, long, ...rest] = outputsOf(answersTo('size'))
    expect(short === 'x'.repeat(1_000_000)).toBe(true)
    expect(long === 'x'.repeat(5_000_000)).toBe(true)
    expect(rest).toEqual(['95', '3000', { levels: 10_000 }, { levels: 3 }])
  })

  it('can grow its memory without the loader, which then cannot read its answers', () => {
    expect(answersTo('raw').map(outcomeOf)).toEqual([{ Output: '18' }, NO_JSON, NO_JSON])
  })
})

const METERED = SMALL_MODULE_FORMATS.filter((format) => moduleFormat(format).metered)

it.each(METERED)(
  'the small module for %s runs out of gas if it never ends, also after it grew as far as possible',
  async (format) => {
    const wasm = await compileSmallModule(format, { maximumPages: 20 + 2 * 256 })
    const messages = ['hang', 'pages', 'growforever', 'pages', 'count'].map(messageOf)
    const ended = await runModule(wasm, { format, computeLimit: 20_000_000 }, messages)
    const outOfGas = { thrown: 'Error: out of gas!' }
    expect(ended.map(outcomeOf)).toEqual([outOfGas, { Output: '20' }, outOfGas, { Output: '532' }, { Output: '3' }])
  }
)

it('the small module needs at least 19 pages', async () => {
  const format = 'wasm32-unknown-emscripten'
  await expect(compileSmallModule(format, { initialPages: 18 })).rejects.toThrow('needs 19 pages, not 18')
  const wasm = await compileSmallModule(format, { initialPages: 19, maximumPages: 19 })
  expect(outputsOf(await runModule(wasm, { format }, ['count', 'pages'].map(messageOf)))).toEqual(['1', '19'])
})

it('the small module finds the Data of a message nowhere else', async () => {
  const format = 'wasm32-unknown-emscripten4'
  const messages = [{ Tags: FALSE_DATA, Data: null }, { Tags: FALSE_DATA }, { Data: 'count' }]
  expect(outputsOf(await runModule(await compileSmallModule(format), { format }, messages))).toEqual(['', '', '1'])
})
