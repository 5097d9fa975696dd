/** The crons that a Compute Unit makes between two messages, written after its source (permaweb/ao, ff178d51, loadMessages.js). */
import type { Tag } from '../../src/model/records.ts'
import type { FakeItem } from '../fakes/data.ts'
import type { World } from './messages.ts'

export interface Block {
  readonly height: number
  /** ms, whole seconds */
  readonly timestamp: number
}

export interface Fired {
  readonly cron: string
  readonly timestamp: number
  readonly height: number
  readonly tags: readonly Tag[]
}

interface Cron {
  readonly interval: string
  readonly blocks: boolean
  /** A number of blocks or seconds. */
  readonly every: number
  readonly tags: Tag[]
}

const SECONDS: Readonly<Record<string, number>> = { second: 1, seconds: 1, minute: 60, minutes: 60, hour: 3600, hours: 3600 }
const second = (timestamp: number) => Math.floor(timestamp / 1000)

export function cronsOf({ process }: World): readonly Cron[] {
  const crons: Cron[] = []
  for (const { name, value } of (process as unknown as FakeItem).tags) {
    const [count = '', unit = ''] = value.split('-')
    if (name === 'Cron-Interval') {
      const blocks = unit === 'block' || unit === 'blocks'
      crons.push({ interval: value, blocks, every: Number(count) * (blocks ? 1 : (SECONDS[unit] ?? Number.NaN)), tags: [] })
    }
    if (name.startsWith('Cron-Tag-')) crons.at(-1)?.tags.push({ name: name.slice('Cron-Tag-'.length), value })
  }
  return crons
}

/** Goes second by second as the CU does (cronMessagesBetweenWith). */
export function* firedBetween(
  crons: readonly Cron[],
  origin: Block,
  left: Block,
  right: number,
  known: readonly Block[]
): Generator<Fired> {
  const byBlock = crons.filter(({ blocks }) => blocks)
  const byTime = crons.filter(({ blocks }) => !blocks).sort((a, b) => a.every - b.every)
  const coming = known.filter(({ timestamp }) => timestamp > left.timestamp && timestamp < right)
  let current = left
  for (let now = left.timestamp; now < right; now += 1000) {
    const [next] = coming
    if (next !== undefined && second(now) >= second(next.timestamp)) {
      coming.shift()
      current = next
      for (const [place, { interval, every, tags }] of byBlock.entries()) {
        const since = current.height - origin.height
        if (since === 0 || since % every !== 0) continue
        yield { cron: `${place}-${interval}`, timestamp: current.timestamp, height: current.height, tags }
      }
    }
    for (const [place, { interval, every, tags }] of byTime.entries()) {
      const since = second(now) - second(origin.timestamp)
      if (since === 0 || since % every !== 0) continue
      yield { cron: `${place}-${interval}`, timestamp: now, height: current.height, tags }
    }
  }
}

/** The CU's table of blocks and its requests to the gateway (reconcileBlocksWith, findMissingBlocksIn; effects/ao-block.js). */
export function createBlockTable(onChain: readonly Block[]) {
  const table = new Map<number, Block>()
  const load = (min: number, until: number): Block[] => {
    const from = onChain.filter(({ height }) => height >= min)
    const end = from.findIndex(({ timestamp }) => second(timestamp) > second(until))
    const loaded = end === -1 ? from : from.slice(0, end)
    for (const block of loaded) if (!table.has(block.height)) table.set(block.height, block)
    return loaded
  }
  /** The blocks that the CU knows in a stream from a height up to a time. */
  return (min: number, until: number): readonly Block[] => {
    const ascending = (blocks: Iterable<Block>) => [...blocks].sort((a, b) => a.height - b.height)
    const stored = ascending(table.values()).filter(({ height, timestamp }) => height >= min && timestamp <= until)
    const found = new Map(stored.map((block) => [block.height, block]))
    const last = stored.at(-1)
    const take = (blocks: readonly Block[]) => {
      for (const block of blocks) found.set(block.height, block)
    }
    if (last === undefined) take(load(min, until))
    else {
      const gaps: { min: number; until: number }[] = []
      let expected = min
      for (const { height, timestamp } of stored) {
        if (height > expected) gaps.push({ min: expected, until: timestamp - 1 })
        expected = height + 1
      }
      for (const gap of gaps) take(load(gap.min, gap.until))
      if (gaps.length === 0 && second(until) - second(last.timestamp) > 90) take(load(last.height, until))
    }
    return ascending(found.values())
  }
}
