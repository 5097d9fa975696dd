import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startFakeNetwork } from '../fakes/network.ts'
import { closeUnits } from '../honest/cu.ts'
import { processOf } from '../honest/run.ts'
import { OFFICIAL_PATH } from '../honest/scenario.ts'
import { runHonestUnit } from '../honest/unit.ts'
import { reportIn, run, unitsOf } from './command.ts'

describe('an honest unit of a process with crons', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-cli-'))
  afterAll(() => {
    closeUnits()
    rmSync(folder, { recursive: true, force: true })
  })

  it('matches, with blocks for which the command asks the gateway over GraphQL: exit 0', async () => {
    const small = await processOf({
      format: 'wasm32-unknown-emscripten4',
      messages: ['count', 'count', 'count'],
      crons: [
        ['Cron-Interval', '30-seconds'],
        ['Cron-Tag-Do', 'count']
      ],
      intervalMs: 42_540
    })
    const settings = { path: OFFICIAL_PATH, zone: 'UTC', duplicates: 'number', remembers: true, checkpoints: [] } as const
    const answers = await runHonestUnit(small, { ...settings, asked: [{ nonce: 3 }] })
    const network = await startFakeNetwork({ ...small, ...answers })
    try {
      const store = path.join(folder, 'store')
      const ended = await run(['audit', small.process.process_id, ...unitsOf(network), '--store', store, '--json'])
      expect([ended.code, ended.stderr]).toEqual([0, ''])
      const { verdict, coverage } = reportIn(ended)
      expect([verdict, coverage.cron]).toEqual(['match', 4])
    } finally {
      await network.close()
    }
  })
})
