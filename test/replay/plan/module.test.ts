import { expect, test } from 'vitest'
import type { Sha256Hex } from '../../../src/model/ids.ts'
import { moduleEnvironment, moduleOptions } from '../../../src/replay/plan/module.ts'
import { sealSigned } from '../../../src/verify/seal.ts'
import { idOf, owner, PROCESS_ID, processRecord, tag } from './fixtures.ts'

const FORMAT = [tag('Module-Format', 'wasm64'), tag('Input-Encoding', 'JSON-1'), tag('Output-Encoding', 'JSON-2')]
const module = (...tags: ReturnType<typeof tag>[]) =>
  sealSigned({
    id: idOf('module'),
    owner: owner('maker'),
    tags: [...FORMAT, ...tags],
    data: { sha256: '' as Sha256Hex, bytes: 0 }
  })

test('the environment of a module contains all tags of process and module', () => {
  const process = processRecord({ tags: [tag('Owner', 'x'), tag('From', 'y')] })
  const format =
    '{"name":"Module-Format","value":"wasm64"},{"name":"Input-Encoding","value":"JSON-1"},{"name":"Output-Encoding","value":"JSON-2"}'
  expect(JSON.stringify(moduleEnvironment(process, module()))).toBe(
    `{"Process":{"Id":"${PROCESS_ID}","Owner":"${idOf('creator')}","Tags":[{"name":"Owner","value":"x"},{"name":"From","value":"y"}]},` +
      `"Module":{"Id":"${idOf('module')}","Owner":"${idOf('maker')}","Tags":[${format}]}}`
  )
})

test('the options come from the module, except for limits that the process states', () => {
  const extension = [tag('Extension', 'WeaveDrive'), tag('WeaveDrive-Max', '5'), tag('Other', 'x')]
  const made = module(
    tag('Memory-Limit', '1-gb'),
    tag('Compute-Limit', '9000000000000'),
    tag('Availability-Type', 'Individual'),
    ...extension
  )
  const process = processRecord({ tags: [tag('Memory-Limit', '500-mb')] })
  expect(moduleOptions(process, made)).toEqual({
    format: 'wasm64',
    inputEncoding: 'JSON-1',
    outputEncoding: 'JSON-2',
    memoryLimit: 500 * 2 ** 20,
    computeLimit: 9_000_000_000_000,
    extensions: { WeaveDrive: [tag('Max', '5')] },
    mode: 'Individual',
    spawn: { id: PROCESS_ID, owner: idOf('creator'), tags: process.tags },
    module: { id: idOf('module'), owner: idOf('maker'), tags: made.tags },
    blockHeight: 100
  })
  expect(moduleOptions(processRecord(), module()).mode).toBe('Assignments')
})

test.each([
  ['1-gb', 2 ** 30],
  ['1.5-gb', 1.5 * 2 ** 30],
  ['500 MB', 500 * 2 ** 20],
  ['1000', 1000],
  ['10-kb-x', 10],
  ['5-b', 5],
  ['none', undefined],
  ['', undefined]
])('the options give the memory limit %s in bytes', (text, bytes) => {
  expect(moduleOptions(processRecord(), module(tag('Memory-Limit', text))).memoryLimit).toBe(bytes)
})

test('the options accept an extension with any name', () => {
  const { extensions } = moduleOptions(processRecord(), module(tag('Extension', '__proto__'), tag('__proto__-A', 'b')))
  expect(Object.keys(extensions as object)).toEqual(['__proto__'])
})
