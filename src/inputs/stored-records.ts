/** The one door to stored records: each is parsed here as the kind that its key names, and counts as absent if it is not valid. */
import type { z } from 'zod'
import type { RangeOptions, RecordKey, Store } from '../store/store.ts'
import { readStoredClaim, readStoredUnavailable } from './stored-claims.ts'
import { readStoredMessage } from './stored-schedule.ts'
import * as schemas from './stored-schemas.ts'

/** The prefix of the auditor's own computations, which no archive can bring. */
export const DERIVED = 'derived'

interface RecordKind {
  /** Parses the value of a key; undefined if it is not a record of this kind, or belongs to another key. */
  read(key: RecordKey, value: unknown): unknown
  /** The part of the key that names the process or run, if an archive may bring the record; `any` for items, which have ids. */
  readonly of?: { readonly process?: number; readonly run?: number } | 'any'
  /** The part of the key that names the source of the record. */
  readonly source?: number
}

const BLOCK_HEIGHT = 2
const LAST_OF_GATEWAY = 3

/** @param names whether the record's own fields match its key, which has `parts` parts */
function bySchema<T>(schema: z.ZodType<T>, parts: number, names: (key: RecordKey, value: T) => boolean): RecordKind['read'] {
  return (key, value) => {
    const parsed = key.length === parts ? schema.safeParse(value) : undefined
    return parsed?.success === true && names(key, parsed.data) ? parsed.data : undefined
  }
}

const KINDS = new Map<string, RecordKind>(
  Object.entries({
    run: {
      read: bySchema(
        schemas.runSchema,
        3,
        ([, process, id], run) => run.id === id && run.process === process && run.from <= run.to
      ),
      of: { process: 1, run: 2 }
    },
    process: { read: bySchema(schemas.storedProcessSchema, 2, ([, id], one) => one.id === id), of: { process: 1 } },
    'process-on-arweave': {
      read: bySchema(schemas.storedProcessSchema, 2, ([, id], one) => one.id === id),
      of: { process: 1 }
    },
    schedule: {
      read(key, value) {
        const message = key.length === 4 ? readStoredMessage(value) : undefined
        return message?.nonce === key[3] ? message : undefined
      },
      of: { process: 2 },
      source: 1
    },
    anomaly: {
      read(key, value) {
        const { data } = schemas.anomalySchema.safeParse(value)
        const { kind, nonce, through = nonce, messages = [] } = data ?? {}
        const ids = messages.map((message) => message?.assignment.id)
        const place = JSON.stringify([nonce, kind, ...(kind === 'twice' ? ids : [])]) === JSON.stringify(key.slice(3))
        const whole = messages.every((message) => message?.nonce === nonce) && (through ?? 0) >= (nonce ?? 0)
        return data !== undefined && place && whole ? data : undefined
      },
      of: { process: 2 },
      source: 1
    },
    transaction: { read: bySchema(schemas.transactionSchema, 2, ([, id], one) => one.id === id), of: 'any' },
    'gateway-anomaly': {
      read: bySchema(schemas.gatewayAnomalySchema, 4, ([, , id, gateway], one) => one.id === id && one.gateway === gateway),
      of: { process: 1 }
    },
    checkpoint: { read: bySchema(schemas.checkpointSchema, 3, ([, , id], one) => one === id), of: { process: 1 } },
    drive: {
      read: (key, value) =>
        key[2] === 'file'
          ? bySchema(schemas.driveFileSchema, 5, ([, , , kind, id], one) => one.kind === kind && one.id === id)(key, value)
          : bySchema(schemas.attestationSchema, 5, ([, , , type, id], one) => one.type === type && one.id === id)(key, value),
      of: { process: 1 }
    },
    block: { read: bySchema(schemas.blockSchema, 3, (key, one) => one.height === key[BLOCK_HEIGHT]), of: { process: 1 } },
    'block-difference': {
      read: bySchema(
        schemas.blockDifferenceSchema,
        4,
        (key, { kept, other }) =>
          other.height === key[BLOCK_HEIGHT] && kept.height === other.height && other.gateway === key[LAST_OF_GATEWAY]
      ),
      of: { process: 1 }
    },
    claim: { read: readStoredClaim, of: { run: 1 } },
    unavailable: { read: readStoredUnavailable, of: { run: 1 } },
    listing: { read: bySchema(schemas.listingSchema, 4, () => true), of: { run: 1 } },
    unproven: { read: bySchema(schemas.urlsSchema, 2, () => true) },
    'checkpoints-read': { read: bySchema(schemas.checkpointsReadSchema, 3, () => true) },
    'checkpoints-unread': { read: bySchema(schemas.unreadCheckpointsSchema, 3, () => true), of: { process: 1 } },
    shortfall: { read: bySchema(schemas.shortfallSchema, 3, ([, , what], one) => one.what === what), of: { run: 1 } },
    'blocks-read': { read: bySchema(schemas.blockSchema, 3, () => true) },
    [`${DERIVED} verdict`]: { read: bySchema(schemas.verdictsSchema, 5, () => true) },
    [`${DERIVED} snapshot`]: { read: bySchema(schemas.snapshotSchema, 4, () => true) },
    [`${DERIVED} computed`]: { read: bySchema(schemas.computedSchema, 5, () => true) }
  } satisfies Record<string, RecordKind>)
)

function kindOf([first, second]: RecordKey): RecordKind | undefined {
  return KINDS.get(first === DERIVED ? `${DERIVED} ${second}` : String(first))
}

/** Reads the records of a store, each as the kind that its key names. */
export interface Door {
  get<T>(key: RecordKey): Promise<T | undefined>
  list<T>(prefix: RecordKey, range?: RangeOptions): AsyncGenerator<readonly [RecordKey, T]>
}

/** Skips damaged records: they are fetched or computed again. */
export function openDoor(store: Pick<Store, 'get' | 'list'>): Door {
  return {
    async get<T>(key: RecordKey) {
      const value = await store.get(key)
      return value === undefined ? undefined : (kindOf(key)?.read(key, value) as T | undefined)
    },
    async *list<T>(prefix: RecordKey, range?: RangeOptions) {
      for await (const [key, value] of store.list(prefix, range)) {
        const read = kindOf(key)?.read(key, value)
        if (read !== undefined) yield [key, read as T] as const
      }
    }
  }
}

/** The records that an archive of one run may hold: those that a pull writes, and none that an auditor computes (archive §5.1). */
export interface RecordAdmission {
  admits(key: RecordKey, value: unknown): boolean
  /** The sources of the admitted records. */
  readonly sources: ReadonlySet<string>
}

/** One run has at most two schedules. */
const SOURCES_MAX = 2

export function admitRun(process: string, run: string): RecordAdmission {
  const sources = new Set<string>()
  return {
    sources,
    admits(key, value) {
      const kind = kindOf(key)
      if (kind?.of === undefined || kind.read(key, value) === undefined) return false
      if (kind.source !== undefined) sources.add(String(key[kind.source]))
      if (sources.size > SOURCES_MAX) return false
      if (kind.of === 'any') return true
      const { process: ofProcess, run: ofRun } = kind.of
      return (ofProcess === undefined || key[ofProcess] === process) && (ofRun === undefined || key[ofRun] === run)
    }
  }
}
