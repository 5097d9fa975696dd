/** Fakes that close at the end of their test, and a client with little patience. */
import { onTestFinished } from 'vitest'
import { createHttp, type Http, type HttpOptions } from '../../src/fetch/http.ts'
import type { FetchLimits } from '../../src/fetch/limits.ts'
import type { MessageId, ProcessId, TransactionId } from '../../src/model/ids.ts'
import { EXAMPLE, exampleData, idOf } from '../fakes/data.ts'
import { type FakeNetwork, type FakeNetworkOptions, startFakeNetwork } from '../fakes/network.ts'

export const PROCESS = EXAMPLE.process as ProcessId
export const MODULE = EXAMPLE.module as TransactionId
export const messageId = (nonce: number) => idOf(`message ${nonce}`) as MessageId

const QUICK: Partial<FetchLimits> = { patienceMs: 4_000, idleMs: 600, waitMinMs: 1, waitMaxMs: 20 }

/** The example network, with the options of a test. */
export async function start(options: Partial<FakeNetworkOptions> = {}): Promise<FakeNetwork> {
  const network = await startFakeNetwork({ ...exampleData(3), ...options })
  onTestFinished(() => network.close())
  return network
}

/** A client whose waits are short. */
export function quick({ limits, ...options }: HttpOptions = {}): Http {
  return createHttp({ ...options, limits: { ...QUICK, ...limits } })
}
