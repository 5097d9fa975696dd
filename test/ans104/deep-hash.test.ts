import { createHash } from 'node:crypto'
import { deepHash as oracle } from 'arbundles'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBlobHasher, type DeepHashInput, deepHash } from '../../src/ans104/deep-hash.ts'

const { tree } = fc.letrec<{ tree: DeepHashInput }>((tie) => ({
  tree: fc.oneof({ maxDepth: 3 }, fc.uint8Array({ maxLength: 40 }), fc.array(tie('tree'), { maxLength: 4 }))
}))

describe('deepHash', () => {
  it('gives the same hash as arbundles for any tree', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (input) => {
        expect(Buffer.from(deepHash(input))).toEqual(Buffer.from(await oracle(input as Parameters<typeof oracle>[0])))
      })
    )
  })

  it('distinguishes a list of one from its member, and an empty list from no bytes', () => {
    const bytes = Uint8Array.from([1])
    expect(deepHash([bytes])).not.toEqual(deepHash(bytes))
    expect(deepHash([])).not.toEqual(deepHash(new Uint8Array(0)))
  })

  it('gives the same hash for data in pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 6 }), (chunks) => {
        const hasher = createBlobHasher()
        for (const chunk of chunks) hasher.update(chunk)
        expect(hasher.digest()).toEqual(deepHash(Buffer.concat(chunks)))
      })
    )
  })
})

it('a deep hash of bytes longer than the cached lengths is correct, also the second time', () => {
  const blob = (bytes: Uint8Array) => {
    const sha384 = (...parts: Uint8Array[]) => createHash('sha384').update(Buffer.concat(parts)).digest()
    return sha384(sha384(Buffer.from(`blob${bytes.length}`)), sha384(bytes))
  }
  for (const length of [0, 1, 1023, 1024, 1025, 1024, 1025]) {
    const bytes = Buffer.alloc(length, length)
    expect(Buffer.from(deepHash(bytes))).toEqual(blob(bytes))
  }
})
