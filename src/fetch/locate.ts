/** Looks up a scheduler's URL on the chain (protocol §4.1). */
import { AuditError } from '../model/errors.ts'
import type { Address, ProcessId } from '../model/ids.ts'
import { isAddress } from '../model/ids.ts'
import { tagValue } from '../model/records.ts'
import { assertPublic, type Destination, type Lookup } from './address.ts'
import { isPlainHttp } from './plain-http.ts'
import type { GatewaySource } from './unit-sources.ts'

/** The location that a scheduler published. */
export interface Located {
  readonly url: string
  /** The checked addresses of the URL; undefined if it may lead anywhere. */
  readonly destination?: Destination
}

/**
 * Finds a process's scheduler: its `Scheduler` tag, then that wallet's newest `Scheduler-Location`. Only the wallet vouches for
 * the record, so it may not lead into private networks.
 *
 * @param allowPrivate whether the record may lead into private networks all the same
 * @param lookUp resolves host names; the system's resolver by default
 * @throws AuditError `INPUT_MISSING` if there is no record, `UNIT_UNREACHABLE` if a gateway that may have one is away or the
 *   scheduler's name cannot be resolved, `ADDRESS_FORBIDDEN`
 */
export async function locateScheduler(
  gateway: GatewaySource,
  processId: ProcessId,
  allowPrivate: boolean,
  lookUp?: Lookup
): Promise<Located> {
  const [process] = await gateway.transactions({ ids: [processId], limit: 1 })
  if (process === undefined) throw gateway.unheard()[0] ?? missing(`no gateway knows the process ${processId}`)
  const scheduler = tagValue(process.tags, 'Scheduler') ?? tagValue(process.tags, 'scheduler') ?? ''
  if (!isAddress(scheduler)) throw missing(`the process ${processId} names no scheduler`)
  const url = await locationOf(gateway, scheduler)
  const base = url.href.replace(/\/+$/, '')
  if (allowPrivate) return { url: base }
  return { url: base, destination: await assertPublic(url, { role: 'scheduler', url: base }, lookUp) }
}

/** HyperBEAM writes the same record with lower-case names (§4.2). */
async function locationOf(gateway: GatewaySource, owner: Address): Promise<URL> {
  const spellings = [
    { protocol: 'Data-Protocol', type: 'Type', values: ['Scheduler-Location'] },
    { protocol: 'data-protocol', type: 'type', values: ['scheduler-location', 'location'] }
  ]
  for (const { protocol, type, values } of spellings) {
    const tags = [
      { name: protocol, values: ['ao'] },
      { name: type, values }
    ]
    const [record] = await gateway.transactions({ owners: [owner], tags, limit: 1, sort: 'HEIGHT_DESC' })
    const named = record === undefined ? undefined : (tagValue(record.tags, 'Url') ?? tagValue(record.tags, 'url'))
    const url = named !== undefined && URL.canParse(named) ? new URL(named) : undefined
    if (url !== undefined && isPlainHttp(url)) return url
  }
  throw missing(`the scheduler ${owner} has published no location`)
}

function missing(what: string): AuditError {
  return new AuditError('INPUT_MISSING', what, { hint: "give the scheduler's URL with --scheduler URL" })
}
