/** The older layout on Arweave (protocol §1.7): the scheduler bundles each assignment with its message. */
import { createHash } from 'node:crypto'
import { createData, type Signer } from 'arbundles'
import { encodeTags } from '../../src/ans104/avro-tags.ts'
import { encodeDataItem } from '../../src/ans104/data-item.ts'
import type { Tag } from '../../src/model/records.ts'
import type { FakeTransaction } from './data.ts'

/** An assignment and the message in its bundle, or a process from before assignments. */
export type FakeBundleOf = readonly [first: FakeTransaction, message?: FakeTransaction | undefined]

const BUNDLE_TAGS = [
  { name: 'Bundle-Format', value: 'binary' },
  { name: 'Bundle-Version', value: '2.0.0' }
]

/**
 * The transactions of a gateway that knows the bundle and the first item in it, but not the message.
 *
 * @param signer the scheduler's signer; all items have Ethereum keys
 * @param more further tags of the bundle
 */
export async function bundled(items: FakeBundleOf, signer: Signer, more: readonly Tag[] = []): Promise<FakeTransaction[]> {
  const [first] = items
  const data = bundleOf(items.filter((item) => item !== undefined))
  const outer = createData(data, signer, { tags: [...BUNDLE_TAGS, ...more] })
  await outer.sign(signer)
  const { height } = first
  const key = Buffer.from(signer.publicKey)
  const owner = { address: createHash('sha256').update(key).digest('base64url'), key: key.toString('base64url') }
  const signature = outer.rawSignature.toString('base64url')
  const common = { height, owner, signature, anchor: '', target: '', tags: [...BUNDLE_TAGS, ...more] }
  return [
    { ...common, id: outer.id, data: data.toString('base64') },
    { ...first, bundledIn: outer.id }
  ]
}

function bundleOf(items: readonly FakeTransaction[]): Buffer {
  const number = (value: number) => {
    const bytes = Buffer.alloc(32)
    bytes.writeUInt32LE(value)
    return bytes
  }
  const binaries = items.map(bytesOf)
  const index = binaries.map((binary, place) =>
    Buffer.concat([number(binary.length), Buffer.from(items[place]?.id ?? '', 'base64url')])
  )
  return Buffer.concat([number(items.length), ...index, ...binaries])
}

function bytesOf({ id, owner, signature, target, anchor, tags, data = '' }: FakeTransaction): Uint8Array {
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  if (createHash('sha256').update(bytes(signature)).digest('base64url') !== id) throw new Error(`${id} is not signed`)
  return encodeDataItem({
    signatureType: 3,
    signature: bytes(signature),
    owner: bytes(owner.key),
    target: bytes(target),
    anchor: bytes(anchor),
    rawTags: encodeTags(tags),
    tags,
    data: Buffer.from(data, 'base64')
  })
}
