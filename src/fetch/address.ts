/** Addresses that may not be asked: a URL that somebody else names must not lead into the user's own network. */
import { lookup } from 'node:dns/promises'
import ipaddr from 'ipaddr.js'
import { AuditError } from '../errors.ts'
import { shown } from './words.ts'

/** Resolves a host's name to all its addresses. */
export type Lookup = (host: string) => Promise<readonly string[]>

const resolve: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

/** All public IPv6 addresses; among the others are ways to write IPv4 ones (RFC 4291 §2.5). */
const GLOBAL_UNICAST_V6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** A URL that may be asked as it stands: http or https, with no credentials in it. */
export function isPlainHttp({ protocol, username, password }: URL): boolean {
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === ''
}

/**
 * Refuses a URL of another scheme than http(s), and one that leads to an address that is not public: private, loopback,
 * link-local, multicast, reserved, and IPv4 inside IPv6. One such address among several is enough.
 *
 * A name is resolved here and once more by the connection itself, so a name server that changes its answer in between is not
 * caught: what comes back is still only what a scheduler, gateway or Compute Unit may answer.
 *
 * @param url named by a scheduler's record or a redirect
 * @throws AuditError `ADDRESS_FORBIDDEN`; `UNIT_UNREACHABLE` where its name cannot be resolved
 */
export async function assertPublic(url: URL, lookUp: Lookup = resolve): Promise<void> {
  const where = shown(url.origin === 'null' ? url.href : url.origin)
  if (!isPlainHttp(url)) throw forbidden(where, 'it is no plain http URL')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = ipaddr.isValid(host) ? [host] : await lookUp(host).catch(() => [])
  if (addresses.length === 0) throw new AuditError('UNIT_UNREACHABLE', `${where} cannot be resolved`)
  if (!addresses.every(isPublic)) throw forbidden(where, 'it leads to an address that is not public')
}

function isPublic(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  if (address.range() !== 'unicast') return false
  return address instanceof ipaddr.IPv6 ? address.match(GLOBAL_UNICAST_V6) : true
}

function forbidden(where: string, why: string): AuditError {
  return new AuditError('ADDRESS_FORBIDDEN', `${where} is not asked: ${why}`, {
    hint: 'give the URL yourself, or allow private addresses with --allow-private'
  })
}
