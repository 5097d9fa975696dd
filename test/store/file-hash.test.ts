import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256OfFile } from '../../src/store/file-hash.ts'

const READ_AT_ONCE = 256 * 1024

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ao-audit-hash-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('sha256OfFile', () => {
  for (const bytes of [0, 1, READ_AT_ONCE - 1, READ_AT_ONCE, READ_AT_ONCE + 1, 3 * READ_AT_ONCE + 7]) {
    it(`hashes a whole file of ${bytes} bytes`, async () => {
      const content = randomBytes(bytes)
      const file = path.join(folder, `of-${bytes}`)
      await writeFile(file, content)
      expect(await sha256OfFile(file)).toEqual(createHash('sha256').update(content).digest())
    })
  }

  it('begins at the given offset', async () => {
    const content = randomBytes(READ_AT_ONCE + 100)
    const file = path.join(folder, 'later')
    await writeFile(file, content)
    for (const start of [1, 48, READ_AT_ONCE, content.byteLength]) {
      expect(await sha256OfFile(file, start)).toEqual(createHash('sha256').update(content.subarray(start)).digest())
    }
  })

  it('passes on errors of the file system', async () => {
    await expect(sha256OfFile(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
