/** A thread that verifies signatures. It imports little else: a thread's start is most of what a short audit takes of it. */
import { parentPort } from 'node:worker_threads'
import type { WireItem } from '../model/records.ts'
import { verifyMessage } from './message-item.ts'

parentPort?.on('message', (items: readonly WireItem[]) => parentPort?.postMessage(items.map(verifyMessage)))
