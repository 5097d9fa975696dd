/** Addresses that may not be asked: a URL that somebody else names must not lead into the user's own network. */
import { lookup } from 'node:dns/promises'
import ipaddr from 'ipaddr.js'
import { AuditError } from '../errors.ts'

/** Resolves a host's name to all its addresses. */
export type Lookup = (host: string) => Promise<readonly string[]>

const resolve: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

/**
 * Refuses a URL of another scheme than http(s), and one that leads to an address that is not public: private, loopback,
 * link-local, multicast, reserved, and IPv4 inside IPv6.
 *
 * @param url named by a scheduler's record or a redirect
 * @throws AuditError `ADDRESS_FORBIDDEN`; `UNIT_UNREACHABLE` where its name cannot be resolved
 */
export async function assertPublic(url: URL, lookUp: Lookup = resolve): Promise<void> {
  const where = url.origin.slice(0, 200)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw forbidden(where, 'it is no http URL')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = ipaddr.isValid(host) ? [host] : await lookUp(host).catch(() => [])
  if (addresses.length === 0) throw new AuditError('UNIT_UNREACHABLE', `${where} cannot be resolved`)
  for (const address of addresses) {
    if (ipaddr.process(address).range() !== 'unicast') throw forbidden(where, 'it leads to an address that is not public')
  }
}

function forbidden(where: string, why: string): AuditError {
  return new AuditError('ADDRESS_FORBIDDEN', `${where} is not asked: ${why}`, {
    hint: 'give the URL yourself, or allow private addresses with --allow-private'
  })
}
