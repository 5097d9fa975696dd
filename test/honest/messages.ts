/** The messages that a Compute Unit gives to a module, written after protocol §2.4 without code of the auditor. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Tag } from '../../src/model/records.ts'
import type { FakeData, FakeEdge, FakeItem, FakeTransaction } from '../fakes/data.ts'

export type Message = Readonly<Record<string, unknown>>

/** A process as its scheduler and its gateway serve it. */
export interface World {
  readonly process: FakeData['process']
  readonly schedule: readonly FakeEdge[]
  readonly transactions: readonly FakeTransaction[]
  readonly blocks: readonly { readonly height: number; readonly timestamp: number }[]
  readonly moduleId: string
}

/** One edge of the schedule as the CU reads it (effects/ao-su.js, mapNode). */
export interface Scheduled {
  readonly nonce: number
  readonly epoch: number
  /** ms */
  readonly timestamp: number
  readonly height: number
  readonly messageId: string
  /** True if an item on the chain was assigned, so that the edge has no message. */
  readonly isAssignment: boolean
  /** Equal for duplicate pushes; undefined if the message was not pushed. */
  readonly pushed?: string
  readonly message: Message
}

type Owner = FakeItem['owner']

/** An Ethereum key's address is in EIP-55 form, any other as the unit gave it (utils.js, addressFrom). */
function ownerAddress({ address, key }: Owner): string {
  const bytes = Buffer.from(key, 'base64url')
  if (bytes.length !== 65) return address
  const plain = Buffer.from(keccak_256(bytes.subarray(1)))
    .subarray(-20)
    .toString('hex')
  const check = Buffer.from(keccak_256(Buffer.from(plain))).toString('hex')
  return `0x${Array.from(plain, (digit, place) => (Number.parseInt(check[place] ?? '0', 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`
}

const tagOf = (tags: readonly Tag[], name: string) => tags.find((tag) => tag.name === name)?.value
const plain = (tags: readonly Tag[]) => tags.map(({ name, value }) => ({ name, value }))
/** evaluate.js, removeInvalidTags. */
const handed = (tags: readonly Tag[]) => plain(tags).filter(({ name }) => name !== 'From' && name !== 'Owner')

export function readSchedule({ process, schedule, transactions }: World): Scheduled[] {
  return schedule.map(({ node: { message, assignment } }) => {
    const number = (name: string) => Number.parseInt(tagOf(assignment.tags, name) ?? '', 10)
    const place = {
      nonce: number('Nonce'),
      epoch: number('Epoch'),
      timestamp: number('Timestamp'),
      height: number('Block-Height')
    }
    const assigned = {
      Epoch: place.epoch,
      Nonce: place.nonce,
      Timestamp: place.timestamp,
      'Block-Height': place.height,
      'Hash-Chain': tagOf(assignment.tags, 'Hash-Chain'),
      Cron: false,
      'Read-Only': false
    }
    if (message === null) {
      const messageId = tagOf(assignment.tags, 'Message') ?? ''
      const excluded = assignment.tags.filter(({ name }) => name === 'Exclude').map(({ value }) => value)
      const item = transactions.find(({ id }) => id === messageId)
      if (item === undefined) throw new Error(`no transaction ${messageId}`)
      return { ...place, messageId, isAssignment: true, message: { ...onChain(item, excluded), ...assigned } }
    }
    const target = tagOf(assignment.tags, 'Process') ?? process.process_id
    const owner = ownerAddress(message.owner)
    const forwarded = tagOf(message.tags, 'From-Process')
    const read = {
      Id: message.id,
      Signature: message.signature,
      ...(message.data === undefined ? {} : { Data: message.data }),
      Owner: owner,
      Target: target,
      Anchor: message.anchor,
      From: forwarded === undefined || forwarded === '' ? owner : forwarded,
      ...(forwarded === undefined ? {} : { 'Forwarded-By': owner }),
      Tags: handed(message.tags),
      ...assigned
    }
    // The CU's own hash leaves out up to 18 bytes (§2.6), but no two pushes of these tests differ only in them.
    const content = JSON.stringify([target, message.anchor ?? '', plain(message.tags), message.data ?? ''])
    return {
      ...place,
      messageId: message.id,
      isAssignment: false,
      ...(forwarded === undefined ? {} : { pushed: content }),
      message: read
    }
  })
}

/** hydrateMessages.js, loadFromChainWith. */
function onChain(item: FakeTransaction, excluded: readonly string[]): Message {
  const owner = ownerAddress(item.owner)
  const tags = excluded.includes('Tags') ? [] : item.tags
  const from = tagOf(tags, 'From-Process')
  return {
    Id: item.id,
    ...(excluded.includes('Signature') ? {} : { Signature: item.signature }),
    ...(excluded.includes('Data') ? {} : { Data: Buffer.from(item.data ?? '', 'base64').toString() }),
    Owner: owner,
    Target: item.target,
    ...(excluded.includes('Anchor') ? {} : { Anchor: item.anchor }),
    From: from === undefined || from === '' ? owner : from,
    Tags: handed(tags)
  }
}

export function cronMessage(process: World['process'], tags: readonly Tag[], timestamp: number, height: number): Message {
  const owner = ownerAddress((process as unknown as FakeItem).owner)
  return {
    Owner: owner,
    Target: process.process_id,
    From: owner,
    Tags: handed(tags),
    Timestamp: timestamp,
    'Block-Height': height,
    Cron: true,
    'Read-Only': false
  }
}

/** The second argument of `handle`, with unfiltered tags. */
export function environmentOf(world: World): Message {
  const subject = (id: string, { owner, tags }: Pick<FakeItem, 'owner' | 'tags'>) => ({
    Id: id,
    Owner: ownerAddress(owner),
    Tags: plain(tags)
  })
  return {
    Process: subject(world.process.process_id, world.process as unknown as FakeItem),
    Module: subject(world.moduleId, moduleOf(world))
  }
}

/** The loader's options (loadModule.js, setModuleOptionsWith) for modules and processes without special limits. */
export function loaderOptions(world: World): Readonly<Record<string, unknown>> {
  const { Process, Module } = environmentOf(world) as { Process: Message; Module: Message }
  const tags = moduleOf(world).tags
  return {
    format: tagOf(tags, 'Module-Format'),
    inputEncoding: tagOf(tags, 'Input-Encoding'),
    outputEncoding: tagOf(tags, 'Output-Encoding'),
    memoryLimit: 17_179_869_184,
    computeLimit: Number(tagOf(tags, 'Compute-Limit') ?? 9e12),
    extensions: {},
    mode: 'Assignments',
    spawn: { id: Process['Id'], owner: Process['Owner'], tags: Process['Tags'] },
    module: { id: Module['Id'], owner: Module['Owner'], tags: Module['Tags'] },
    blockHeight: 100
  }
}

export function moduleOf({ transactions, moduleId }: World): FakeTransaction {
  const module = transactions.find(({ id }) => id === moduleId)
  if (module === undefined) throw new Error('no module')
  return module
}
