/** Forbidden addresses: a URL from a third party must not lead into the user's own network. */
import { lookup } from 'node:dns/promises'
import ipaddr from 'ipaddr.js'
import type { AuditError } from '../model/errors.ts'
import { type Asked, fetchError } from './fetch-error.ts'
import { isPlainHttp } from './plain-http.ts'
import { shown } from './unit-words.ts'

/** The option with which a user names a unit. */
const OPTIONS = { scheduler: '--scheduler', gateway: '--gateway', 'compute-unit': '--compute' } as const satisfies Record<
  Asked['role'],
  string
>

/** Resolves a host's name to all its addresses. */
export type Lookup = (host: string) => Promise<readonly string[]>

/** Checked addresses, all public: the only ones that a connection may go to. */
export type Destination = readonly [string, ...string[]]

const resolve: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

/** All public IPv6 addresses; some of the others are notations for IPv4 addresses (RFC 4291 §2.5). */
const GLOBAL_UNICAST_V6 = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Refuses a URL whose scheme is not http(s), and one that leads to an address that is not public: private, loopback,
 * link-local, multicast, reserved, or IPv4 inside IPv6. One such address among several is enough.
 *
 * A name is resolved only here: the connection goes to the returned addresses, so a name server that answers differently a
 * moment later changes nothing.
 *
 * @param url from a scheduler's record or a redirect
 * @param asked the unit that named it
 * @returns the addresses to connect to
 * @throws AuditError `ADDRESS_FORBIDDEN`; `UNIT_UNREACHABLE` if its name cannot be resolved
 */
export async function assertPublic(url: URL, asked: Asked, lookUp: Lookup = resolve): Promise<Destination> {
  const where = shown(url.origin === 'null' ? url.href : url.origin)
  if (!isPlainHttp(url))
    throw forbidden(where, asked, 'it is not a plain http URL', `name the unit yourself (${OPTIONS[asked.role]} URL)`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const [first, ...more] = ipaddr.isValid(host) ? [host] : await lookUp(host).catch(() => [])
  if (first === undefined) throw fetchError('UNIT_UNREACHABLE', asked, `${where} cannot be resolved`)
  if (![first, ...more].every(isPublic))
    throw forbidden(
      where,
      asked,
      'it leads to an address that is not public',
      `name the unit yourself (${OPTIONS[asked.role]} URL), or give --allow-private`
    )
  return [first, ...more]
}

function isPublic(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  if (address.range() !== 'unicast') return false
  return address instanceof ipaddr.IPv6 ? address.match(GLOBAL_UNICAST_V6) : true
}

function forbidden(where: string, asked: Asked, why: string, hint: string): AuditError {
  return fetchError('ADDRESS_FORBIDDEN', asked, `${where} was not contacted: ${why}`, { hint })
}
