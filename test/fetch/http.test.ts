import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Question } from '../../src/fetch/attempt.ts'
import type { Fault } from '../fakes/faults.ts'
import { messageId, PROCESS, quick, start } from './start.ts'

const question = (url: string): Question => ({ role: 'compute-unit', url: `${url}/`, maxBytes: 1_000 })

/** A server of one's own, where a fault of the fakes does not do. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a failure that passes is not seen', () => {
  it.each<[string, Fault]>([
    ['408', { kind: 'status', status: 408, times: 2 }],
    ['429', { kind: 'status', status: 429, times: 2 }],
    ['500', { kind: 'status', status: 500, times: 2 }],
    ['502', { kind: 'status', status: 502, times: 2 }],
    ['504', { kind: 'status', status: 504, times: 2 }],
    ['a cut body', { kind: 'cut', times: 2 }],
    ['no JSON', { kind: 'garbage', times: 2 }],
    ['no answer', { kind: 'hang', times: 2 }],
    ['no end', { kind: 'endless', times: 2 }],
    ['a closed connection', { kind: 'destroy', times: 2 }]
  ])('%s', async (_, fault) => {
    const network = await start({ faults: [fault] })
    expect(await quick().json(question(network.url))).toMatchObject({ status: 200, value: { timestamp: 0 } })
    expect(network.requests).toHaveLength(3)
  })
})

describe('a failure that stays', () => {
  it.each<[string, Fault, string]>([
    ['500', { kind: 'status', status: 500 }, 'it answered 500'],
    ['a cut body', { kind: 'cut' }, 'the connection failed (ECONNRESET)'],
    ['no answer', { kind: 'hang' }, 'it did not answer in time'],
    ['a closed connection', { kind: 'destroy' }, 'the connection failed (ECONNRESET)']
  ])('%s: the unit is unreachable, named, and within its patience', async (_, fault, why) => {
    const { url } = await start({ faults: [fault] })
    const begun = performance.now()
    await expect(quick({ limits: { patienceMs: 300 } }).json(question(url))).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      message: `${url} did not answer: ${why}`,
      unit: { role: 'compute-unit', url }
    })
    expect(performance.now() - begun).toBeLessThan(3_000)
  })

  it('nobody listens: unreachable, and nothing more is asked of that unit', async () => {
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

  it('of one unit is none of another’s', async () => {
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

  it('of a question that is not worth waiting for: a few attempts, and the unit is asked on', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 500, path: '/cron/' }] })
    const http = quick({ limits: { patienceMs: 60_000 } })
    const optional: Question = { ...question(network.url), url: `${network.url}/cron/x`, optional: true }
    await expect(http.json(optional)).rejects.toMatchObject({ code: 'UNIT_UNREACHABLE' })
    expect(network.asked('/cron/')).toBe(4)
    expect(await http.json(question(network.url))).toMatchObject({ status: 200 })
  })

  it('of one question, while others are answered: only that one is given up', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 500, path: '/cron/' }] })
    const http = quick({ limits: { attempts: 4, patienceMs: 60_000 } })
    const bad = http.json({ ...question(network.url), url: `${network.url}/cron/x` })
    const good = (async () => {
      while (network.asked('/cron/') < 4) await http.json(question(network.url))
    })()
    await expect(bad).rejects.toMatchObject({
      code: 'UNIT_UNREACHABLE',
      message: `${network.url}/cron/x was not answered, though others were: it answered 500`
    })
    await good
    expect(network.asked('/cron/')).toBe(4)
    expect(await http.json(question(network.url))).toMatchObject({ status: 200 })
  })

  it('that is no JSON is no absence: WIRE_INVALID after a few attempts', async () => {
    const network = await start({ faults: [{ kind: 'garbage' }] })
    await expect(quick({ limits: { contentAttempts: 3 } }).json(question(network.url))).rejects.toMatchObject({
      code: 'WIRE_INVALID',
      message: `${network.url}/: its answer is not JSON`
    })
    expect(network.requests).toHaveLength(3)
  })

  it('that has no end: ANSWER_TOO_LARGE after a few attempts', async () => {
    const network = await start({ faults: [{ kind: 'endless' }] })
    await expect(quick({ limits: { contentAttempts: 3 } }).bytes(question(network.url))).rejects.toMatchObject({
      code: 'ANSWER_TOO_LARGE',
      message: `${network.url}/: its answer is larger than 1000 bytes`
    })
    expect(network.requests).toHaveLength(3)
  })

  it('as a refusal is not asked again, and its words cannot steer a terminal', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 403, body: 'no\u001b[2J\u202e' }] })
    await expect(quick().json(question(network.url))).rejects.toMatchObject({
      code: 'UNIT_REFUSED',
      message: `${network.url}/ answered 403: no?[2J?`
    })
    expect(network.requests).toHaveLength(1)
  })
})

describe('bounds', () => {
  it('an answer of exactly the bound is taken, one byte more is not', async () => {
    const body = 'x'.repeat(200)
    const { url } = await start({ faults: [{ kind: 'status', status: 200, body }] })
    expect((await quick().bytes({ ...question(url), maxBytes: 200 })).bytes.toString()).toBe(body)
    await expect(quick().bytes({ ...question(url), maxBytes: 199 })).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
  })

  it('an answer that drips may take longer than silence, but not for ever', async () => {
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
      message: `${url} did not answer: it did not answer in time`
    })
  })

  it('a length that says too much is believed before the body is read', async () => {
    let attempts = 0
    const url = await serve((_, response) => {
      attempts++
      response.writeHead(200, { 'content-length': 1_001 }).flushHeaders()
    })
    const http = quick({ limits: { idleMs: 60_000, contentAttempts: 2 } })
    await expect(http.bytes(question(url))).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
    expect(attempts).toBe(2)
  })

  it('no more requests at a time than allowed, at each host', async () => {
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
    // That the host is full does not hold up another, and its round trip leaves time for a fourth request.
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

  it('requests that wait for their turn are never made after an abort', async () => {
    const network = await start({ faults: [{ kind: 'hang' }] })
    const stop = new AbortController()
    const http = quick({ limits: { concurrency: 3, idleMs: 60_000 }, signal: stop.signal })
    const all = Promise.allSettled(Array.from({ length: 10 }, () => http.json(question(network.url))))
    while (network.requests.length < 3) await new Promise(setImmediate)
    stop.abort()
    expect((await all).map((one) => one.status === 'rejected' && one.reason.code)).toEqual(Array(10).fill('INTERRUPTED'))
    expect(network.requests).toHaveLength(3)
  })

  it('Retry-After is waited for, and does not use up patience', async () => {
    const { url } = await start({ faults: [{ kind: 'status', status: 429, headers: { 'retry-after': '1' }, times: 2 }] })
    const begun = performance.now()
    await quick({ limits: { patienceMs: 500 } }).json(question(url))
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1_980)
  })

  it.each(['soon', '-5', '', 'Thu, 01 Jan 1970 00:00:00 GMT'])('Retry-After: %j is no wait', async (text) => {
    const network = await start({ faults: [{ kind: 'status', status: 429, headers: { 'retry-after': text }, times: 2 }] })
    const begun = performance.now()
    await quick().json(question(network.url))
    expect(performance.now() - begun).toBeLessThan(900)
    expect(network.requests).toHaveLength(3)
  })

  it('Retry-After as a date is bounded too', async () => {
    const headers = { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }
    const network = await start({ faults: [{ kind: 'status', status: 503, headers, times: 1 }] })
    const begun = performance.now()
    await quick({ limits: { retryAfterMaxMs: 200 } }).json(question(network.url))
    expect(performance.now() - begun).toBeGreaterThanOrEqual(195)
    expect(network.requests).toHaveLength(2)
  })

  it('Retry-After cannot hold anybody for long', async () => {
    const network = await start({ faults: [{ kind: 'status', status: 429, headers: { 'retry-after': '99999' } }] })
    const begun = performance.now()
    const limits = { patienceMs: 300, retryAfterMaxMs: 300 }
    await expect(quick({ limits }).json(question(network.url))).rejects.toMatchObject({ code: 'UNIT_UNREACHABLE' })
    expect(performance.now() - begun).toBeLessThan(3_000)
  })
})

describe('depth', () => {
  const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}"]["${']'.repeat(levels)}`) as unknown
  const asked = async (levels: number) => {
    const claim = { id: messageId(1), status: 200, result: { Output: nested(levels) } }
    const network = await start({ claims: [claim] })
    const url = `${network.url}/result/${messageId(1)}?process-id=${PROCESS}`
    return quick().json({ role: 'compute-unit', url, maxBytes: 100_000 })
  }

  it('takes what nests like an answer', async () => {
    expect((await asked(499)).status).toBe(200)
  })

  it('refuses what could not be written back', async () => {
    await expect(asked(500)).rejects.toMatchObject({ code: 'WIRE_INVALID' })
  })
})

describe('redirects', () => {
  it('to the same origin are followed, the query as in Location', async () => {
    const network = await start({ faults: [{ kind: 'redirect', location: '/cron/x?a=%2B&b', path: '/first' }] })
    await quick().json({ ...question(network.url), url: `${network.url}/first` })
    expect(network.requests.map(({ what }) => what)).toEqual(['/first', '/cron/x?a=%2B&b'])
  })

  it('in circles end', async () => {
    const network = await start({ faults: [{ kind: 'redirect' }] })
    await expect(quick().json(question(network.url))).rejects.toMatchObject({
      code: 'WIRE_INVALID',
      message: `${network.url}/ redirects more than 20 times`
    })
    expect(network.requests).toHaveLength(21)
  })

  it('to a private address elsewhere are refused before it is asked, unless the user named it or allows them', async () => {
    const inside = await start()
    const { url } = await start({ faults: [{ kind: 'redirect', location: `${inside.url}/` }] })
    await expect(quick().json(question(url))).rejects.toMatchObject({ code: 'ADDRESS_FORBIDDEN' })
    expect(inside.requests).toEqual([])
    await quick({ trusted: [`${inside.url}/base`] }).json(question(url))
    await quick({ allowPrivate: true }).json(question(url))
    expect(inside.requests).toHaveLength(2)
  })

  it.each(['file:///etc/passwd', 'ftp://unit/', 'http://[', 'javascript:0', 'http://u:p@unit/'])(
    'to %s are refused, whatever is allowed',
    async (location) => {
      const { url } = await start({ faults: [{ kind: 'redirect', location }] })
      await expect(quick({ allowPrivate: true }).json(question(url))).rejects.toMatchObject({ code: 'WIRE_INVALID' })
    }
  )
})

it('asks for bytes as they are', async () => {
  const network = await start()
  await quick().bytes(question(network.url))
  expect(network.requests[0]?.headers['accept-encoding']).toBe('identity')
})

describe('an interruption ends it at once', () => {
  it('while an answer is on its way', async () => {
    const stop = new AbortController()
    const url = await serve((_, response) => {
      response.write('[', () => stop.abort())
    })
    const http = quick({ signal: stop.signal, limits: { idleMs: 60_000 } })
    await expect(http.json(question(url))).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  it('while it waits between two attempts', async () => {
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

  it('while Retry-After is waited for', async () => {
    const stop = new AbortController()
    const network = await start({ faults: [{ kind: 'status', status: 429, headers: { 'retry-after': '50' } }] })
    const asked = quick({ signal: stop.signal }).json(question(network.url))
    const ended = expect(asked).rejects.toMatchObject({ code: 'INTERRUPTED' })
    while (network.requests.length === 0) await new Promise(setImmediate)
    stop.abort()
    await ended
  })
})

it('is interrupted before it begins', async () => {
  const network = await start()
  await expect(quick({ signal: AbortSignal.abort() }).json(question(network.url))).rejects.toMatchObject({
    code: 'INTERRUPTED'
  })
  expect(network.requests).toEqual([])
})

describe('a name that others name', () => {
  it('is resolved once, and the connection goes to that very address', async () => {
    const asked: string[] = []
    const url = await serve((request, response) => {
      asked.push(request.headers.host ?? '')
      response.end('{}')
    })
    const { port } = new URL(url)
    const name = `http://rebinding.invalid:${port}`
    // Nobody knows the name, so that an answer shows that it was not resolved again.
    const answer = await quick().json({ ...question(name), destination: ['127.0.0.1'] })
    expect([answer.status, asked]).toEqual([200, [`rebinding.invalid:${port}`]])
  })

  it('is looked up at a redirect, once, before anything is connected', async () => {
    const looked: string[] = []
    let answers = ['8.8.8.8', '10.0.0.1']
    const http = quick({
      limits: { patienceMs: 50, idleMs: 50 },
      async lookUp(host) {
        looked.push(host)
        const now = answers
        // A name server that says something else the second time.
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
