/** A real store that closes at the end of its test, and runs over the example. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { createInputs, type Inputs } from '../../src/inputs/inputs.ts'
import type { Run } from '../../src/inputs/run-record.ts'
import type { Claim, ScheduledMessage } from '../../src/model/records.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { Store } from '../../src/store/store.ts'
import { scheduledMessageSchema } from '../../src/verify/scheduled-edge.ts'
import { exampleEdge } from '../fakes/data.ts'
import { PROCESS } from '../fetch/start.ts'

export const SCHEDULER = 'http://scheduler.example'
export const NOW = '2026-01-01T00:00:00.000Z'
export const BEGAN = 1_720_000_000_000

export async function openTemporaryStore(): Promise<Store> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ao-audit-pull-'))
  const store = await openStore(folder)
  onTestFinished(async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  return store
}

export async function openInputs(): Promise<Inputs> {
  return createInputs(await openTemporaryStore())
}

export function runOf(more: Partial<Run> = {}): Run {
  return { id: 'a run', process: PROCESS, scheduler: SCHEDULER, computes: [], from: 0, to: 3, state: 'running', ...more }
}

export function scheduled(nonce: number): ScheduledMessage {
  return scheduledMessageSchema.parse(exampleEdge(nonce).node)
}

export const upTo = (last: number) => Array.from({ length: last + 1 }, (_, nonce) => nonce)

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of source) found.push(one)
  return found
}

/** `r` for a result or `l` for a listed claim, with its ordinate and cron. */
export function nameOf({ kind, key }: Pick<Claim, 'kind' | 'key'>): string {
  return `${kind === 'result' ? 'r' : 'l'}${key.ordinate}${key.cron === undefined ? '' : `/${key.cron}`}`
}
