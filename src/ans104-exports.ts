/** `ao-audit/ans104`: data items and bundles, their ids and signatures. Pure functions over bytes; nothing of AO. */
export { decodeTags, type EncodableTag, encodeTags, type TagLimits } from './ans104/avro-tags.ts'
export { type BundleItem, type BundleLimits, parseBundle } from './ans104/bundle.ts'
export { decodeBase64url, encodeBase64url, type Parsed } from './ans104/bytes.ts'
export {
  addressOfKey,
  type DataItem,
  encodeDataItem,
  type ItemHeader,
  idOfSignature,
  parseDataItem,
  verifyDataItem,
  verifyItem
} from './ans104/data-item.ts'
export { type DeepHashInput, deepHash } from './ans104/deep-hash.ts'
export { createItemStream, type ItemStream } from './ans104/item-stream.ts'
export { SIGNATURE_TYPES, type SignatureLayout, verifySignature } from './ans104/signature.ts'
export type { HiddenPart, SignatureStatus } from './ans104/signature-status.ts'
export { dataRoot, verifyTransaction } from './ans104/transaction.ts'
export type { Address, TransactionId } from './model/ids.ts'
export type { Tag, TransactionHeader } from './model/records.ts'
