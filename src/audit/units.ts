/** Chooses the units that a pull asks. */

import { createCompute } from '../fetch/compute.ts'
import { createGateway } from '../fetch/gateway.ts'
import { createHttp } from '../fetch/http.ts'
import { locateScheduler } from '../fetch/locate.ts'
import { createScheduler } from '../fetch/scheduler.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { TransactionId } from '../model/ids.ts'
import type { PullOptions } from '../pull/pull-options.ts'
import { schedulersOf } from '../pull/schedule-sources.ts'
import { defined } from '../util/defined.ts'
import { isoNow } from '../util/iso-now.ts'
import type { AuditOptions, SourceOptions } from './audit-options.ts'
import { parseUnits } from './config.ts'

/**
 * Turns the user's options into those of a pull: the units over HTTP, and the scheduler, which is looked up if none is named.
 *
 * @throws AuditError `USAGE` as `parseUnits`
 */
export async function pullOptions(
  options: SourceOptions & Pick<AuditOptions, 'checkpointOwners' | 'start'>,
  process: PullOptions['process'],
  inputs: Inputs,
  claims: PullOptions['claims']
): Promise<PullOptions> {
  const { gateways, graphqls, computes, scheduler } = parseUnits(options)
  const http = createHttp({
    trusted: [...gateways, ...graphqls, ...computes, ...(scheduler === undefined ? [] : [scheduler])],
    ...defined({
      limits: options.fetchLimits,
      allowPrivate: options.allowPrivate,
      onAttempt: options.onRequest,
      signal: options.signal
    })
  })
  const gateway = createGateway(http, gateways, graphqls)
  const openLocated = async () => {
    const { url, destination } = await locateScheduler(gateway, process, options.allowPrivate ?? false)
    return createScheduler(http, url, destination)
  }
  const schedulers = await schedulersOf(options.schedule, gateway, inputs, async () =>
    scheduler === undefined ? await openLocated() : createScheduler(http, scheduler)
  )
  return {
    process,
    inputs,
    units: {
      ...schedulers,
      gateway,
      computes: computes.map((url) => createCompute(http, url))
    },
    ...defined({
      from: options.from,
      to: options.to,
      startAt: options.start?.checkpoint as TransactionId | undefined,
      checkpointOwners: options.checkpointOwners
    }),
    claims,
    now: isoNow,
    ...defined({ onProgress: options.onPull, signal: options.signal })
  }
}
