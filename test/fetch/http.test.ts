import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Question } from '../../src/fetch/attempt.ts'
import type { Fault } from '../fakes/faults.ts'
import { messageId, PROCESS, quick, start } from './start.ts'

const question = (url: string): Question => ({ role: 'compute-unit', url: `${url}/`, maxBytes: 1_000 })

/** A server for cases that the faults of the fakes do not cover. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a request', () => {
  it.each<[string, Fault]>([
    ['408', { kind: 'status', status: 408, times: 2 }],
    ['429', { kind: 'status', status: 429, times: 2 }],
    ['500', { kind: 'status', status: 500, times: 2 }],
    ['502', { kind: 'status', status: 502, times: 2 }],
    ['504', { kind: 'status', status: 504, times: 2 }],
    ['a cut body', { kind: 'cut', times: 2 }],
    ['text that is not JSON', { kind: 'garbage', times: 2 }],
    ['silence', { kind: 'hang', times: 2 }],
    ['an endless body', { kind: 'endless', times: 2 }],
    ['a closed connection', { kind: 'destroy', times: 2 }]
  ])('succeeds after two attempts that end in %s', async (_, fault) => {
    const network = await start({ faults: [fault] })
    expect(await quick().json(question(network.url))).toMatchObject({ status: 200, value: { timestamp: 0 } })
    expect(network.requests).toHaveLength(3)
  })
})

describe('a persistent failure', () => {
  it.each<[string, Fault, string]>([
    ['500', { kind: 'status', status: 500 }, 'it answered 500'],
    ['a cut body', { kind: 'cut' }, 'the connection failed (ECONNRESET)'],
    ['silence', { kind: 'hang' }, 'the request timed out'],
    ['a closed connection', { kind: 'destroy' }, 'the connection failed (ECONNRESET)']
  ])('with %s ends in UNIT_UNREACHABLE, which names the unit, when patience ends', async (_, fault, why) => {
    const { url } = await start({ faults: [fault] })
    const begun = performance.now()
    await expect(quick({ limits: { patienceMs: 300 } }).json(question(url))).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      message: `${url} did not answer: ${why}`,
      unit: { role: 'compute-unit', url }
    })
    expect(performance.now() - begun).toBeLessThan(3_000)
  })

  it('to connect ends in UNIT_UNREACHABLE, and the unit is not asked again', async () => {
    const network = await start()
    await network.close()
    const asked: string[] = []
    const http = quick({ limits: { patienceMs: 100 }, onAttempt: (url) => asked.push(url) })
    const expected = {
      code: 'UNIT_UNREACHABLE',
      message: `${network.url} did not answer: the connection failed (ECONNREFUSED)`
    }
    await expect(http.json(question(network.url))).rejects.toMatchObject(expected)
    const attempts = asked.length
    expect(attempts).toBeGreaterThan(1)
    await expect(http.json(question(network.url))).rejects.toMatchObject(expected)
    expect(asked).toHaveLength(attempts)
    // Another role at the same origin is another unit.
    await expect(http.json({ ...question(network.url), role: 'gateway' })).rejects.toMatchObject({ unit: { role: 'gateway' } })
    expect(asked.length).toBeGreaterThan(attempts)
  })

  it('of one unit does not affect another', async () => {
    const { url } = await start({ faults: [{ kind: 'destroy' }] })
    const other = await start()
    const http = quick({ limits: { patienceMs: 100 } })
    const away = http.json(question(url))
    const there = http.json(question(other.url))
    await expect(away).rejects.toMatchObject({ code: 'UNIT_UNREACHABLE' })
    expect(await there).toMatchObject({ status: 200 })
    expect(await http.json(question(other.url))).toMatchObject({ status: 200 })
    expect(other.requests).toHaveLength(2)
  })

  it('of an optional request ends after a few attempts, and the unit is still asked', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 500, path: '/cron/' }] })
    const http = quick({ limits: { patienceMs: 60_000 } })
    const optional: Question = { ...question(network.url), url: `${network.url}/cron/x`, optional: true }
    await expect(http.json(optional)).rejects.toMatchObject({ code: 'UNIT_UNREACHABLE' })
    expect(network.asked('/cron/')).toBe(4)
    expect(await http.json(question(network.url))).toMatchObject({ status: 200 })
  })

  it('of one request, while others have answers, gives up only that request', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 500, path: '/cron/' }] })
    const http = quick({ limits: { attempts: 4, patienceMs: 60_000 } })
    const bad = http.json({ ...question(network.url), url: `${network.url}/cron/x` })
    const good = (async () => {
      while (network.asked('/cron/') < 4) await http.json(question(network.url))
    })()
    await expect(bad).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      message: `${network.url}/cron/x gave no usable answer, though its unit answered other requests: it answered 500`
    })
    await good
    expect(network.asked('/cron/')).toBe(4)
    expect(await http.json(question(network.url))).toMatchObject({ status: 200 })
  })

  it('to answer with JSON ends in WIRE_INVALID after a few attempts', async () => {
    const network = await start({ faults: [{ kind: 'garbage' }] })
    await expect(quick({ limits: { contentAttempts: 3 } }).json(question(network.url))).rejects.toMatchObject({
      code: 'WIRE_INVALID',
      message: `${network.url}/: its answer is not JSON`
    })
    expect(network.requests).toHaveLength(3)
  })

  it('to end the answer ends in ANSWER_TOO_LARGE after a few attempts', async () => {
    const network = await start({ faults: [{ kind: 'endless' }] })
    await expect(quick({ limits: { contentAttempts: 3 } }).bytes(question(network.url))).rejects.toMatchObject({
      code: 'ANSWER_TOO_LARGE',
      message: `${network.url}/: its answer is larger than 1000 bytes`
    })
    expect(network.requests).toHaveLength(3)
  })

  it('with a refusing status is not retried, and its text cannot control a terminal', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 403, body: 'no\u001b[2J\u202e' }] })
    await expect(quick().json(question(network.url))).rejects.toMatchObject({
      code: 'UNIT_REFUSED',
      message: `${network.url}/ answered 403: no?[2J?`
    })
    expect(network.requests).toHaveLength(1)
  })
})

describe('the HTTP client', () => {
  it('accepts an answer of exactly the bound, and refuses one byte more', async () => {
    const body = 'x'.repeat(200)
    const { url } = await start({ faults: [{ kind: 'status', status: 200, body }] })
    expect((await quick().bytes({ ...question(url), maxBytes: 200 })).bytes.toString()).toBe(body)
    await expect(quick().bytes({ ...question(url), maxBytes: 199 })).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
  })

  it('lets a slow answer take longer than silence may, but not forever', async () => {
    let endAfter = 8
    let attempts = 0
    const url = await serve((_, response) => {
      attempts++
      let sent = 0
      response.write('[')
      const drip = setInterval(() => {
        if (++sent === endAfter) response.end(']')
        else response.write(' ')
      }, 50)
      response.on('close', () => clearInterval(drip))
    })
    expect(await quick({ limits: { idleMs: 300 } }).json(question(url))).toMatchObject({ text: `[${' '.repeat(7)}]` })
    expect(attempts).toBe(1)
    endAfter = Number.POSITIVE_INFINITY
    const limits = { idleMs: 300, answerMs: 500, patienceMs: 200 }
    await expect(quick({ limits }).json(question(url))).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      message: `${url} did not answer: the request timed out`
    })
  })

  it('refuses a content length above the bound before it reads the body', async () => {
    let attempts = 0
    const url = await serve((_, response) => {
      attempts++
      response.writeHead(200, { 'content-length': 1_001 }).flushHeaders()
    })
    const http = quick({ limits: { idleMs: 60_000, contentAttempts: 2 } })
    await expect(http.bytes(question(url))).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
    expect(attempts).toBe(2)
  })

  it('sends no more requests at a time to a host than allowed', async () => {
    const held: (() => void)[] = []
    let underWay = 0
    let most = 0
    const url = await serve((_, response) => {
      most = Math.max(most, ++underWay)
      held.push(() => {
        underWay--
        response.end('{}')
      })
    })
    const network = await start()
    const http = quick({ limits: { concurrency: 3, idleMs: 60_000 } })
    const all = Promise.all(Array.from({ length: 10 }, () => http.json(question(url))))
    while (held.length < 3) await new Promise(setImmediate)
    // A full host does not delay another, and this round trip leaves time for a wrong fourth request.
    await http.json(question(network.url))
    for (let answered = 0; answered < 10; ) {
      const release = held.shift()
      if (release !== undefined) answered++
      release?.()
      await new Promise(setImmediate)
    }
    await all
    expect(most).toBe(3)
  })

  it('sends no waiting request after an abort', async () => {
    const network = await start({ faults: [{ kind: 'hang' }] })
    const stop = new AbortController()
    const http = quick({ limits: { concurrency: 3, idleMs: 60_000 }, signal: stop.signal })
    const all = Promise.allSettled(Array.from({ length: 10 }, () => http.json(question(network.url))))
    while (network.requests.length < 3) await new Promise(setImmediate)
    stop.abort()
    expect((await all).map((one) => one.status === 'rejected' && one.reason.code)).toEqual(Array(10).fill('INTERRUPTED'))
    expect(network.requests).toHaveLength(3)
  })

  it('waits as Retry-After asks, without using up patience', async () => {
    const { url } = await start({ faults: [{ kind: 'status', status: 429, headers: { 'retry-after': '1' }, times: 2 }] })
    const begun = performance.now()
    await quick({ limits: { patienceMs: 500 } }).json(question(url))
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1_980)
  })

  it.each(['soon', '-5', '', 'Thu, 01 Jan 1970 00:00:00 GMT'])('does not wait for Retry-After: %j', async (text) => {
    const network = await start({ faults: [{ kind: 'status', status: 429, headers: { 'retry-after': text }, times: 2 }] })
    const begun = performance.now()
    await quick().json(question(network.url))
    expect(performance.now() - begun).toBeLessThan(900)
    expect(network.requests).toHaveLength(3)
  })

  it('bounds the wait for a date in Retry-After too', async () => {
    const headers = { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }
    const network = await start({ faults: [{ kind: 'status', status: 503, headers, times: 1 }] })
    const begun = performance.now()
    await quick({ limits: { retryAfterMaxMs: 200 } }).json(question(network.url))
    expect(performance.now() - begun).toBeGreaterThanOrEqual(195)
    expect(network.requests).toHaveLength(2)
  })

  it('does not wait long, whatever Retry-After asks for', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 429, headers: { 'retry-after': '99999' } }] })
    const begun = performance.now()
    const limits = { patienceMs: 300, retryAfterMaxMs: 300 }
    await expect(quick({ limits }).json(question(network.url))).rejects.toMatchObject({ code: 'UNIT_UNREACHABLE' })
    expect(performance.now() - begun).toBeLessThan(3_000)
  })
})

describe('the depth of JSON', () => {
  const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}"]["${']'.repeat(levels)}`) as unknown
  const asked = async (levels: number) => {
    const claim = { id: messageId(1), status: 200, result: { Output: nested(levels) } }
    const network = await start({ claims: [claim] })
    const url = `${network.url}/result/${messageId(1)}?process-id=${PROCESS}`
    return quick().json({ role: 'compute-unit', url, maxBytes: 100_000 })
  }

  it('may be that of the deepest answer', async () => {
    expect((await asked(499)).status).toBe(200)
  })

  it('may not be too deep to write the answer back', async () => {
    await expect(asked(500)).rejects.toMatchObject({ code: 'WIRE_INVALID' })
  })
})

describe('redirects', () => {
  it('to the same origin are followed with the query of Location', async () => {
    const network = await start({ faults: [{ kind: 'redirect', location: '/cron/x?a=%2B&b', path: '/first' }] })
    await quick().json({ ...question(network.url), url: `${network.url}/first` })
    expect(network.requests.map(({ what }) => what)).toEqual(['/first', '/cron/x?a=%2B&b'])
  })

  it('in a circle end in WIRE_INVALID', async () => {
    const network = await start({ faults: [{ kind: 'redirect' }] })
    await expect(quick().json(question(network.url))).rejects.toMatchObject({
      code: 'WIRE_INVALID',
      message: `${network.url}/ redirects more than 20 times`
    })
    expect(network.requests).toHaveLength(21)
  })

  it('to another private address are refused without contact, unless the user named it or allows them', async () => {
    const inside = await start()
    const { url } = await start({ faults: [{ kind: 'redirect', location: `${inside.url}/` }] })
    await expect(quick().json(question(url))).rejects.toMatchObject({ code: 'ADDRESS_FORBIDDEN' })
    expect(inside.requests).toEqual([])
    await quick({ trusted: [`${inside.url}/base`] }).json(question(url))
    await quick({ allowPrivate: true }).json(question(url))
    expect(inside.requests).toHaveLength(2)
  })

  it.each(['file:///etc/passwd', 'ftp://unit/', 'http://[', 'javascript:0', 'http://u:p@unit/'])(
    'to %s are refused, whatever the user allows',
    async (location) => {
      const { url } = await start({ faults: [{ kind: 'redirect', location }] })
      await expect(quick({ allowPrivate: true }).json(question(url))).rejects.toMatchObject({ code: 'WIRE_INVALID' })
    }
  )
})

it('a request asks for an uncompressed answer', async () => {
  const network = await start()
  await quick().bytes(question(network.url))
  expect(network.requests[0]?.headers['accept-encoding']).toBe('identity')
})

describe('an interruption', () => {
  it('ends a request at once while its answer arrives', async () => {
    const stop = new AbortController()
    const url = await serve((_, response) => {
      response.write('[', () => stop.abort())
    })
    const http = quick({ signal: stop.signal, limits: { idleMs: 60_000 } })
    await expect(http.json(question(url))).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  it('ends a request at once while it waits between two attempts', async () => {
    const stop = new AbortController()
    const network = await start({ faults: [{ kind: 'status', status: 500 }] })
    const limits = { waitMinMs: 50_000, waitMaxMs: 50_000, patienceMs: 600_000 }
    const asked = quick({ signal: stop.signal, limits }).json(question(network.url))
    const ended = expect(asked).rejects.toMatchObject({ code: 'INTERRUPTED' })
    while (network.requests.length === 0) await new Promise(setImmediate)
    stop.abort()
    await ended
    expect(network.requests).toHaveLength(1)
  })

  it('ends a request at once while it waits for Retry-After', async () => {
    const stop = new AbortController()
    const network = await start({ faults: [{ kind: 'status', status: 429, headers: { 'retry-after': '50' } }] })
    const asked = quick({ signal: stop.signal }).json(question(network.url))
    const ended = expect(asked).rejects.toMatchObject({ code: 'INTERRUPTED' })
    while (network.requests.length === 0) await new Promise(setImmediate)
    stop.abort()
    await ended
  })
})

it('a request with an aborted signal is never sent', async () => {
  const network = await start()
  await expect(quick({ signal: AbortSignal.abort() }).json(question(network.url))).rejects.toMatchObject({
    code: 'INTERRUPTED'
  })
  expect(network.requests).toEqual([])
})

describe('a host name from a third party', () => {
  it('is resolved once, and the connection goes to exactly that address', async () => {
    const asked: string[] = []
    const url = await serve((request, response) => {
      asked.push(request.headers.host ?? '')
      response.end('{}')
    })
    const { port } = new URL(url)
    const name = `http://rebinding.invalid:${port}`
    // The name cannot be resolved, so an answer shows that it was not resolved again.
    const answer = await quick().json({ ...question(name), destination: ['127.0.0.1'] })
    expect([answer.status, asked]).toEqual([200, [`rebinding.invalid:${port}`]])
  })

  it('is resolved once at a redirect, before any connection', async () => {
    const looked: string[] = []
    let answers = ['8.8.8.8', '10.0.0.1']
    const http = quick({
      limits: { patienceMs: 50, idleMs: 50 },
      async lookUp(host) {
        looked.push(host)
        const now = answers
        // A name server that answers differently the second time.
        answers = ['127.0.0.1']
        return now
      }
    })
    const url = await serve((_, response) => response.writeHead(307, { location: 'http://rebinding.invalid:1/' }).end())
    await expect(http.json(question(url))).rejects.toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
      unit: { role: 'compute-unit', url }
    })
    expect(looked).toEqual(['rebinding.invalid'])
  })
})
