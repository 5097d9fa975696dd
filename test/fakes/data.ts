/** The data that a fake network serves, in the shapes of a capture's JSON files, and a small invented example. */
import { createHash } from 'node:crypto'
import type { Tag } from '../../src/model/records.ts'

export interface FakeItem {
  readonly id: string
  readonly owner: { readonly address: string; readonly key: string }
  readonly tags: readonly Tag[]
  readonly signature: string
  readonly anchor: string | null
  readonly target: string | null
  readonly data?: string | null
}

/** An edge of `schedule.json`; `assignmentAnchor` is served if the request has `show-anchor`. */
export interface FakeEdge {
  readonly node: { readonly message: FakeItem | null; readonly assignment: FakeItem }
  readonly cursor: string
  readonly assignmentAnchor?: string
}

/** An entry of `claims.json`: the answer of `/result/<id>`. */
export interface FakeClaim {
  readonly id: string
  readonly status: number
  readonly result: unknown
}

/** An edge of `results.json` or of `cron.json`. */
export interface FakeListed {
  readonly node: unknown
  readonly cursor: string
  /** A failed evaluation: it counts towards a page's size but is left out (CU domain/lib/gatherResults.js). */
  readonly hidden?: true
}

/** An entry of `txs.json`; `data` is in base64 and absent if the gateway does not have the raw data. */
export interface FakeTransaction {
  readonly id: string
  readonly height: number
  readonly owner: { readonly address: string; readonly key: string }
  readonly signature: string
  readonly anchor: string
  readonly target: string
  readonly tags: readonly Tag[]
  readonly data?: string
  readonly bundledIn?: string
}

/** `timestamp` in ms. */
export interface FakeBlock {
  readonly height: number
  readonly timestamp: number
}

export interface FakeData {
  readonly process: { readonly process_id: string }
  readonly schedule: readonly FakeEdge[]
  readonly claims?: readonly FakeClaim[]
  readonly results?: readonly FakeListed[]
  readonly cron?: readonly FakeListed[]
  readonly transactions?: readonly FakeTransaction[]
  readonly blocks?: readonly FakeBlock[]
  /** The address in the Compute Unit's answer to `GET /`. */
  readonly address?: string
}

/** An id that depends only on `what`. */
export function idOf(what: string): string {
  return createHash('sha256').update(what).digest('base64url')
}

/** A cursor as a CU writes it. */
export function cursorOf(ordinate: number, timestamp: number, cron: string | null = null): string {
  return Buffer.from(JSON.stringify({ timestamp, ordinate: String(ordinate), cron, sort: 'ASC' })).toString('base64')
}

export const EXAMPLE = {
  process: idOf('process'),
  module: idOf('module'),
  scheduler: idOf('scheduler'),
  computeUnit: idOf('cu')
} as const

const BEGAN = 1_720_000_000_000
const OWNER = { address: idOf('owner'), key: 'a2V5' }

/** An edge with the tags that a scheduler writes (protocol §1.5); nonce 0 is the process's own assignment. */
export function exampleEdge(nonce: number): FakeEdge {
  const isProcess = nonce === 0
  const message = isProcess ? EXAMPLE.process : idOf(`message ${nonce}`)
  const tags = [
    { name: 'Process', value: EXAMPLE.process },
    { name: 'Epoch', value: '0' },
    { name: 'Nonce', value: String(nonce) },
    { name: 'Hash-Chain', value: idOf(`chain ${nonce}`) },
    { name: 'Block-Height', value: String(1_500_000 + nonce).padStart(12, '0') },
    { name: 'Timestamp', value: String(BEGAN + nonce) },
    { name: 'Data-Protocol', value: 'ao' },
    { name: 'Type', value: 'Assignment' },
    ...(isProcess ? [] : [{ name: 'Message', value: message }])
  ]
  return {
    node: {
      message: {
        id: message,
        owner: OWNER,
        tags: [{ name: '__proto__', value: 'only a name' }],
        signature: 'c2ln',
        anchor: null,
        target: EXAMPLE.process,
        data: `data ${nonce}`
      },
      assignment: {
        id: idOf(`assignment ${nonce}`),
        owner: { address: EXAMPLE.scheduler, key: 'a2V5' },
        tags,
        signature: 'c2ln',
        anchor: null,
        target: ''
      }
    },
    cursor: String(nonce),
    assignmentAnchor: idOf(`anchor ${nonce}`)
  }
}

/**
 * A process with `messages` messages after its own, all claimed; its module is `module bytes`. Nothing is signed, so it is for
 * tests that do not verify.
 */
export function exampleData(messages: number): Required<FakeData> {
  const nonces = Array.from({ length: messages + 1 }, (_, nonce) => nonce)
  const resultOf = (nonce: number) => ({ Messages: [], Assignments: [], Spawns: [], Output: { data: `done ${nonce}` } })
  const tags = [
    { name: 'Data-Protocol', value: 'ao' },
    { name: 'Type', value: 'Process' },
    { name: 'Module', value: EXAMPLE.module },
    { name: 'Scheduler', value: EXAMPLE.scheduler }
  ]
  const common = { signature: 'c2ln', target: '' }
  return {
    process: {
      process_id: EXAMPLE.process,
      block: '000001500000',
      owner: OWNER,
      tags,
      timestamp: BEGAN,
      data: 'process',
      anchor: null,
      ...common
    } as FakeData['process'],
    schedule: nonces.map(exampleEdge),
    claims: nonces.slice(1).map((nonce) => ({ id: idOf(`message ${nonce}`), status: 200, result: resultOf(nonce) })),
    results: nonces.map((nonce) => ({ node: resultOf(nonce), cursor: cursorOf(nonce, BEGAN + nonce) })),
    cron: [{ node: resultOf(0), cursor: cursorOf(0, BEGAN + 500, '0-30-seconds') }],
    transactions: [
      { id: EXAMPLE.process, height: 1_500_000, owner: OWNER, anchor: 'YW5jaG9y', tags, data: 'cHJvY2Vzcw==', ...common },
      {
        id: EXAMPLE.module,
        height: 1_400_000,
        owner: OWNER,
        anchor: '',
        tags: [{ name: 'Type', value: 'Module' }],
        data: Buffer.from('module bytes').toString('base64'),
        ...common
      }
    ],
    blocks: nonces.map((nonce) => ({ height: 1_500_000 + nonce, timestamp: BEGAN + nonce * 120_000 })),
    address: EXAMPLE.computeUnit
  }
}
