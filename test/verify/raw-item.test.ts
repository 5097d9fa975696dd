import Arweave from 'arweave'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Sha256Hex } from '../../src/model/ids.ts'
import type { TransactionHeader, TransactionRecord } from '../../src/model/records.ts'
import { checkModule } from '../../src/verify/process-and-module.ts'
import { proveItem } from '../../src/verify/raw-item.ts'

const arweave = new Arweave({ host: '127.0.0.1', port: 1, protocol: 'http' })
const data = Buffer.from('a module that lies directly on Arweave')
const BLOB = { sha256: '00'.repeat(32) as Sha256Hex, bytes: data.byteLength }
let record: TransactionRecord

beforeAll(async () => {
  const key = await arweave.wallets.generate()
  const transaction = await arweave.createTransaction({ data, reward: '1', last_tx: 'A'.repeat(64) }, key)
  transaction.addTag('Module-Format', 'wasm64-unknown-emscripten-draft_2024_02_15')
  await arweave.transactions.sign(transaction, key)
  const onChain = JSON.parse(JSON.stringify(transaction)) as TransactionHeader
  record = {
    id: onChain.id,
    owner: { address: await arweave.wallets.jwkToAddress(key), key: onChain.owner },
    tags: [{ name: 'Module-Format', value: 'wasm64-unknown-emscripten-draft_2024_02_15' }],
    recipient: '',
    anchor: onChain.last_tx,
    signature: onChain.signature,
    blockHeight: 1,
    gateway: 'https://gateway.example',
    onChain
  } as unknown as TransactionRecord
})

describe('an item directly on Arweave', () => {
  it('is proven by its header and its data', () => {
    expect(proveItem({ record, data }).verdict).toEqual({ status: 'valid' })
    const { module, findings } = checkModule({ record, data }, BLOB)
    expect(['unproven' in module, module.tags, module.owner, findings]).toEqual([false, record.tags, record.owner, []])
  })

  it('is invalid with other data, or with other tags than the signed ones', () => {
    const other = { record, data: Buffer.from('another module') }
    expect(proveItem(other).verdict).toMatchObject({ status: 'invalid', reason: 'the data is not the signed data' })
    const retagged = { ...record, tags: [{ name: 'Module-Format', value: 'wasm32-unknown-emscripten4' }] }
    expect(proveItem({ record: retagged, data }).verdict).toMatchObject({
      status: 'invalid',
      reason: 'the transaction in GraphQL differs from the signed one'
    })
  })

  it('is not invalid if its header is unknown and GraphQL does not show all signed fields', () => {
    const { onChain: _, ...shown } = record
    const { module, tampered: spoilt } = checkModule({ record: shown, data }, BLOB)
    expect(['unproven' in module, spoilt]).toEqual([true, undefined])
  })
})
