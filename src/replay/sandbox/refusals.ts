/** Replaces the host features that modules could reach through the loader's glue: randomness, programs, standard input. */
import { createHash } from 'node:crypto'
import type { UnstatedInput } from '../../model/records.ts'

const STANDARD_INPUT = 0

/** The running instance, as these replacements see it. */
export interface Asking {
  /** Bytes of randomness that it received so far. */
  randomBytes: number
  note(kind: UnstatedInput['kind'], name?: string): void
}

/**
 * Replaces these features for every instance.
 *
 * @param require the loader's `require`
 * @param asking returns the running instance
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

  // The loader reads only standard input through this function, and a CU's thread has none.
  const fs = require('node:fs') as { readSync: (file: number, ...rest: readonly unknown[]) => number }
  const { readSync } = fs
  fs.readSync = (file, ...rest) => {
    if (file !== STANDARD_INPUT) return readSync(file, ...rest)
    asking()?.note('files')
    throw new Error('there is no standard input')
  }
}
