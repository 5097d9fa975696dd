/** An invented process of a small module as scheduler and gateway serve it, for `startFakeNetwork`. */
import { createHash } from 'node:crypto'
import { createData, EthereumSigner, type Signer } from 'arbundles'
import type { Tag } from '../../src/model/records.ts'
import type { FakeBlock, FakeData, FakeEdge, FakeItem, FakeTransaction } from '../fakes/data.ts'
import type { SmallModuleFormat } from './small-module.ts'

interface SmallMessage {
  /** Bytes that are not UTF-8 are served with U+FFFD in their place, as a scheduler does. */
  readonly data: string | Uint8Array
  /** Tags after those that every message has. */
  readonly tags?: readonly Tag[]
  /**
   * Text of 32 bytes, or null for none; by default the nonce in 32 digits. It distinguishes messages that are equal otherwise,
   * because equal content with the same key has the same signature and so the same id.
   */
  readonly anchor?: string | null
  /** Any name; the same name has the same key. By default `owner`, the process's owner. */
  readonly sender?: string
  /** The item is on the chain, and the scheduler only assigned it. */
  readonly onChain?: true
}

/** The item of this nonce, which is on the chain by now, is assigned again. */
interface AssignedAgain {
  readonly again: number
}

export interface SmallProcessOptions {
  readonly format: SmallModuleFormat
  readonly wasm: Uint8Array
  /** Nonces 1, 2, …; a string is the data of a message. */
  readonly messages: readonly (string | SmallMessage | AssignedAgain)[]
  /** Tags after those that every process has. */
  readonly processTags?: readonly Tag[]
  /** By default `process`. */
  readonly processData?: string
  /** The time between two messages; by default 1500. */
  readonly intervalMs?: number
  /** The time between two blocks; by default 120,000. */
  readonly blockMs?: number
  /** All keys and ids depend on it. */
  readonly seed?: string
}

export interface SignedSmallProcessOptions extends SmallProcessOptions {
  /** By a sender's name, `scheduler` or `publisher` (of the module): they replace the Ethereum keys from the seed. */
  readonly signers?: Readonly<Record<string, Signer>>
}

export interface SmallProcess {
  readonly process: FakeData['process']
  readonly schedule: readonly FakeEdge[]
  /** The module, the process, and every assignment and message. */
  readonly transactions: readonly FakeTransaction[]
  readonly blocks: readonly FakeBlock[]
  readonly moduleId: string
  /** By nonce; that of nonce 0 is the process's id. */
  readonly messageIds: readonly string[]
  /** The scheduler's address. */
  readonly scheduler: string
}

/**
 * The process with invalid keys and signatures, for tests that do not verify. Ids, hash chain and everything else are correct.
 *
 * @example
 * ```ts
 * const format = 'wasm32-unknown-emscripten4'
 * const small = await smallProcess({ format, wasm: await compileSmallModule(format), messages: ['count', 'error', 'count'] })
 * const network = await startFakeNetwork({ ...small, claims })
 * ```
 */
export function smallProcess(options: SmallProcessOptions): Promise<SmallProcess> {
  const { seed = '' } = options
  const keyOf = (name: string) => Buffer.alloc(512, sha256(`${seed} key of ${name}`))
  return build(options, keyOf, async (_, label) => ({ id: sha256(`${seed} ${label}`), signature: Buffer.alloc(512) }))
}

/** The process with every item signed by arbundles. The same options give the same ids if all signers are Ethereum's. */
export function signedSmallProcess(options: SignedSmallProcessOptions): Promise<SmallProcess> {
  const { seed = '', signers = {} } = options
  const made = new Map(Object.entries(signers))
  const signerOf = (name: string): Signer => {
    const signer = made.get(name) ?? new EthereumSigner(sha256(`${seed} key of ${name}`).toString('hex'))
    made.set(name, signer)
    return signer
  }
  const keyOf = (name: string) => signerOf(name).publicKey
  return build(options, keyOf, async ({ by, data, tags, target, anchor }) => {
    const signer = signerOf(by)
    const item = createData(data, signer, {
      tags: [...tags],
      target,
      // Any 32 bytes are an anchor, though its type is only a string.
      ...(anchor === undefined ? {} : { anchor: anchor as unknown as string })
    })
    await item.sign(signer)
    return { id: item.rawId, signature: item.rawSignature }
  })
}

interface Unsigned {
  /** The name of the signer. */
  readonly by: string
  readonly tags: readonly Tag[]
  readonly data: Uint8Array
  /** An id or empty. */
  readonly target: string
  readonly anchor?: Buffer
}

interface Signature {
  readonly id: Buffer
  readonly signature: Buffer
}

/** `label` distinguishes items with equal content. */
type Sign = (unsigned: Unsigned, label: string) => Promise<Signature>

interface Item extends Unsigned {
  readonly id: string
  readonly signature: string
  readonly owner: { readonly address: string; readonly key: string }
}

const BEGAN = 1_720_000_000_000
const FIRST_HEIGHT = 1_500_000

async function build(options: SmallProcessOptions, keyOf: (name: string) => Buffer, sign: Sign): Promise<SmallProcess> {
  const { format, wasm, messages, processTags = [], processData = 'process', intervalMs = 1500, seed = '' } = options
  const { blockMs = 120_000 } = options
  const make = async (unsigned: Unsigned, label: string): Promise<Item> => {
    const { id, signature } = await sign(unsigned, label)
    const owner = { address: base64url(sha256(keyOf(unsigned.by))), key: base64url(keyOf(unsigned.by)) }
    return { ...unsigned, id: base64url(id), signature: base64url(signature), owner }
  }
  const timeOf = (nonce: number) => BEGAN + nonce * intervalMs
  const heightOf = (nonce: number) => FIRST_HEIGHT + Math.floor((nonce * intervalMs) / blockMs)
  const scheduler = base64url(sha256(keyOf('scheduler')))

  const module = await make({ by: 'publisher', tags: moduleTags(format), data: wasm, target: '' }, 'module')
  const ofProcess = [...aoTags('Process'), ...tagsOf({ Module: module.id, Scheduler: scheduler }), ...processTags]
  const process = await make({ by: 'owner', tags: ofProcess, data: Buffer.from(processData), target: '' }, 'process')

  const items = [process]
  const onChain = new Set<number>()
  for (const [place, message] of messages.entries()) {
    if (typeof message === 'object' && 'again' in message) {
      items.push(items[message.again] ?? process)
      onChain.add(place + 1)
      continue
    }
    const given = typeof message === 'string' ? { data: message } : message
    const { data, tags = [], anchor = String(place + 1).padStart(32, '0'), sender = 'owner' }: SmallMessage = given
    if ('onChain' in given) onChain.add(place + 1)
    const unsigned = { by: sender, tags: [...aoTags('Message'), ...tags], data: Buffer.from(data), target: process.id }
    items.push(await make(anchor === null ? unsigned : { ...unsigned, anchor: Buffer.from(anchor) }, `message ${place + 1}`))
  }

  const assignments: Item[] = []
  let chain = sha256(Buffer.from(process.id, 'base64url'))
  for (const [nonce, item] of items.entries()) {
    const tags = tagsOf({
      Process: process.id,
      Epoch: '0',
      Nonce: String(nonce),
      'Hash-Chain': base64url(chain),
      'Block-Height': String(heightOf(nonce)).padStart(12, '0'),
      Timestamp: String(timeOf(nonce)),
      'Data-Protocol': 'ao',
      Type: 'Assignment',
      Variant: 'ao.TN.1',
      ...(nonce === 0 ? {} : { Message: item.id })
    })
    const anchor = sha256(`${seed} anchor ${nonce}`)
    const assignment = await make({ by: 'scheduler', tags, data: Buffer.alloc(0), target: '', anchor }, `assignment ${nonce}`)
    assignments.push(assignment)
    chain = sha256(Buffer.concat([Buffer.from(assignment.id, 'base64url'), chain]))
  }

  const scheduled = [items, assignments].flatMap((all) => all.map((item, nonce) => transactionOf(item, heightOf(nonce))))
  const once = scheduled.filter((one, place) => scheduled.findIndex(({ id }) => id === one.id) === place)
  const { id: process_id, ...rest } = messageOf(process)
  return {
    process: { process_id, block: String(FIRST_HEIGHT).padStart(12, '0'), timestamp: BEGAN, ...rest } as FakeData['process'],
    schedule: assignments.map((assignment, nonce) =>
      edgeOf(assignment, onChain.has(nonce) ? null : (items[nonce] ?? process), nonce)
    ),
    transactions: [transactionOf(module, FIRST_HEIGHT - 100), ...once],
    blocks: Array.from({ length: heightOf(messages.length) - FIRST_HEIGHT + 3 }, (_, place) => ({
      height: FIRST_HEIGHT - 1 + place,
      timestamp: BEGAN + (place - 1) * blockMs
    })),
    moduleId: module.id,
    messageIds: items.map(({ id }) => id),
    scheduler
  }
}

function moduleTags(format: string): Tag[] {
  return [
    ...aoTags('Module'),
    ...tagsOf({
      'Module-Format': format,
      'Input-Encoding': 'JSON-V1',
      'Output-Encoding': 'JSON-V1',
      'Memory-Limit': '1-gb',
      'Compute-Limit': '9000000000000',
      'Content-Type': 'application/wasm'
    })
  ]
}

function aoTags(type: string): Tag[] {
  return tagsOf({ 'Data-Protocol': 'ao', Variant: 'ao.TN.1', Type: type })
}

function tagsOf(values: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }))
}

/** An item as a scheduler serves it: without bytes, and with an anchor only if that is text (protocol §1.4). */
function messageOf({ id, owner, tags, signature, anchor, target, data }: Item): FakeItem {
  const text = anchor?.toString() ?? null
  return { id, owner, data: Buffer.from(data).toString(), tags, signature, anchor: text, target: target === '' ? null : target }
}

function edgeOf(assignment: Item, item: Item | null, nonce: number): FakeEdge {
  const { id, owner, tags, signature, anchor } = assignment
  return {
    node: {
      message: item === null ? null : messageOf(item),
      assignment: { id, owner, tags, signature, anchor: null, target: '' }
    },
    cursor: String(nonce),
    assignmentAnchor: base64url(anchor ?? Buffer.alloc(0))
  }
}

function transactionOf({ id, owner, tags, signature, anchor, target, data }: Item, height: number): FakeTransaction {
  return {
    id,
    height,
    owner,
    signature,
    anchor: base64url(anchor ?? Buffer.alloc(0)),
    target,
    tags,
    data: Buffer.from(data).toString('base64')
  }
}

function sha256(of: string | Uint8Array): Buffer {
  return createHash('sha256').update(of).digest()
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url')
}
