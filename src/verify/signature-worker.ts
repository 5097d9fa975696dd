/** A thread that verifies signatures. It imports little else, because its start dominates its cost in a short audit. */
import { parentPort } from 'node:worker_threads'
import type { WireItem } from '../model/records.ts'
import { verifyMessage } from './message-item.ts'

parentPort?.on('message', (items: readonly WireItem[]) => parentPort?.postMessage(items.map(verifyMessage)))
