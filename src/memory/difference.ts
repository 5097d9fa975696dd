/** Finds the differences between two memories. */
import type { MemoryLayout } from '../model/records.ts'
import { asBuffer, environmentBlock } from './environment.ts'

/** The region of an address: `data` is below the stack and holds the module's constants and variables. */
export type MemoryPlace = 'environment' | 'data' | 'stack' | 'heap' | 'unknown'

export interface MemoryDifference {
  readonly bytesA: number
  readonly bytesB: number
  /** Pages of 4 KiB in which a byte differs, within the length that both memories share. */
  readonly differingPages: number
  /** Within the length that both memories share. */
  readonly differingBytes: number
  /** From the lowest address on. */
  readonly ranges: readonly MemoryRange[]
  /** The number of further ranges that `ranges` leaves out. */
  readonly cut: number
}

/** Bytes that differ, with at most 16 equal bytes ({@link RANGE_GAP}) between two of them. */
export interface MemoryRange {
  /** The first byte that differs. */
  readonly offset: number
  /** In bytes, from the first to the last that differs. */
  readonly length: number
  /** The region of the range, if known. */
  readonly place: MemoryPlace
  /** The first byte that is shown. */
  readonly shownFrom: number
  readonly a: ShownBytes
  readonly b: ShownBytes
}

export interface ShownBytes {
  readonly hex: string
  /** Printable ASCII as it is, a dot for each other byte. */
  readonly text: string
}

export interface MemoryDifferenceOptions {
  /** The most ranges to list. */
  readonly maxRanges?: number
  /** Equal bytes to show before and after a range. */
  readonly contextBytes?: number
  readonly layout?: MemoryLayout
}

const BLOCK_BYTES = 256 * 1024
const PAGE_BYTES = 4096
export const RANGE_GAP = 16
/** Of a longer range only this many bytes are shown. */
export const MAX_SHOWN_BYTES = 64

/**
 * Compares two memories: first by blocks, then by pages, and bytes only in pages that differ.
 *
 * Only `bytesA` and `bytesB` show that one memory is longer than the other.
 *
 * @param a the claimed memory, for example that of a checkpoint
 * @param b the replayed one
 */
export function memoryDifference(a: Uint8Array, b: Uint8Array, options: MemoryDifferenceOptions = {}): MemoryDifference {
  const { maxRanges = 16, contextBytes = 16, layout = {} } = options
  const left = asBuffer(a)
  const right = asBuffer(b)
  const common = Math.min(left.length, right.length)
  const found: { offset: number; end: number }[] = []
  let last: { offset: number; end: number } | undefined
  let ranges = 0
  let differingPages = 0
  let differingBytes = 0
  for (const block of differing(left, right, 0, common, BLOCK_BYTES)) {
    for (const page of differing(left, right, block, Math.min(block + BLOCK_BYTES, common), PAGE_BYTES)) {
      differingPages++
      const end = Math.min(page + PAGE_BYTES, common)
      for (let at = page; at < end; at++) {
        if (left[at] === right[at]) continue
        differingBytes++
        if (last === undefined || at - last.end > RANGE_GAP) {
          last = { offset: at, end: at + 1 }
          ranges++
          if (found.length < maxRanges) found.push(last)
        } else last.end = at + 1
      }
    }
  }
  const places = found.length === 0 ? [] : [environmentBlock(left), environmentBlock(right)]
  return {
    bytesA: left.length,
    bytesB: right.length,
    differingPages,
    differingBytes,
    ranges: found.map(({ offset, end }) => {
      const shownFrom = Math.max(0, offset - contextBytes)
      const shownTo = Math.min(end, offset + MAX_SHOWN_BYTES) + contextBytes
      const inEnvironment = places.some((block) => block && offset < block.offset + block.length && end > block.offset)
      return {
        offset,
        length: end - offset,
        place: inEnvironment ? 'environment' : placeOf(offset, end, layout),
        shownFrom,
        a: shown(left.subarray(shownFrom, shownTo)),
        b: shown(right.subarray(shownFrom, shownTo))
      }
    }),
    cut: ranges - found.length
  }
}

/** The addresses of the pieces of `size` bytes that differ, between two addresses. */
function* differing(left: Buffer, right: Buffer, from: number, to: number, size: number): Generator<number> {
  for (let at = from; at < to; at += size) {
    const end = Math.min(at + size, to)
    if (left.compare(right, at, end, at, end) !== 0) yield at
  }
}

/** The region of a range that lies completely within one. */
function placeOf(offset: number, end: number, { stack, heapFrom }: MemoryLayout): MemoryPlace {
  if (heapFrom !== undefined && offset >= heapFrom) return 'heap'
  if (stack === undefined) return 'unknown'
  if (offset >= stack.from && end <= stack.to) return 'stack'
  // If the stack comes first, nothing is below it.
  return end <= stack.from && heapFrom === stack.to ? 'data' : 'unknown'
}

function shown(bytes: Buffer): ShownBytes {
  return { hex: bytes.toString('hex'), text: bytes.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.') }
}
