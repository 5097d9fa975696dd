/** Defaults of the public network, and parsers of ids and URLs. */

import { isPlainHttp } from '../fetch/plain-http.ts'
import { AuditError, type AuditErrorOptions } from '../model/errors.ts'
import { isArweaveId, type ProcessId } from '../model/ids.ts'
import { counted } from '../util/counted.ts'
import { defined } from '../util/defined.ts'
import type { SourceOptions } from './audit-options.ts'

export const DEFAULT_GATEWAYS: readonly string[] = ['https://arweave.net', 'https://permagate.io']
export const DEFAULT_COMPUTES: readonly string[] = ['https://cu.ao-testnet.xyz']

/** @throws AuditError `USAGE` */
export function parseProcessId(text: string): ProcessId {
  if (isArweaveId(text)) return text as ProcessId
  throw new AuditError('USAGE', `${JSON.stringify(text.slice(0, 80))} is not a process id`, {
    hint: 'an id is 43 characters of base64url'
  })
}

/**
 * A unit's base URL without a trailing slash.
 *
 * @throws AuditError `USAGE`
 */
export function parseUnitUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && isPlainHttp(url) && !/[?#]/.test(text)) return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  throw new AuditError('USAGE', `${JSON.stringify(text.slice(0, 200))} is not an http URL of a unit`, whyNoUnit(text, url))
}

function whyNoUnit(text: string, url: URL | undefined): AuditErrorOptions {
  if (url !== undefined && (url.username !== '' || url.password !== '')) return { hint: 'leave out the user and the password' }
  if (url !== undefined && /^https?:$/.test(url.protocol)) return { hint: 'leave out the query and everything after "#"' }
  if (!/^[\w.-]+(:\d+)?(\/.*)?$|^\[[\da-f:]+\](:\d+)?$/i.test(text)) return {}
  const scheme = /^(localhost|[\d.]+|\[[\da-f:]+\])(:|\/|$)/i.test(text) ? 'http' : 'https'
  return { hint: `add ${scheme}:// in front of it` }
}

/** The base URLs of the units of an audit. */
export interface UnitUrls {
  /** Looked up if it is not given. */
  readonly scheduler?: string
  readonly gateways: readonly string[]
  /** The first for the first gateway, and so on. */
  readonly graphqls: readonly string[]
  readonly computes: readonly string[]
}

/**
 * Parses the URLs of the units, without duplicates; units that are not given are those of the public network.
 *
 * @throws AuditError `USAGE` for what is no unit's URL, and for a GraphQL endpoint without its gateway
 */
export function parseUnits(named: NamedUnits): UnitUrls {
  const gateways = (named.gateways ?? DEFAULT_GATEWAYS).map(parseUnitUrl)
  const graphqls = (named.graphqls ?? []).map(parseUnitUrl)
  if (graphqls.length > gateways.length) {
    throw new AuditError(
      'USAGE',
      `${counted(graphqls.length, 'GraphQL endpoint')} for only ${counted(gateways.length, 'gateway')}`,
      {
        hint: 'the first --graphql belongs to the first --gateway, and so on'
      }
    )
  }
  const computes = [...new Set((named.computes ?? DEFAULT_COMPUTES).map(parseUnitUrl))]
  const scheduler = named.scheduler === undefined ? undefined : parseUnitUrl(named.scheduler)
  return { gateways, graphqls, computes, ...defined({ scheduler }) }
}

type NamedUnits = Pick<SourceOptions, 'scheduler' | 'gateways' | 'graphqls' | 'computes'>
