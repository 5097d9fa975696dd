import { fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuditError } from '../../src/errors.ts'
import { defaultStoreDirectory } from '../../src/store/default-directory.ts'
import { decodeKey, encodeKey, rangeOf } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/level-store.ts'
import type { RecordKey, Store } from '../../src/store/store.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-store-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(folder)
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

async function listed(store: Store, prefix: RecordKey, range?: { from?: string | number; to?: string | number }) {
  const found: [RecordKey, unknown][] = []
  for await (const [key, value] of store.list(prefix, range)) found.push([key, value])
  return found
}

const part = fc.oneof(fc.nat(), fc.string(), fc.constantFrom('\u0000', '\u0001', 'a\u0000b', '\u0001\u0001'))
const key = fc.array(part, { minLength: 1, maxLength: 4 })

describe('keys', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(key, (one) => {
        expect(decodeKey(encodeKey(one))).toEqual(one)
      })
    )
  })

  it('lie in the range of every prefix of theirs, and of no other of the same length', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const { gte, lt } = rangeOf(other)
        const text = encodeKey(one)
        const below = other.length <= one.length && other.every((member, place) => one[place] === member)
        expect(text >= gte && text < lt).toBe(below)
      })
    )
  })

  it('order numbers as numbers', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (one, other) => {
        expect(encodeKey(['a', one]) < encodeKey(['a', other])).toBe(one < other)
      })
    )
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuse %d', (number) => {
    expect(() => encodeKey([number])).toThrow(RangeError)
  })
})

describe('the store', () => {
  it('keeps records, lists them in order within a range, and deletes', async () => {
    await withStore(async (store) => {
      await store.put([10, 9, 100].map((nonce) => [['s', 'p', nonce], { nonce }] as const))
      await store.put([[['s', 'q', 1], { nonce: 1 }]])
      expect(await listed(store, ['s', 'p'])).toEqual([9, 10, 100].map((nonce) => [['s', 'p', nonce], { nonce }]))
      expect(await listed(store, ['s', 'p'], { from: 10, to: 100 })).toHaveLength(2)
      expect(await listed(store, ['s', 'p'], { to: 9 })).toHaveLength(1)
      await store.put([[['s', 'p', 9], undefined]])
      expect(await store.get(['s', 'p', 9])).toBeUndefined()
    })
    await withStore(async (store) => expect(await store.get(['s', 'p', 100])).toEqual({ nonce: 100 }))
  })

  it('keeps a key __proto__ as data', async () => {
    await withStore(async (store) => {
      const value = JSON.parse('{"__proto__":{"a":1}}') as object
      await store.put([[['x', '__proto__'], value]])
      expect(JSON.stringify(await store.get(['x', '__proto__']))).toBe('{"__proto__":{"a":1}}')
    })
  })

  it('keeps bytes under their hash, and takes a spoilt file for missing', async () => {
    await withStore(async (store) => {
      const ref = await store.putBlob(Buffer.from('abc'))
      expect(ref).toEqual({ sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', bytes: 3 })
      expect(Buffer.from((await store.getBlob(ref)) ?? []).toString()).toBe('abc')
      writeFileSync(store.blobPath(ref), 'abd')
      expect(await store.getBlob(ref)).toBeUndefined()
      expect(existsSync(store.blobPath(ref))).toBe(false)
    })
  })

  it('is held by one process at a time', async () => {
    await withStore(async () => {
      const second = openStore(folder)
      await expect(second).rejects.toBeInstanceOf(AuditError)
      await expect(second).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    })
  })

  it('says so where it cannot be made', async () => {
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    await expect(openStore(path.join(file, 'store'))).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  })

  it('has what was put before its process was killed', async () => {
    const child = fork(path.resolve('test/store/writer.mjs'), [folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const last = await new Promise<number>((resolve, reject) => {
      let told = 0
      child.on('message', (count: number) => {
        told = count
        if (count >= 20) child.kill('SIGKILL')
      })
      child.on('exit', (_code, signal) => (signal === 'SIGKILL' ? resolve(told) : reject(new Error('it ended by itself'))))
    })
    await withStore(async (store) => {
      const kept = await listed(store, ['n'])
      expect(kept.length).toBeGreaterThanOrEqual(last)
      expect(kept.map(([, value]) => value)).toEqual(kept.map((_, place) => place + 1))
    })
  })
})

describe('defaultStoreDirectory', () => {
  it.each([
    [{ XDG_CACHE_HOME: '/c' }, 'linux', '/c/ao-audit'],
    [{ XDG_CACHE_HOME: 'relative' }, 'linux', '/home/u/.cache/ao-audit'],
    [{}, 'darwin', '/home/u/Library/Caches/ao-audit']
  ])('%j on %s is %s', (env, platform, expected) => {
    expect(defaultStoreDirectory(env, platform, '/home/u')).toBe(expected)
  })
})
