/**
 * Checks foreign items, bundles, schedules and JSON as their README says, and again with changed bytes.
 * `node test/captures/vectors.mjs [cases]`, after `npm run build`, from the repository's folder.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = path.join(process.cwd(), '../shared/vectors')
const load = (name) => import(pathToFileURL(path.join(process.cwd(), `dist/src/${name}.js`)).href)
const { parseDataItem, verifyDataItem, verifyItem, idOfSignature } = await load('ans104/data-item')
const { decodeTags } = await load('ans104/avro-tags')
const { parseBundle } = await load('ans104/bundle')
const { createItemStream } = await load('ans104/item-stream')
const { createScheduleVerifier } = await load('verify/verify-schedule')
const { coveredName } = await load('httpsig/field-names')
const { HTTPSIG_LIMITS } = await load('httpsig/httpsig-limits')
const { latin1, signatureBase } = await load('httpsig/signature-base')
const { signingKey, signsFields } = await load('httpsig/signing-key')
const { parseSignatureInputs, parseSignatures } = await load('httpsig/structured-fields')
const { verifyMessage } = await load('verify/message-item')
const { verifyTransaction } = await load('ans104/transaction')
const { wireOfItem } = await load('verify/as-signed')

const CASES = Number(process.argv[2] ?? 100_000)
const SEED = 20_260_706
/** Allowed growth of the process's memory since the start of the fuzzing. */
const MAX_GROWTH_BYTES = 256 * 1024 * 1024
const MAX_CASE_MS = 2000

const bytesOf = (name) => readFileSync(path.join(folder, name))
const jsonOf = (name) => JSON.parse(bytesOf(name).toString())
const names = (name) => readdirSync(path.join(folder, name)).sort()
const tag = (item, name) => item.tags.find((one) => one.name === name)?.value
const text = (value) => Buffer.from(value, 'base64url').toString()

let passed = 0
let failed = 0
function check(title, judge) {
  const begun = performance.now()
  let words = ''
  try {
    words = judge() ?? ''
    passed++
  } catch (error) {
    failed++
    words = `FAILED: ${error.message}`
  }
  console.log(`  ${title.padEnd(58)} ${((performance.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${words}`)
}

function parsed(bytes) {
  const item = parseDataItem(bytes)
  assert.ok(item.ok, item.reason)
  return item.value
}

/** The items of a bundle, all readable and with valid signatures. */
function wholeBundle(bytes, count) {
  const bundle = parseBundle(bytes, { maxDepth: 4, maxItems: 1000, tags: LIMITS })
  assert.ok(bundle.ok, bundle.reason)
  for (const { id, item, unopened } of bundle.value) {
    assert.ok(item.ok, item.reason)
    assert.equal(unopened, undefined)
    assert.deepEqual(verifyItem(item.value), { status: 'valid' }, id)
  }
  assert.equal(bundle.value.length, count)
  return bundle.value.map(({ item }) => item.value)
}
const LIMITS = { maxTags: 1000, maxBytes: 65_536, maxNameBytes: 65_536, maxValueBytes: 65_536 }

/** A bundle's assignment in the form of the scheduler's JSON with `show-anchor`. */
function scheduled(assignment, message) {
  const { data: _, ...wire } = { ...wireOfItem(assignment), anchor: Buffer.from(assignment.anchor).toString('base64url') }
  return {
    nonce: Number(tag(assignment, 'Nonce')),
    epoch: Number(tag(assignment, 'Epoch')),
    timestamp: Number(tag(assignment, 'Timestamp')),
    blockHeight: Number(tag(assignment, 'Block-Height')),
    hashChain: tag(assignment, 'Hash-Chain'),
    assignment: wire,
    message: message === undefined ? null : wireOfItem(message),
    messageId: tag(assignment, 'Message') ?? tag(assignment, 'Process')
  }
}

/** Reads an upload of a scheduler: an item that contains [assignment, message] or the assignment alone. */
function upload(name) {
  const bytes = bytesOf(name)
  assert.deepEqual(verifyDataItem(bytes), { status: 'valid' }, name)
  const outer = parsed(bytes)
  assert.equal(tag(outer, 'Bundle-Format'), 'binary')
  const count = Number(Buffer.from(outer.data.subarray(0, 8)).readBigUInt64LE())
  const [assignment, message] = wholeBundle(outer.data, count)
  return scheduled(assignment, message)
}

console.log('\nvectors')

check('a schedule of 31 uploads', () => {
  const all = names('schedules/list1').map((name) => upload(`schedules/list1/${name}`))
  const process = tag(all[0].assignment, 'Process')
  assert.equal(process, 'DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo')
  assert.deepEqual(
    all.map(({ nonce }) => nonce),
    [...Array(31).keys()]
  )
  const schedulerAddress = all[0].assignment.owner.address
  const verifier = createScheduleVerifier({ process: { id: process, blockHeight: 1_500_000 }, schedulerAddress })
  for (const one of all) {
    const verdict = verifyMessage(one.assignment)
    assert.deepEqual(verdict, { status: 'valid' })
    if (one.message !== null) assert.equal(verifyMessage(one.message).status, 'valid')
    const step = verifier.add(one, verdict)
    assert.deepEqual(step, { findings: [], proven: true }, `nonce ${one.nonce}: ${JSON.stringify(step.findings)}`)
  }
  const missing = all.filter(({ message }) => message === null).length
  assert.equal(missing, 15)
  return `31 assignments proven, 30 of 30 links, ${missing} without their message`
})

check('an upload of a message and one of a process', () => {
  upload('schedules/single_message/00.dataitem')
  upload('schedules/single_process/00.dataitem')
})

check('single items, named by their ids', () => {
  for (const name of names('items')) {
    const id = name.replace('.dataitem', '')
    assert.deepEqual(verifyDataItem(bytesOf(`items/${name}`), id), { status: 'valid' }, name)
    assert.equal(verifyDataItem(bytesOf(`items/${name}`), `A${id.slice(1)}`).status, 'invalid')
  }
})

check("a scheduler's page and process", () => {
  const { message, assignment } = jsonOf('scheduler-json/su_process_0HESttvc_page.json').edges[0].node
  assert.deepEqual(verifyMessage(message), { status: 'valid' })
  const verdict = verifyMessage(assignment)
  assert.deepEqual([verdict.status, verdict.hidden], ['unverifiable', ['anchor']])
  assert.deepEqual(verifyMessage(processWire()), { status: 'valid' })
})

function processWire() {
  const { process_id: id, target = null, ...process } = jsonOf('scheduler-json/su_processes_0HESttvc.json')
  return { ...process, id, target }
}

check('messages of the older JSON form', () => {
  for (const wire of olderMessages()) assert.deepEqual(verifyMessage(wire), { status: 'valid' })
})

function olderMessages() {
  const nodes = [
    jsonOf('scheduler-json/spec_legacy_message_ZLc9.json'),
    jsonOf('scheduler-json/spec_legacy_message_cWT4.json').edges[0].node
  ]
  return nodes.map(({ message, owner, process_id: target, data }) => ({
    ...message,
    owner,
    target,
    anchor: null,
    data: text(data)
  }))
}

const PARTS = /bundleTx|bundleTransaction|Header/i
const BUNDLES = { goar__bundleData: 2, 'liteseed__signed-bundle': 1 }
const NESTED = { turbo__bdiDataItem: 1, turbo__bdiDataItemWithTwoNestedItems: 2 }

for (const name of names('ans104')) {
  check(name, () => {
    const bytes = bytesOf(`ans104/${name}`)
    if (/bundleTx|bundleTransaction/.test(name)) {
      assert.deepEqual(verifyTransaction(JSON.parse(bytes.toString())), { status: 'valid' })
      return 'a transaction with a valid signature'
    }
    if (PARTS.test(name)) {
      assert.equal(verifyDataItem(bytes).status, 'invalid')
      assert.equal(parseBundle(bytes).ok, false)
      return 'a part, not an item'
    }
    if (name in BUNDLES) return `a bundle of ${wholeBundle(bytes, BUNDLES[name]).length}`
    const verdict = verifyDataItem(bytes)
    if (name === 'turbo__stubInvalidDataItem') {
      assert.equal(verdict.status, 'invalid')
      return verdict.reason
    }
    assert.deepEqual(verdict, { status: 'valid' })
    const item = parsed(bytes)
    const inner = name in NESTED ? `, ${wholeBundle(item.data, NESTED[name]).length} valid in it` : ''
    return `type ${item.signatureType}, ${item.tags.length} tags${inner}`
  })
}

/** Verifies headers whose body was not kept: what is covered by its digest is not looked at. */
function verifyHeaders(headers) {
  const [{ names: covered, parameters }] = parseSignatureInputs(headers.get('signature-input'), HTTPSIG_LIMITS).value
  const [signature] = parseSignatures(headers.get('signature'), HTTPSIG_LIMITS).value.values()
  const lines = covered.map(coveredName).map((name) => ({ name, value: latin1(headers.get(name.line)) }))
  assert.equal(parameters.get('alg'), 'rsa-pss-sha512')
  return { covered, holds: signsFields(signingKey(parameters.get('keyid')), signatureBase(lines, parameters).value, signature) }
}

for (const name of names('httpsig')) {
  check(name, () => {
    const headers = Object.entries(jsonOf(`httpsig/${name}`).headers)
    const { covered, holds } = verifyHeaders(new Map(headers))
    assert.ok(holds)
    for (const listed of covered) {
      const key = listed.replace('@', '')
      const changed = headers.map(([header, value]) => [header, header === key ? `${value}x` : value])
      assert.ok(!verifyHeaders(new Map(changed)).holds, listed)
    }
    return `covers ${covered.length} headers, none of which can be changed`
  })
}

console.log(`\nfuzzing, ${CASES} cases, seed ${SEED}`)

/** A generator of 32-bit numbers that are the same in every run (mulberry32). */
function randomNumbers(seed) {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
const random = randomNumbers(SEED)
const pick = (list) => list[random(list.length)]

/** Flips bits, cuts off bytes or overwrites one; may leave the bytes unchanged. */
function mutate(bytes) {
  const changed = Buffer.from(bytes)
  const kind = random(8)
  if (kind === 0) return changed.subarray(0, random(changed.length))
  // Half of the flips hit the header, which contains the lengths and the layout.
  const place = () => (random(2) === 0 ? random(changed.length) : random(Math.min(changed.length, 1400)))
  if (kind === 1) changed.writeUInt8(pick([0, 1, 0x7f, 0x80, 0xff]), place())
  else for (let flips = kind < 6 ? 1 : 1 + random(8); flips > 0; flips--) changed[place()] ^= 1 << random(8)
  return changed
}

const items = [
  ...names('schedules/list1').map((name) => `schedules/list1/${name}`),
  ...names('items').map((name) => `items/${name}`),
  ...names('ans104')
    .filter((name) => !PARTS.test(name) && !(name in BUNDLES))
    .map((name) => `ans104/${name}`)
].map(bytesOf)
const small = items.filter((bytes) => bytes.length < 16_384)
const bundles = [
  ...Object.keys(BUNDLES).map((name) => bytesOf(`ans104/${name}`)),
  ...names('schedules/list1').map((name) => Buffer.from(parsed(bytesOf(`schedules/list1/${name}`)).data))
]
const wires = [
  ...olderMessages(),
  processWire(),
  jsonOf('scheduler-json/su_process_0HESttvc_page.json').edges[0].node.message,
  ...names('schedules/list1')
    .slice(0, 4)
    .map((name) => upload(`schedules/list1/${name}`).assignment)
]

function fuzzItem() {
  const bytes = random(200) === 0 ? pick(items) : pick(small)
  const changed = mutate(bytes)
  if (changed.equals(bytes)) return 'same'
  const { status } = verifyDataItem(changed)
  assert.notEqual(status, 'valid', `a forgery: ${changed.toString('base64url').slice(0, 2000)}`)
  if (random(8) === 0) assert.equal(streamed(changed), status)
  return status
}

function streamed(bytes) {
  const stream = createItemStream()
  for (let start = 0; start < bytes.length; ) {
    const end = start + 1 + random(2000)
    if (!stream.write(bytes.subarray(start, end))) break
    start = end
  }
  return stream.end().status
}

const genuine = new Map(
  bundles.flatMap((bytes) => parseBundle(bytes).value.map(({ item }) => [idOfSignature(item.value.signature), item.value]))
)

function fuzzBundle() {
  const bundle = parseBundle(mutate(pick(bundles)))
  if (!bundle.ok) return 'malformed'
  for (const { item } of bundle.value) {
    if (!item.ok || verifyItem(item.value).status !== 'valid') continue
    const { data, owner, target, anchor, rawTags } = genuine.get(idOfSignature(item.value.signature)) ?? {}
    for (const [name, field] of Object.entries({ data, owner, target, anchor, rawTags })) {
      assert.ok(field !== undefined && Buffer.compare(field, item.value[name]) === 0, `a forgery: another ${name}`)
    }
  }
  return 'read'
}

/** The wire form in which null and empty text are the same. */
const canonical = (wire) => JSON.stringify({ ...wire, target: wire.target ?? '', anchor: wire.anchor ?? '' })

function fuzzWire() {
  const wire = pick(wires)
  const changed = structuredClone(wire)
  const holders = [changed, changed.owner, ...changed.tags]
  const holder = pick(holders)
  const key = pick(
    Object.keys(holder).filter(
      (name) => name !== 'block' && name !== 'timestamp' && (typeof holder[name] === 'string' || holder[name] === null)
    )
  )
  const value = holder[key] ?? ''
  const place = random(value.length + 1)
  const letter = pick(['A', 'B', '_', '-', '=', '+', ' ', '\0', '\u{FFFD}', '\uD800', 'é', '😀'])
  holder[key] = pick([
    value.slice(0, place) + letter + value.slice(place + 1),
    value.slice(0, place),
    null,
    `${value}${letter}`
  ])
  if (holder[key] === null && !['anchor', 'target', 'data'].includes(key)) holder[key] = ''
  if (random(20) === 0) changed.tags.splice(random(changed.tags.length), 1)
  if (random(20) === 0) changed.tags.push(pick(changed.tags) ?? { name: '__proto__', value: 'x' })
  if (canonical(changed) === canonical(wire)) return 'same'
  const { status } = verifyMessage(changed)
  assert.notEqual(status, 'valid', `a forgery: ${key} of ${JSON.stringify(changed).slice(0, 2000)}`)
  return status
}

function fuzzTags() {
  const bytes = Buffer.from(Array.from({ length: random(64) }, () => (random(2) === 0 ? random(8) : random(256))))
  const tags = decodeTags(bytes, { maxTags: 32, maxBytes: 64, maxNameBytes: 32, maxValueBytes: 32 })
  if (!tags.ok) return 'malformed'
  assert.ok(tags.value.length <= 32)
  return 'read'
}

function fuzz(title, share, one) {
  const count = Math.ceil(CASES * share)
  check(`${title}, ${count} cases`, () => {
    const seen = {}
    const before = process.memoryUsage.rss()
    let peak = before
    let longest = 0
    for (let round = 0; round < count; round++) {
      const begun = performance.now()
      const what = one()
      longest = Math.max(longest, performance.now() - begun)
      seen[what] = (seen[what] ?? 0) + 1
      if (round % 500 === 0) peak = Math.max(peak, process.memoryUsage.rss())
    }
    assert.ok(peak - before < MAX_GROWTH_BYTES, `memory grew by ${((peak - before) / 2 ** 20).toFixed(0)} MiB`)
    assert.ok(longest < MAX_CASE_MS, `one case took ${longest.toFixed(0)} ms`)
    assert.ok((seen.same ?? 0) < count / 5, 'too many cases change nothing')
    const counts = Object.entries(seen).map(([what, times]) => `${times} ${what}`)
    return `${counts.join(', ')}; longest ${longest.toFixed(0)} ms, memory +${((peak - before) / 2 ** 20).toFixed(0)} MiB`
  })
}

fuzz('items', 0.85, fuzzItem)
fuzz('bundles', 0.05, fuzzBundle)
fuzz('scheduler JSON', 0.1, fuzzWire)
fuzz('tags', 0.2, fuzzTags)

console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
