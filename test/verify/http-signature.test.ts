import { constants, createHash, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { verifyHttpSignatures } from '../../src/verify/http-signature.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const modulus = Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url')
const keyid = modulus.toString('base64')

/** Signs as a node does: names without @ in the lines, parameters sorted in the line and not in the header. */
function signed(
  covered: readonly string[],
  values: Readonly<Record<string, string>>,
  key = `publickey:${keyid}`
): Map<string, string> {
  const list = covered.map((name) => `"${name}"`).join(' ')
  const lines = covered.map((name) => `"${name.replace(/^@/, '')}": ${values[name.replace(/^@/, '')]}`)
  const base = [...lines, `"@signature-params": (${list});alg="rsa-pss-sha512";created=7;keyid="${key}";tag="t"`].join('\n')
  const signature = sign('sha512', Buffer.from(base), { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING })
  return new Map([
    ...Object.entries(values),
    [
      'signature-input',
      `sig-a=(${list});alg="rsa-pss-sha512";keyid="${key}";tag="t";created=7, comm-b=("x");alg="hmac-sha256";keyid="ao"`
    ],
    ['signature', `sig-a=:${signature.toString('base64')}:, comm-b=:AAAA:`]
  ])
}

const VALUES = { status: '200', results: 'a, "b"' }

describe('verifyHttpSignatures', () => {
  it('verifies the signature of a node, and does not accept an HMAC as a signature', () => {
    const [signature, hmac, ...others] = verifyHttpSignatures(signed(['@status', 'results'], VALUES))
    expect(signature).toEqual({
      label: 'sig-a',
      algorithm: 'rsa-pss-sha512',
      signer: createHash('sha256').update(modulus).digest('base64url'),
      covered: ['@status', 'results'],
      verdict: { status: 'valid' }
    })
    expect(hmac).toMatchObject({ label: 'comm-b', algorithm: 'hmac-sha256', verdict: { status: 'unverifiable' } })
    expect(others).toEqual([])
  })

  it('accepts a key with or without a prefix, in both forms of base64', () => {
    for (const key of [keyid, modulus.toString('base64url')]) {
      expect(verifyHttpSignatures(signed(['status'], VALUES, key))[0]?.verdict.status).toBe('valid')
    }
  })

  it('refuses a change in any covered header, and ignores all others', () => {
    const headers = signed(['@status', 'results'], VALUES)
    const verdict = (name: string, value: string) => verifyHttpSignatures(new Map([...headers, [name, value]]))[0]?.verdict
    const misfit = { status: 'invalid', reason: 'the signature does not match the headers' }
    expect(verdict('status', '201')).toEqual(misfit)
    expect(verdict('results', 'a')).toEqual(misfit)
    expect(verdict('another', 'x')).toEqual({ status: 'valid' })
    const input = headers.get('signature-input') ?? ''
    expect(verdict('signature-input', input.replace('"@status" ', ''))).toEqual(misfit)
    expect(verdict('signature-input', input.replace('created=7', 'created=8'))).toEqual(misfit)
    expect(verdict('signature-input', input.replace('"results"', '"results" "missing"'))).toEqual({
      status: 'invalid',
      reason: 'a covered header is missing'
    })
    expect(verdict('signature', 'sig-other=:AAAA:')).toEqual(misfit)
  })

  it('finds no signature if nothing is signed or nothing can be read', () => {
    expect(verifyHttpSignatures(new Map())).toEqual([])
    expect(verifyHttpSignatures(new Map([['signature-input', 'no member']]))).toEqual([])
    expect(verifyHttpSignatures(new Map([['signature-input', `a=("${'x'.repeat(70_000)}")`]]))).toEqual([])
    expect(verifyHttpSignatures(new Map([['signature-input', 'a=()']]))[0]?.verdict.status).toBe('unverifiable')
  })

  it.skipIf('STRYKER_MUTATOR_WORKER' in process.env)('reads hostile headers in time that grows no faster than they do', () => {
    const begun = performance.now()
    for (const text of [
      'a=("'.repeat(16_000),
      `a=(${'"" '.repeat(20_000)}`,
      `a=()${';a="'.repeat(15_000)}`,
      ' ,'.repeat(32_000)
    ]) {
      expect(verifyHttpSignatures(new Map([['signature-input', text]])).length).toBeLessThan(2)
    }
    expect(performance.now() - begun).toBeLessThan(2000)
  })

  it('gives the reason if a member proves nothing', () => {
    const [, hmac] = verifyHttpSignatures(signed(['status'], VALUES))
    expect(hmac?.verdict).toEqual({
      status: 'unverifiable',
      hidden: ['signature-type'],
      reason: 'hmac-sha256 proves no signer'
    })
    expect(hmac?.covered).toEqual(['x'])
    expect(verifyHttpSignatures(new Map([['signature-input', 'a=()']]))).toEqual([
      {
        label: 'a',
        algorithm: '',
        signer: createHash('sha256').digest('base64url'),
        covered: [],
        verdict: { status: 'unverifiable', hidden: ['signature-type'], reason: 'a missing algorithm proves no signer' }
      }
    ])
  })

  it('ends the list at the first member that it cannot read, and reads up to 64 KiB', () => {
    const labels = (text: string) => verifyHttpSignatures(new Map([['signature-input', text]])).map(({ label }) => label)
    expect(labels('a=(), b=("x" "y");n=12;s="t"')).toEqual(['a', 'b'])
    expect(labels('a=(), ?, b=()')).toEqual(['a'])
    expect(labels('? a=()')).toEqual([])
    expect(labels('*x.y-1=()')).toEqual(['*x.y-1'])
    expect(labels('1a=()')).toEqual([])
    expect(labels(`${' '.repeat(64 * 1024 - 4)}a=()`)).toEqual(['a'])
    expect(labels(`${' '.repeat(64 * 1024 - 3)}a=()`)).toEqual([])
  })

  it('treats an @ as a mark only at the beginning of a name', () => {
    for (const name of ['a@b', '@a@b']) {
      const headers = signed([name], { ...VALUES, 'a@b': 'c' })
      expect(verifyHttpSignatures(headers)[0]).toMatchObject({ covered: [name], verdict: { status: 'valid' } })
    }
  })
})
