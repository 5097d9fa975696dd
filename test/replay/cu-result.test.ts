import { describe, expect, it } from 'vitest'
import { cuResult } from '../../src/replay/sandbox/cu-result.ts'

const answered = (response: object) => cuResult({ thrown: false, response })

describe('cuResult', () => {
  it('writes the keys in the order of the CU and fills in missing ones', () => {
    expect(answered({}).text).toBe('{"Messages":[],"Assignments":[],"Spawns":[],"Output":""}')
    expect(answered({ GasUsed: 0, Output: { a: 1 }, Messages: [1], Error: null }).text).toBe(
      '{"Messages":[1],"Assignments":[],"Spawns":[],"Output":{"a":1},"GasUsed":0}'
    )
    expect(answered({ Error: 'boom', GasUsed: 7 }).text).toBe(
      '{"Messages":[],"Assignments":[],"Spawns":[],"Output":"","GasUsed":7,"Error":"boom"}'
    )
  })

  it('drops the fields that the CU drops', () => {
    expect(answered({ Patches: [1], Memory: 'x' }).text).toBe('{"Messages":[],"Assignments":[],"Spawns":[],"Output":""}')
  })

  it.each([
    [5, '"5"'],
    [0, '"0"'],
    [null, '""'],
    ['', '""'],
    [false, 'false'],
    [[1], '[1]']
  ])('turns Output %j into %s', (output, text) => {
    expect(answered({ Output: output }).text).toBe(`{"Messages":[],"Assignments":[],"Spawns":[],"Output":${text}}`)
  })

  it('keeps the memory after a success, and discards memory and instance after an Error', () => {
    expect(answered({ Output: 'x' })).toMatchObject({ keepsMemory: true, newInstance: false })
    expect(answered({ Error: 'x' })).toMatchObject({ keepsMemory: false, newInstance: true })
    expect(answered({ Error: {} })).toMatchObject({ keepsMemory: false, newInstance: true })
    expect(answered({ Error: '' })).toMatchObject({ keepsMemory: true, newInstance: false })
  })

  it('discards the memory and keeps the instance if Output says that memory ran out', () => {
    const words = 'lua: not enough memory for buffer allocation'
    const kept = { keepsMemory: false, newInstance: false }
    expect(answered({ Output: words })).toMatchObject(kept)
    expect(answered({ Output: { data: { output: words } } })).toMatchObject(kept)
    expect(answered({ Output: { output: words } })).toMatchObject({ keepsMemory: true })
    expect(answered({ Output: `${words}.` })).toMatchObject({ keepsMemory: true })
  })

  it('writes a thrown Error as an empty object and other thrown values as they are', () => {
    const thrown = (error: unknown) => cuResult({ thrown: true, error })
    expect(thrown(new RangeError('x')).text).toBe('{"Messages":[],"Assignments":[],"Spawns":[],"Output":"","Error":{}}')
    expect(thrown('words')).toEqual({
      text: '{"Messages":[],"Assignments":[],"Spawns":[],"Output":"","Error":"words"}',
      keepsMemory: false,
      newInstance: true
    })
    // The module answered ok: false without a value: the CU has no Error, but also no memory.
    expect(thrown('')).toMatchObject({ keepsMemory: false, newInstance: false })
    expect(thrown(undefined).text).toBe('{"Messages":[],"Assignments":[],"Spawns":[],"Output":""}')
  })
})
