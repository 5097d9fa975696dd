/** The WeaveDrive files of a process: from the store, or from gateways and then stored, so that an archive holds them. */

import type { GatewaySource } from '../fetch/unit-sources.ts'
import type { DriveAttestation, DriveFile } from '../inputs/drive-inputs.ts'
import type { Inputs } from '../inputs/inputs.ts'
import { AuditError } from '../model/errors.ts'
import type { Address, TransactionId } from '../model/ids.ts'
import {
  type AttestationType,
  type BlobRef,
  type ModuleItem,
  type ProcessItem,
  type TransactionRecord,
  tagValue
} from '../model/records.ts'
import { admissionOf } from '../replay/drive/admission.ts'
import type { DriveAnswer, DriveQuestion, DriveSource } from '../replay/drive/source.ts'
import type { Store } from '../store/store.ts'
import { defined } from '../util/defined.ts'
import { proveRawItem } from '../verify/message-item.ts'
import { proveItem } from '../verify/raw-item.ts'
import type { Checked } from '../verify/signed.ts'

export interface DriveFilesOptions {
  readonly store: Store
  readonly inputs: Inputs
  readonly process: Checked<ProcessItem>
  readonly module: Checked<ModuleItem>
  /** Where to ask for files that the store does not hold; without it, nobody is asked. */
  readonly gateway?: GatewaySource
  readonly limits?: DriveLimits
}

export interface DriveLimits {
  readonly fileBytes: number
  /** All files of one audit. */
  readonly totalBytes: number
  readonly files: number
}

const DEFAULT_LIMITS: DriveLimits = { fileBytes: 256 * 1024 * 1024, totalBytes: 2 * 1024 ** 3, files: 10_000 }
/** A header, or the block of a node. */
const HEADER_MAX_BYTES = 16 * 1024 * 1024
/** The attestation in the lowest block counts; gateways put items without a block anywhere in the order. */
const ATTESTATIONS_ASKED = 20
const MANIFEST = 'application/x.arweave-manifest+json'

/** The reason why a requested file cannot be served. */
class DriveRefusal extends Error {
  readonly missing: boolean

  constructor(reason: string, missing = false) {
    super(reason)
    this.missing = missing
  }
}

/**
 * Serves files as the CU's WeaveDrive does: `/data/<id>` if the process may read it, `/tx/<id>`, `/block/<height>`.
 *
 * Only the data of an item with a valid signature, which the process certainly may read, is served without a doubt (`assumed`):
 * nobody can tell when an attestation reached the CU's gateway, and headers and blocks are a gateway's own JSON.
 */
export function createDriveFiles(options: DriveFilesOptions): DriveSource {
  const { store, limits = DEFAULT_LIMITS } = options
  const answers = new Map<string, Promise<DriveAnswer>>()
  const served = new Map<string, number>()

  async function answer(question: DriveQuestion): Promise<DriveAnswer> {
    try {
      const { ref, assumed } = await (question.kind === 'data' ? dataFile(options, question) : headerFile(options, question))
      served.set(`${question.kind}/${question.id}`, ref.bytes)
      const totalBytes = [...served.values()].reduce((sum, bytes) => sum + bytes, 0)
      if (ref.bytes > limits.fileBytes)
        throw new DriveRefusal(`it has ${ref.bytes} bytes, more than the auditor's limit of ${limits.fileBytes}`)
      if (served.size > limits.files || totalBytes > limits.totalBytes) {
        throw new DriveRefusal(
          `all files together exceed the auditor's limits of ${limits.files} files and ${limits.totalBytes} bytes`
        )
      }
      return { kind: 'file', path: store.blobPath(ref), bytes: ref.bytes, ...defined({ assumed }) }
    } catch (error) {
      if (error instanceof DriveRefusal)
        return { kind: 'refused', reason: error.message, ...(error.missing ? { missing: true } : {}) }
      if (!(error instanceof AuditError) || error.code === 'INTERRUPTED' || error.code.startsWith('STORE')) throw error
      const missing = error.code === 'ANSWER_TOO_LARGE' ? {} : { missing: true as const }
      return { kind: 'refused', reason: error.message, ...missing }
    }
  }

  return {
    ask(question) {
      const { kind, id, blockHeight } = question
      const key = kind === 'data' ? `${kind}/${id}/${blockHeight}` : `${kind}/${id}`
      const known = answers.get(key) ?? answer(question)
      answers.set(key, known)
      return known
    }
  }
}

interface FoundFile {
  readonly ref: BlobRef
  /** Why the CU may have seen something else. */
  readonly assumed?: string
}

async function dataFile(options: DriveFilesOptions, question: DriveQuestion): Promise<FoundFile> {
  const id = question.id as TransactionId
  const admitted = await admit(options, id, question.blockHeight)
  const { record, data, ref } = await itemOf(options, id)
  if (tagValue(record.tags, 'Content-Type')?.trim().toLowerCase().startsWith(MANIFEST) === true) {
    throw new DriveRefusal('it is a manifest, and under its id gateways serve the file that it names')
  }
  await options.inputs.drive.putFile(options.process.id, { kind: 'data', id })
  const { verdict } = proveItem({ record, data })
  const unproven = verdict.status === 'valid' ? undefined : `the file /data/${id} is not proven: ${verdict.reason}`
  const assumed = admitted ?? unproven
  return { ref, ...defined({ assumed }) }
}

/** @returns the assumption under which the process may read the file; undefined if it certainly may */
async function admit(options: DriveFilesOptions, id: TransactionId, blockHeight: number): Promise<string | undefined> {
  const admission = admissionOf(options, id)
  if (admission.kind === 'open') return undefined
  if (admission.kind === 'closed')
    throw new DriveRefusal(`the process may not read it (${admission.reason}), and then no unit has a result`)
  for (const type of admission.types) {
    const found = await attestationOf(options, type, id, admission.owners)
    if (found === undefined || found.blockHeight > blockHeight) continue
    return `nothing proves that the unit found the attestation ${found.item} of /data/${id} in time`
  }
  const who = options.gateway === undefined ? 'the store holds' : 'gateways know'
  throw new DriveRefusal(`${who} no attestation up to block ${blockHeight} that lets the process read it`, true)
}

async function attestationOf(
  { inputs, process, gateway }: DriveFilesOptions,
  type: AttestationType,
  id: TransactionId,
  owners: readonly string[]
): Promise<DriveAttestation | undefined> {
  const kept = await inputs.drive.attestation(process.id, type, id)
  if (kept !== undefined || gateway === undefined || owners.length === 0) return kept
  const tags =
    type === 'Attestation'
      ? { Type: type, Message: id, 'Data-Protocol': 'ao' }
      : { Type: type, ID: id, 'Data-Protocol': 'WeaveDrive' }
  const found = await gateway.transactions({
    owners: owners as readonly Address[],
    tags: Object.entries(tags).map(([name, value]) => ({ name, values: [value] })),
    limit: ATTESTATIONS_ASKED,
    sort: 'HEIGHT_ASC'
  })
  let first: DriveAttestation | undefined
  for (const { id: item, owner, blockHeight, gateway: url } of found) {
    if (blockHeight === null || !owners.includes(owner.address)) continue
    if (first === undefined || blockHeight < first.blockHeight) first = { type, id, item, blockHeight, gateway: url }
  }
  if (first !== undefined) await inputs.drive.putAttestation(process.id, first)
  return first
}

interface Item {
  readonly record: TransactionRecord
  readonly data: Uint8Array
  readonly ref: BlobRef
}

async function itemOf({ inputs, gateway, limits = DEFAULT_LIMITS }: DriveFilesOptions, id: TransactionId): Promise<Item> {
  const kept = await inputs.items.transaction(id)
  const keptData = kept === undefined ? undefined : await inputs.items.data(kept)
  if (kept?.data !== undefined && keptData !== undefined) return { record: kept, data: keptData, ref: kept.data }
  if (gateway === undefined) throw new DriveRefusal('the store does not hold it', true)
  const record = kept ?? (await gateway.transactions({ ids: [id], limit: 1 }))[0]
  const raw = record === undefined ? undefined : await gateway.raw(id, limits.fileBytes)
  if (record === undefined || raw === undefined) throw new DriveRefusal(nobodyHasIt(gateway), true)
  const proven = proveRawItem(record, raw.bytes).verdict.status === 'valid'
  const onChain = proven ? undefined : await gateway.header(id)
  const whole = await inputs.items.putTransaction(onChain === undefined ? record : { ...record, onChain }, raw.bytes)
  if (whole.data === undefined) throw new DriveRefusal('the store did not keep it', true)
  return { record: whole, data: raw.bytes, ref: whole.data }
}

async function headerFile(options: DriveFilesOptions, { kind, id }: DriveQuestion): Promise<FoundFile> {
  const { inputs, store, process, gateway } = options
  const kept = await inputs.drive.file(process.id, kind, id)
  const keptRef = kept?.kind === 'data' ? undefined : kept?.content
  const held = keptRef !== undefined && (await store.getBlob(keptRef)) !== undefined
  const assumed = `the file /${kind}/${id} is a gateway's own JSON, which nobody signed`
  if (keptRef !== undefined && held) return { ref: keptRef, assumed }
  if (gateway === undefined) throw new DriveRefusal('the store does not hold it', true)
  const served = await (kind === 'block'
    ? gateway.blockBytes(id, HEADER_MAX_BYTES)
    : gateway.headerBytes(id as TransactionId, HEADER_MAX_BYTES))
  if (served === undefined) throw new DriveRefusal(nobodyHasIt(gateway), true)
  const content = await store.putBlob(
    kind === 'block' ? new TextEncoder().encode(textOf(served.bytes)) : await withAddress(served.bytes)
  )
  const file: DriveFile = { kind: kind === 'block' ? 'block' : 'tx', id, content, gateway: served.gateway }
  await inputs.drive.putFile(process.id, file)
  return { ref: content, assumed }
}

function nobodyHasIt(gateway: GatewaySource): string {
  const [unheard] = gateway.unheard()
  return unheard === undefined ? 'no gateway has it' : `no gateway that answered has it (${unheard.message})`
}

/** A transaction's JSON as WeaveDrive shows it: the gateway's fields, then the owner's address (`createTxHeader`). */
async function withAddress(bytes: Uint8Array): Promise<Uint8Array> {
  let header: unknown
  try {
    header = JSON.parse(textOf(bytes))
  } catch {
    throw new DriveRefusal("the gateway's header of it is not JSON")
  }
  const owner = typeof header === 'object' && header !== null ? (header as { owner?: unknown }).owner : undefined
  if (typeof owner !== 'string') throw new DriveRefusal("the gateway's header of it names no owner")
  const shown = { ...(header as object), ownerAddress: await addressOf(owner) }
  return new TextEncoder().encode(JSON.stringify(shown))
}

/**
 * Uses the same package as WeaveDrive, so that an owner that is not base64url gets the address that a Compute Unit shows. The
 * package is loaded with the first header.
 */
async function addressOf(owner: string): Promise<string> {
  const { default: Arweave } = await import('arweave')
  try {
    return await Arweave.init({}).wallets.ownerToAddress(owner)
  } catch {
    throw new DriveRefusal("the gateway's header of it names no owner")
  }
}

/** Decodes like `Response.text()`: without a byte order mark, with U+FFFD for bytes that are not UTF-8. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
