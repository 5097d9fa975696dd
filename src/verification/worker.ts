/** A thread that verifies signatures: the audit's own thread feeds the sandbox meanwhile. */
import { parentPort } from 'node:worker_threads'
import type { WireItem } from '../records.ts'
import { verifyMessage } from '../verify/message-item.ts'

parentPort?.on('message', (items: readonly WireItem[]) => parentPort?.postMessage(items.map(verifyMessage)))
