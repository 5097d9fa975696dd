/** Faults between a unit and its reader. */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export type UnitName = 'scheduler' | 'gateway' | 'compute'

/** The requests that a fault affects: all by default. The first fault in the list whose scope fits applies. */
export interface FaultScope {
  readonly unit?: UnitName
  /** A part of the path with its query, or of a POST's body. */
  readonly path?: string
  /** Affects only this many of the fitting requests, the first ones. */
  readonly times?: number
  /** Affects only every n-th of the fitting requests. */
  readonly every?: number
}

export type Fault = FaultScope &
  (
    | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
    /** Cut off in the middle of the body. */
    | { readonly kind: 'cut' }
    /** HTML in place of the body. */
    | { readonly kind: 'garbage' }
    /** No answer. */
    | { readonly kind: 'hang' }
    /** Spaces without end. */
    | { readonly kind: 'endless' }
    /** The connection is closed before an answer. */
    | { readonly kind: 'destroy' }
    /** 307 to a URL, or to the same path if there is none. */
    | { readonly kind: 'redirect'; readonly location?: string }
    | { readonly kind: 'delay'; readonly delayMs: number }
  )

export interface Body {
  readonly status: number
  readonly type: string
  readonly bytes: Buffer
}

/** Chooses the fault for each request and counts requests. */
export function createFaults(faults: readonly Fault[]): (unit: UnitName, what: string) => Fault | undefined {
  const seen = new Map<Fault, number>()
  return (unit, what) =>
    faults.find((fault) => {
      if (fault.unit !== undefined && fault.unit !== unit) return false
      if (fault.path !== undefined && !what.includes(fault.path)) return false
      const count = (seen.get(fault) ?? 0) + 1
      seen.set(fault, count)
      return count % (fault.every ?? 1) === 0 && count <= (fault.times ?? Number.POSITIVE_INFINITY) * (fault.every ?? 1)
    })
}

/** Sends `body` with the fault applied. */
export async function send(response: ServerResponse, body: Body, fault: Fault | undefined, url: string): Promise<void> {
  if (fault?.kind === 'delay') await sleep(fault.delayMs)
  switch (fault?.kind) {
    case 'hang':
      return
    case 'destroy':
      response.destroy()
      return
    case 'status':
      response.writeHead(fault.status, fault.headers).end(fault.body ?? `{"error":"${fault.status}"}`)
      return
    case 'redirect':
      response.writeHead(307, { location: fault.location ?? url }).end()
      return
    case 'garbage':
      response.writeHead(body.status, { 'content-type': body.type }).end('<html>bad gateway</html>')
      return
    case 'cut':
      response.writeHead(body.status, { 'content-type': body.type, 'content-length': body.bytes.length })
      response.write(body.bytes.subarray(0, body.bytes.length >> 1), () => response.destroy())
      return
    case 'endless':
      response.writeHead(body.status, { 'content-type': body.type })
      endlessly(response)
      return
    default:
      response.writeHead(body.status, { 'content-type': body.type, 'content-length': body.bytes.length }).end(body.bytes)
  }
}

const SPACES = Buffer.alloc(65_536, 32)

function endlessly(response: ServerResponse): void {
  if (response.destroyed) return
  response.write(SPACES, () => setImmediate(endlessly, response))
}
