/** Checks signed answers of a real HyperBEAM node: what is judged, byte for byte, and that no changed one is accepted. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'

const FOLDER = path.resolve('../shared/hyperbeam')
const load = (name) => import(pathToFileURL(path.resolve(`dist/src/${name}.js`)).href)
const { verifyHttpMessage, signatureBase, coveredName, createMessageIds } = await load('httpsig-exports')
const { verifyDataItem } = await load('ans104-exports')
/** Another implementation of the same protocol. */
const other = await import(pathToFileURL(path.join(FOLDER, 'verify-httpsig.mjs')).href)

const SEED = 20_261_130
/** Changed answers to be tried at least. */
const MIN_CHANGES = 5000
const MAX_CASE_MS = 2000

const bodyOf = (message) => Buffer.from(message.bodyBase64 ?? '', 'base64')
const holds = (one) =>
  one.kind === 'signature' || one.kind === 'checksum' || (one.kind === 'item' && one.differing.length === 0)
const withoutAt = (name) => name.replace(/^@/, '')

/** Every recorded answer with headers. */
function* answers() {
  for (const capture of readdirSync(path.join(FOLDER, 'captures')).sort()) {
    const folder = path.join(FOLDER, 'captures', capture)
    for (const file of readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl.gz'))
      .sort()) {
      const text = gunzipSync(readFileSync(path.join(folder, file))).toString()
      for (const line of text.trim().split('\n')) {
        const { request, response } = JSON.parse(line)
        if (!Array.isArray(response?.headers)) continue
        yield { title: `${capture}/${file} ${request.url}`, headers: response.headers, body: bodyOf(response) }
      }
    }
  }
}

/** How this project names the ways in which the other implementation comes to a signed form. */
const FORMS = {
  wire: 'as sent',
  'links recomputed': 'ids computed',
  'links recomputed, status type dropped': 'ids computed, type of status left out'
}

/** An empty value, shown as a page for people: its digest is covered and was not sent. */
const showsEmptyValue = (headers, names) =>
  names.includes('content-digest') && headers.every(([name]) => name !== 'content-digest')

/** Checks one commitment in the headers against what a vector says of it. */
function checkCommitment(found, expected, headers) {
  const algorithms = { signature: 'rsa-pss-sha512', checksum: 'hmac-sha256', item: 'ans104@1.0/rsa-pss-sha256' }
  const { id, alg, committer, tag, covered, how, signatureBaseLatin1: base } = expected
  assert.equal(found.algorithm, algorithms[found.kind])
  const judged = [found.id, found.algorithm, found.signer, found.tag, found.names.map(withoutAt)]
  assert.deepEqual(judged, [id, alg, committer, tag, covered])
  if (found.kind === 'item') {
    assert.deepEqual(found.differing, [])
    const [input] = other.parseDict(headers.find(([name]) => name === 'signature-input')[1])
    const lines = covered.map((name) => [name, headers.find(([header]) => header === name)[1]])
    const built = signatureBase(
      lines.map(([name, value]) => ({ name: coveredName(name), value: Buffer.from(value, 'latin1') })),
      new Map(input.params)
    )
    assert.equal(Buffer.from(built.value).toString('latin1'), base)
    return
  }
  assert.equal(found.form, showsEmptyValue(headers, covered) ? 'as sent' : FORMS[how])
  assert.equal(Buffer.from(found.base).toString('latin1'), base)
}

function checkVector({ exchange, verdict, name }) {
  const { headers } = exchange.response
  const body = bodyOf(exchange.response)
  if (name === 'message-as-ans104') {
    assert.equal(verifyDataItem(body).status, 'valid')
    return 'a valid item'
  }
  const judged = verifyHttpMessage(headers, body)
  assert.ok(judged.ok, judged.reason)
  const { commitments, nested } = judged.value
  assert.equal(commitments.length, verdict.commitments.length)
  for (const [place, expected] of verdict.commitments.entries()) checkCommitment(commitments[place], expected, headers)
  const inner = nested.flatMap(({ path: names, commitments: all }) => all.map((one) => ({ path: `/${names.join('/')}`, one })))
  assert.equal(inner.length, verdict.nested.total)
  assert.ok(inner.every(({ one }) => holds(one)))
  const signed = inner.filter(({ one }) => one.kind !== 'checksum')
  assert.deepEqual(
    signed.map((found) => [found.path, found.one.id, found.one.signer]),
    verdict.nested.rsa.map((expected) => [expected.path, expected.id, expected.committer])
  )
  return `${commitments.length} commitments, ${inner.length} nested`
}

function checkVectors() {
  const names = readdirSync(path.join(FOLDER, 'vectors')).sort()
  assert.equal(names.length, 26)
  for (const name of names) {
    try {
      checkVector(JSON.parse(readFileSync(path.join(FOLDER, 'vectors', name), 'utf8')))
    } catch (error) {
      throw new Error(`${name}: ${error.message}`)
    }
  }
  return `${names.length} vectors, with their exact signature bases`
}

function checkIds() {
  const field = (text) => Buffer.from(text)
  const tag = {
    fields: new Map([
      ['name', field('Data-Protocol')],
      ['value', field('ao')]
    ]),
    children: new Map()
  }
  assert.equal(createMessageIds().idOf(tag).value, 'mxqlb8xnFF9WZwnz2Qe0nLz-rZ1kGjYdHynbolD0v2M')
  const { exchange, verdict } = JSON.parse(readFileSync(path.join(FOLDER, 'vectors/schedule-empty.json'), 'utf8'))
  const empty = createMessageIds().idOf({ fields: new Map(), children: new Map() }).value
  assert.match(verdict.commitments[0].signatureBaseLatin1, new RegExp(`^"assignments\\+link": ${empty}$`, 'm'))
  const judged = verifyHttpMessage(exchange.response.headers, bodyOf(exchange.response)).value
  const linked = judged.commitments.find(({ kind }) => kind === 'signature').content.messages.get('assignments')
  assert.equal(linked.kind, 'whole')
  return 'of a message with fields, and of the empty one'
}

function checkAgreement() {
  let signed = 0
  let inner = 0
  for (const { title, headers, body } of answers()) {
    const judged = verifyHttpMessage(headers, body)
    assert.ok(judged.ok, `${title}: ${judged.reason}`)
    const { commitments, nested } = judged.value
    const expected = other.verifyMessage(headers, body)
    assert.equal(commitments.length > 0 && commitments.every(holds), expected.ok, title)
    assert.deepEqual(
      commitments.map(({ id }) => id),
      expected.commitments.map(({ id }) => id),
      title
    )
    if (commitments.length === 0) continue
    signed++
    const found = nested.flatMap(({ path: names, commitments: all }) =>
      all.map((one) => [`/${names.join('/')}`, one.id, holds(one)])
    )
    const others = other.verifyNested(other.treeOf(headers, body)).map(({ path: at, id, ok }) => [at, id, ok])
    assert.deepEqual(found, others, title)
    inner += found.length
  }
  assert.ok(signed > 0)
  return `${signed} signed answers, ${inner} nested commitments`
}

/** A generator of numbers that are the same in every run (a linear congruence, its high bits). */
function randomNumbers(seed) {
  let state = BigInt(seed)
  return (below) => {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n)
    return Number(state >> 33n) % below
  }
}

/** Bytes with one bit changed, and which byte that was. */
function changedBit(bytes, random) {
  const changed = Buffer.from(bytes)
  const at = random(changed.length)
  changed[at] ^= 1 << random(8)
  return { changed, at }
}

/** The places in the header `signature` and `signature-input` that belong to one commitment. */
function memberAt(value, at) {
  return value.slice(0, at).split(', comm-').length - 1
}

/** An answer with one bit changed, in a header that some commitment covers, in a signature, or in the body. */
function* changesOf({ headers, body }, commitments, random) {
  const covered = new Set(commitments.flatMap(({ names }) => names.map(withoutAt)))
  for (const [place, [name, value]] of headers.entries()) {
    const isSignature = name === 'signature' || name === 'signature-input'
    if (value.length === 0 || !(isSignature || covered.has(name))) continue
    for (let round = 0; round < (isSignature ? 3 : 1); round++) {
      const { changed, at } = changedBit(Buffer.from(value, 'latin1'), random)
      const altered = headers.with(place, [name, changed.toString('latin1')])
      const refused = isSignature
        ? [memberAt(value, at)]
        : commitments.flatMap(({ names }, one) => (names.some((listed) => withoutAt(listed) === name) ? [one] : []))
      yield { what: name, headers: altered, body, refused }
    }
  }
  if (body.length === 0 || headers.every(([name]) => name !== 'content-digest')) return
  for (let round = 0; round < 3; round++) {
    const { changed } = changedBit(body, random)
    yield { what: 'the body', headers, body: changed, refused: commitments.map((_, place) => place) }
  }
}

function checkChanges() {
  const random = randomNumbers(SEED)
  let tried = 0
  let slowestMs = 0
  for (const answer of answers()) {
    const judged = verifyHttpMessage(answer.headers, answer.body)
    if (!judged.ok || judged.value.commitments.length === 0) continue
    for (const { what, headers, body, refused } of changesOf(answer, judged.value.commitments, random)) {
      const begun = performance.now()
      const found = verifyHttpMessage(headers, body)
      slowestMs = Math.max(slowestMs, performance.now() - begun)
      tried++
      if (!found.ok) continue
      for (const place of refused) {
        const one = found.value.commitments[place]
        assert.ok(!holds(one), `${answer.title}: ${what} was changed, and ${one.algorithm} still holds`)
      }
    }
  }
  assert.ok(tried >= MIN_CHANGES, `only ${tried} changes were tried`)
  assert.ok(slowestMs < MAX_CASE_MS, `one took ${slowestMs} ms`)
  return `${tried} changes, seed ${SEED}, none accepted, ${Math.round(slowestMs)} ms at most`
}

/** Bytes of a hostile kind in place of the body or of a header. */
function checkGarbage() {
  const random = randomNumbers(SEED + 1)
  const signed = [...answers()].filter(({ headers }) => headers.some(([name]) => name === 'signature-input'))
  let tried = 0
  for (let round = 0; round < 3000; round++) {
    const { headers, body } = signed[random(signed.length)]
    const cut = body.subarray(random(body.length + 1), random(body.length + 1))
    const without = headers.filter(([name]) => name !== 'content-digest' && random(20) > 0)
    const judged = verifyHttpMessage(
      [...without, headers[random(headers.length)]],
      random(2) === 0 ? cut : changedOften(body, random)
    )
    if (judged.ok) assert.ok(judged.value.commitments.every(({ kind }) => typeof kind === 'string'))
    else assert.equal(typeof judged.reason, 'string')
    tried++
  }
  return `${tried} messages that were cut and altered`
}

function changedOften(bytes, random) {
  const changed = Buffer.from(bytes)
  if (changed.length > 0) for (let round = 0; round < 8; round++) changed[random(changed.length)] = random(256)
  return changed
}

export const hyperbeamVectorCases = [
  { title: 'vectors of signed answers', check: checkVectors },
  { title: 'ids of unsigned messages', check: checkIds },
  { title: 'all signed answers, as another implementation has them', check: checkAgreement },
  { title: 'one bit changed', check: checkChanges },
  { title: 'cut and altered', check: checkGarbage }
]
