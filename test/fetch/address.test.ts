import { describe, expect, it } from 'vitest'
import { assertPublic } from '../../src/fetch/address.ts'

const ASKED = { role: 'gateway', url: 'http://gateway.example/graphql' } as const

const at =
  (...addresses: string[]) =>
  async () =>
    addresses

describe('assertPublic', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://169.254.169.254/',
    'http://100.64.0.1/',
    'http://0.0.0.0/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::127.0.0.1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[fe80::1]/',
    'http://[fec0::1]/',
    'http://[fd00::1]/',
    'ftp://8.8.8.8/',
    'file:///etc/passwd'
  ])('refuses %s', async (url) => {
    await expect(assertPublic(new URL(url), ASKED)).rejects.toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
      unit: { role: 'gateway', url: 'http://gateway.example' }
    })
  })

  it('refuses a name if one of its addresses is private', async () => {
    await expect(assertPublic(new URL('http://unit.example/'), ASKED, at('8.8.8.8', '10.0.0.1'))).rejects.toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
      message: 'http://unit.example was not contacted: it leads to an address that is not public',
      hint: 'name the unit yourself (--gateway URL), or give --allow-private'
    })
    await expect(assertPublic(new URL('ftp://unit.example/'), { ...ASKED, role: 'scheduler' })).rejects.toMatchObject({
      hint: 'name the unit yourself (--scheduler URL)'
    })
  })

  it('refuses a name that resolves to something other than an address', async () => {
    await expect(assertPublic(new URL('http://unit.example/'), ASKED, at('nonsense'))).rejects.toMatchObject({
      code: 'ADDRESS_FORBIDDEN'
    })
  })

  it.each([
    ['a public IPv4 address', ['8.8.8.8']],
    ['a public IPv6 address', ['2606:4700::1']],
    ['two public addresses', ['8.8.8.8', '2606:4700::1']]
  ])('allows a name that resolves to %s', async (_, addresses) => {
    await expect(assertPublic(new URL('https://unit.example/'), ASKED, at(...addresses))).resolves.toEqual(addresses)
  })

  it.each(['http://8.8.8.8/', 'http://[2606:4700::1]/'])('allows the public address %s without resolving it', async (url) => {
    const never = () => Promise.reject(new Error('looked up'))
    await expect(assertPublic(new URL(url), ASKED, never)).resolves.toHaveLength(1)
  })

  it('calls a name unreachable, not forbidden, if it cannot be resolved', async () => {
    const unknown = () => Promise.reject(new Error('ENOTFOUND'))
    await expect(assertPublic(new URL('http://unit.example/'), ASKED, unknown)).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE'
    })
  })
})
