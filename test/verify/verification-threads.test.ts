import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFingerprint } from '../../src/memory/fingerprint.ts'
import { createVerifier, type Verifier } from '../../src/verify/verification-threads.ts'

let folder: string
let verifier: Verifier
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-verifier-'))
  verifier = createVerifier()
})
afterEach(async () => {
  await verifier.close()
  rmSync(folder, { recursive: true })
})

function packed(name: string, memory: Uint8Array): string {
  const file = path.join(folder, name)
  writeFileSync(file, gzipSync(memory))
  return file
}

function fingerprintOf(memory: Uint8Array): string {
  const made = createFingerprint()
  made.update(memory)
  return made.digest()
}

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('unpacking', () => {
  it('gives each question its own answer, even if a later one finishes sooner', async () => {
    const large = Buffer.alloc(64 * 1024 * 1024, 1)
    const small = Buffer.from('small')
    const asked = [packed('large', large), packed('small', small), path.join(folder, 'none')]
    const [first, second, third] = await Promise.all(asked.map((file) => verifier.unpack(file, large.length)))
    expect(first).toEqual({ bytes: large.length, environments: [], sha256: hashOf(large), fingerprint: fingerprintOf(large) })
    expect(second).toEqual({ bytes: 5, environments: [], sha256: hashOf(small), fingerprint: fingerprintOf(small) })
    expect(third).toEqual({ failed: expect.stringContaining('no such file') })
  })

  it('never unpacks more than allowed, and finds the environment', async () => {
    const file = packed('memory', Buffer.from(`\0\0USER=web_user\0LOGNAME=web_user\0_=/cu.js\0`))
    expect(await verifier.unpack(file, 10)).toEqual({ failed: 'it unpacks to more than 10 bytes' })
    expect(await verifier.unpack(file, 1000)).toMatchObject({
      environments: [['USER=web_user', 'LOGNAME=web_user', '_=/cu.js']]
    })
  })

  it.each([0, 3 * 2 ** 20, 2 * 2 ** 20 - 5, 5 * 2 ** 20 - 70])('finds the environment at %i, among zeros', async (at) => {
    const memory = Buffer.alloc(5 * 2 ** 20)
    memory.write('USER=web_user\0LOGNAME=web_user\0_=/cu.js\0', at)
    const unpacked = await verifier.unpack(packed('memory', memory), memory.length)
    expect(unpacked).toMatchObject({
      sha256: hashOf(memory),
      environments: [['USER=web_user', 'LOGNAME=web_user', '_=/cu.js']]
    })
  })
})
