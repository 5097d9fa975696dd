/** Verifies an item that arrives in pieces: the header is kept, the data is only hashed. */
import type { TransactionId } from '../model/ids.ts'
import { READ_TAG_LIMITS, type TagLimits } from './avro-tags.ts'
import { ByteReader } from './bytes.ts'
import { type ItemHeader, isIdOf, readItemHeader, signedMessage } from './data-item.ts'
import { type BlobHasher, createBlobHasher } from './deep-hash.ts'
import { verifySignature } from './signature.ts'
import { invalid, type SignatureStatus } from './signature-status.ts'

export interface ItemStream {
  /**
   * Takes the next bytes. Once the item is known to be malformed, further bytes are dropped.
   *
   * @returns false if the item is malformed and the rest need not be read
   */
  write(chunk: Uint8Array): boolean
  /** The header, as soon as it is complete. Only `end` proves it. */
  header(): ItemHeader | undefined
  /** Ends the item and judges it. */
  end(): SignatureStatus
}

/**
 * Verifies one item while it is read. It keeps the header (at most `limits.maxBytes` of tags and about 3 kB more) but no data.
 *
 * @param id the id under which the item was requested, if known
 * @example
 * ```ts
 * const stream = createItemStream(id)
 * for await (const chunk of body) if (!stream.write(chunk)) break
 * const verdict = stream.end()
 * ```
 */
export function createItemStream(id?: TransactionId, limits: TagLimits = READ_TAG_LIMITS): ItemStream {
  let begun: Uint8Array[] = []
  let begunBytes = 0
  let neededBytes = 0
  let malformed: string | undefined
  /** Why the bytes so far are no header. */
  let incomplete = ''
  let header: ItemHeader | undefined
  let data: BlobHasher | undefined

  /** Called again only after the missing bytes have arrived. */
  function readHeader(): void {
    const bytes = Buffer.concat(begun)
    const reader = new ByteReader(bytes)
    const parsed = readItemHeader(reader, limits)
    begun = [bytes]
    neededBytes = reader.neededBytes
    if (!parsed.ok) {
      incomplete = parsed.reason
      if (neededBytes === 0) malformed = parsed.reason
      return
    }
    header = parsed.value
    data = createBlobHasher()
    data.update(reader.rest())
    begun = []
  }

  return {
    write(chunk) {
      if (data !== undefined) data.update(chunk)
      else if (malformed === undefined) {
        begun.push(chunk)
        begunBytes += chunk.length
        if (begunBytes >= neededBytes) readHeader()
      }
      return malformed === undefined
    },
    header: () => header,
    end() {
      // The rest of a header never came: the reason is that of all bytes in one piece.
      if (header === undefined && malformed === undefined) readHeader()
      if (header === undefined || data === undefined) return invalid(malformed ?? incomplete)
      if (id !== undefined && !isIdOf(id, header.signature)) return invalid('the id does not match the signature')
      return verifySignature(header.signatureType, header.owner, signedMessage(header, data.digest()), header.signature)
    }
  }
}
