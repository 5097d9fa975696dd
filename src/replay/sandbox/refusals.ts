/** What modules could reach of the host through the loader's glue, answered by us: randomness, programs, standard input. */
import { createHash } from 'node:crypto'
import type { UnstatedInput } from '../../model/records.ts'

const STANDARD_INPUT = 0

/** Of the instance that runs. */
export interface Asking {
  /** Bytes of randomness given so far. */
  randomBytes: number
  note(kind: UnstatedInput['kind'], name?: string): void
}

/**
 * Takes them over, for every instance.
 *
 * @param require the one that the loader has
 * @param asking the instance that runs
 */
export function takeOverGlobals(require: NodeJS.Require, asking: () => Asking | undefined): void {
  const fill = (view: NodeJS.ArrayBufferView) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    const host = asking()
    host?.note('randomness')
    for (let at = 0; at < bytes.byteLength; at += 32) {
      const block = createHash('sha256')
        .update(`randomness ${host?.randomBytes ?? 0} ${at}`)
        .digest()
      bytes.set(block.subarray(0, Math.min(32, bytes.byteLength - at)), at)
    }
    if (host !== undefined) host.randomBytes += bytes.byteLength
    return view
  }
  const crypto = require('node:crypto') as Record<string, unknown>
  crypto['randomFillSync'] = fill
  Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: fill, configurable: true })

  const childProcess = require('node:child_process') as Record<string, unknown>
  childProcess['spawnSync'] = () => {
    asking()?.note('unknown-import', 'system')
    return { status: 127, signal: null }
  }

  // Standard input alone is the loader's to read; a CU's thread has none.
  const fs = require('node:fs') as { readSync: (file: number, ...rest: readonly unknown[]) => number }
  const { readSync } = fs
  fs.readSync = (file, ...rest) => {
    if (file !== STANDARD_INPUT) return readSync(file, ...rest)
    asking()?.note('files')
    throw new Error('there is no standard input')
  }
}
