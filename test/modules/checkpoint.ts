/** Checkpoints of a small process with any signer. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { createData, EthereumSigner } from 'arbundles'
import type { FakeTransaction } from '../fakes/data.ts'
import type { SmallProcess } from './small-process.ts'

export interface CheckpointOptions {
  readonly of: SmallProcess
  readonly nonce: number
  readonly memory: Uint8Array
  /** Any name; the same name has the same key. */
  readonly signer: string
  /** Tags that replace those of a CU; undefined removes a tag. */
  readonly tags?: Readonly<Record<string, string | undefined>>
  /** Data in place of the packed memory. */
  readonly packed?: Uint8Array
}

/** The address of a signer. */
export function signerAddress(name: string): string {
  return createHash('sha256').update(signerOf(name).publicKey).digest('base64url')
}

/** A checkpoint that a CU published (protocol §3), as a gateway serves it. */
export async function signedCheckpoint({
  of,
  nonce,
  memory,
  signer,
  tags: other = {},
  packed
}: CheckpointOptions): Promise<FakeTransaction> {
  const key = signerOf(signer)
  const tags = Object.entries({
    'Data-Protocol': 'ao',
    Variant: 'ao.TN.1',
    Type: 'Checkpoint',
    Module: of.moduleId,
    Process: of.process.process_id,
    Epoch: '0',
    Nonce: String(nonce),
    Timestamp: of.schedule[nonce]?.node.assignment.tags.find(({ name }) => name === 'Timestamp')?.value ?? '',
    'Content-Type': 'application/octet-stream',
    'SHA-256': createHash('sha256').update(memory).digest('hex'),
    'Content-Encoding': 'gzip',
    ...other
  }).flatMap(([name, value]) => (value === undefined ? [] : { name, value }))
  const item = createData(packed ?? gzipSync(memory, { level: 1 }), key, { tags })
  await item.sign(key)
  return {
    id: item.id,
    height: 1_500_000,
    owner: { address: signerAddress(signer), key: key.publicKey.toString('base64url') },
    signature: item.rawSignature.toString('base64url'),
    anchor: '',
    target: '',
    tags,
    data: item.rawData.toString('base64')
  }
}

function signerOf(name: string): EthereumSigner {
  return new EthereumSigner(createHash('sha256').update(`checkpoint signer ${name}`).digest('hex'))
}
