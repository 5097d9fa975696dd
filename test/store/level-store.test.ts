import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Level } from 'level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuditError } from '../../src/model/errors.ts'
import type { BlobRef } from '../../src/model/records.ts'
import { encodeKey } from '../../src/store/keys.ts'
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

async function textOf(store: Store, ref: BlobRef): Promise<string | undefined> {
  const bytes = await store.getBlob(ref)
  return bytes === undefined ? undefined : Buffer.from(bytes).toString()
}

/** The error of a refused operation, which must be the project's own, with one line and a hint of one line. */
async function refusal(work: Promise<unknown>): Promise<AuditError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  if (!(error instanceof AuditError)) throw new Error('no AuditError', { cause: error })
  expect(error.message).not.toContain('\n')
  expect(error.hint).toMatch(/^[^\n]*--store DIR$/)
  return error
}

describe('records', () => {
  it('are listed in order within a range, and deleted by the value undefined', async () => {
    await withStore(async (store) => {
      await store.put([10, 9, 100].map((nonce) => [['s', 'p', nonce], { nonce }] as const))
      await store.put([[['s', 'q', 1], { nonce: 1 }]])
      expect(await listed(store, ['s', 'p'])).toEqual([9, 10, 100].map((nonce) => [['s', 'p', nonce], { nonce }]))
      expect((await listed(store, ['s', 'p'], { from: 10, to: 100 })).map(([key]) => key[2])).toEqual([10, 100])
      expect((await listed(store, ['s', 'p'], { to: 9 })).map(([key]) => key[2])).toEqual([9])
      await store.put([[['s', 'p', 9], undefined]])
      expect(await store.get(['s', 'p', 9])).toBeUndefined()
    })
    await withStore(async (store) => expect(await store.get(['s', 'p', 100])).toEqual({ nonce: 100 }))
  })

  it('stay separate if their keys differ only in lone surrogates', async () => {
    await withStore(async (store) => {
      await store.put([
        [['x', '\ud800'], 1],
        [['x', '\ud801'], 2],
        [['x', '\ufffd'], 3]
      ])
      expect(await store.get(['x', '\ud800'])).toBe(1)
      expect(await listed(store, ['x'])).toHaveLength(3)
    })
  })

  it('may be null, false, 0 or an empty string', async () => {
    const values = [null, false, 0, '']
    await withStore(async (store) => {
      await store.put(values.map((value, place) => [['x', place], value] as const))
      expect((await listed(store, ['x'])).map(([, value]) => value)).toEqual(values)
      expect(await store.get(['x', 0])).toBeNull()
    })
  })

  it('keep the key __proto__ as data', async () => {
    await withStore(async (store) => {
      const value = JSON.parse('{"__proto__":{"a":1}}') as object
      await store.put([[['x', '__proto__'], value]])
      const found = await store.get<object>(['x', '__proto__'])
      expect(JSON.stringify(found)).toBe('{"__proto__":{"a":1}}')
      expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
    })
  })

  it('are refused with their whole batch if one nests too deeply to be written', async () => {
    const deep: unknown = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)
    await withStore(async (store) => {
      const putting = store.put([
        [['x', 1], 1],
        [['x', 2], deep]
      ])
      expect((await refusal(putting)).code).toBe('STORE_UNUSABLE')
      expect(await listed(store, ['x'])).toEqual([])
    })
  })

  it('are reported with the name of the store if they are corrupt', async () => {
    await withStore(() => Promise.resolve())
    const raw = new Level<string, string>(path.join(folder, 'records'))
    await raw.put(encodeKey(['x', 1]), '{"cut":')
    await raw.close()
    await withStore(async (store) => {
      for (const read of [() => store.get(['x', 1]), () => listed(store, ['x'])]) {
        expect(await refusal(read())).toMatchObject({ code: 'STORE_UNUSABLE', message: `the store ${folder} cannot be read` })
      }
    })
  })
})

describe('blobs', () => {
  const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' as BlobRef['sha256']

  it('are stored under their hash, whether they come as bytes or as a stream', async () => {
    async function* chunks() {
      for (const one of 'abc') yield await Promise.resolve(Buffer.from(one))
    }
    await withStore(async (store) => {
      const ref = await store.putBlob(chunks())
      expect(ref).toEqual({ sha256: ABC, bytes: 3 })
      expect(store.blobPath(ref)).toBe(path.join(folder, 'blobs/ba', ABC))
      expect(await textOf(store, ref)).toBe('abc')
      const { ino } = statSync(store.blobPath(ref))
      expect(await store.putBlob(Buffer.from('abc'))).toEqual(ref)
      expect(statSync(store.blobPath(ref)).ino).toBe(ino)
    })
  })

  it('count as missing if they are corrupt, and can be stored again', async () => {
    await withStore(async (store) => {
      const ref = await store.putBlob(Buffer.from('abc'))
      writeFileSync(store.blobPath(ref), 'abd')
      expect(await store.getBlob(ref)).toBeUndefined()
      expect(existsSync(store.blobPath(ref))).toBe(false)
      await store.putBlob(Buffer.from('abc'))
      expect(await textOf(store, ref)).toBe('abc')
      // It has the right length, and nobody has read it yet.
      writeFileSync(store.blobPath(ref), 'abd')
      await store.putBlob(Buffer.from('abc'))
      expect(await textOf(store, ref)).toBe('abc')
    })
  })

  it('are not found with another length, or with a name that is no hash', async () => {
    await withStore(async (store) => {
      const ref = await store.putBlob(Buffer.from('abc'))
      expect(await store.getBlob({ ...ref, bytes: 4 })).toBeUndefined()
      expect(await textOf(store, ref)).toBe('abc')
      const climbing = { sha256: '../../../../etc/hostname' as BlobRef['sha256'], bytes: 1 }
      expect(await store.getBlob(climbing)).toBeUndefined()
      expect(() => store.blobPath(climbing)).toThrow(AuditError)
    })
  })

  it('leave no file if their stream fails, and remove files of a killed process', async () => {
    mkdirSync(path.join(folder, 'partial'))
    writeFileSync(path.join(folder, 'partial/left'), 'half')
    await withStore(async (store) => {
      async function* broken() {
        yield await Promise.resolve(Buffer.from('half'))
        throw new Error('the source broke')
      }
      await expect(store.putBlob(broken())).rejects.toThrow('the source broke')
      expect(readdirSync(path.join(folder, 'partial'))).toEqual([])
      expect(readdirSync(path.join(folder, 'blobs'))).toEqual([])
    })
  })

  it('are reported as an error of the store if they cannot be written', async () => {
    await withStore(async (store) => {
      writeFileSync(path.join(folder, 'blobs/ba'), 'a file where a folder should be')
      const found = await refusal(store.putBlob(Buffer.from('abc')))
      expect(found.code).toBe('STORE_UNUSABLE')
      expect(readdirSync(path.join(folder, 'partial'))).toEqual([])
    })
  })
})

describe('a store that cannot be opened', () => {
  it.each([
    ['is a file', (at: string) => writeFileSync(at, '')],
    ['lies below a file', (at: string) => writeFileSync(path.dirname(at), '')],
    [
      'has corrupt records',
      (at: string) => {
        mkdirSync(path.join(at, 'records'), { recursive: true })
        writeFileSync(path.join(at, 'records/CURRENT'), 'MANIFEST-000009\n')
      }
    ]
  ])('gives an error of the store, because it %s', async (_what, prepare) => {
    const at = path.join(folder, 'a/store')
    if (_what !== 'lies below a file') mkdirSync(path.dirname(at))
    prepare(at)
    expect(await refusal(openStore(at))).toMatchObject({ code: 'STORE_UNUSABLE', message: `the store ${at} cannot be opened` })
  })

  it('gives an error if its blobs cannot be opened, and is not locked afterwards', async () => {
    writeFileSync(path.join(folder, 'blobs'), '')
    expect((await refusal(openStore(folder))).code).toBe('STORE_UNUSABLE')
    rmSync(path.join(folder, 'blobs'))
    await withStore((store) => store.put([[['x'], 1]]))
  })

  it('gives an error if this process already has it open', async () => {
    await withStore(async () => expect((await refusal(openStore(folder))).code).toBe('STORE_LOCKED'))
  })
})

describe('two processes', () => {
  const children: ChildProcess[] = []
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  /** Kills the child as soon as it has sent `count` messages; it sends more until it is dead. */
  async function killedAfter(
    what: 'hold' | 'records' | 'blobs',
    count: number,
    before?: () => Promise<void>
  ): Promise<unknown[]> {
    const child = fork(path.resolve('test/store/writer.mjs'), [what, folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    children.push(child)
    const told: unknown[] = []
    const signal = await new Promise((resolve, reject) => {
      child.on('message', (one) => {
        told.push(one)
        if (told.length !== count) return
        Promise.resolve(before?.()).then(() => child.kill('SIGKILL'), reject)
      })
      child.on('exit', (_code, how) => resolve(how))
    })
    expect(signal).toBe('SIGKILL')
    return told
  }

  it('cannot have the store open at the same time; the end of one, even by a kill, frees it', async () => {
    await killedAfter('hold', 1, async () => {
      const error = await refusal(openStore(folder))
      expect(error).toMatchObject({ code: 'STORE_LOCKED', message: `the store ${folder} is in use by another process` })
    })
    await withStore((store) => store.put([[['x'], 1]]))
  })

  it('keep every confirmed record and only whole batches if one is killed while it puts records', async () => {
    const told = await killedAfter('records', 20)
    await withStore(async (store) => {
      const kept = (await listed(store, ['n'])).map(([, value]) => value)
      expect(kept.slice(0, told.length)).toEqual(told)
      expect(kept).toEqual(kept.map((_, place) => place + 1))
      expect((await listed(store, ['twice'])).map(([, value]) => value)).toEqual(kept)
    })
  })

  it('have only whole files in place if one is killed while it puts blobs', async () => {
    const told = (await killedAfter('blobs', 12)) as BlobRef[]
    await withStore(async (store) => {
      for (const ref of told) expect((await store.getBlob(ref))?.byteLength).toBe(300_000)
      const root = path.join(folder, 'blobs')
      const files = readdirSync(root).flatMap((aa) => readdirSync(path.join(root, aa)).map((name) => path.join(root, aa, name)))
      expect(files.length).toBeGreaterThanOrEqual(told.length)
      for (const file of files) {
        expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(path.basename(file))
      }
      expect(readdirSync(path.join(folder, 'partial'))).toEqual([])
    })
  })
})
