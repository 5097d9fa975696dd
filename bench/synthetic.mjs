/** A process of many small messages, made up and signed, as an archive: schedule, module, a unit's true claims, checkpoints. */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import wabt from 'wabt'
import { encodeTags } from '../dist/src/ans104/avro-tags.js'
import { signedMessage } from '../dist/src/ans104/data-item.js'
import { deepHash } from '../dist/src/ans104/deep-hash.js'
import { planSubject, readSubject } from '../dist/src/audit/subject.js'
import { createInputs, runPrefixes, transactionKey } from '../dist/src/inputs/inputs.js'
import { LOADER_0_0_49 } from '../dist/src/replay/profile.js'
import { replay } from '../dist/src/replay/replay.js'
import { writeArchive } from '../dist/src/store/archive.js'
import { openStore } from '../dist/src/store/level-store.js'
import { createTrust } from '../dist/src/verify/trust.js'
import { createVerifier } from '../dist/src/verify/verification-threads.js'

const ED25519 = 2
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
const EMPTY = new Uint8Array()
const BEGAN_MS = 1_720_000_000_000
const INTERVAL_MS = 1500
const FIRST_HEIGHT = 1_500_000
const UNIT = 'https://cu.example'
const GATEWAY = 'https://gateway.example'
const BATCH = 1000
const COVERS = ['Messages', 'Spawns', 'Assignments', 'Output', 'Error']

/**
 * Writes the archive; what is made is held in batches only.
 *
 * @param messages the last nonce; nonce 0 is the process's own message
 * @param folder for the store that the archive is written from
 * @param work how often the module turns its wheel for a message
 * @param checkpointEvery after how many messages the unit made a checkpoint; none where not given
 */
export async function writeSyntheticArchive({ messages, folder, file, work = 0, checkpointEvery }) {
  const store = await openStore(path.join(folder, `store-${messages}`))
  try {
    const inputs = createInputs(store)
    const run = await fill(inputs, messages, work)
    const { tags } = await inputs.process(run.process)
    const moduleId = tags.find(({ name }) => name === 'Module').value
    const checkpoints = checkpointEvery === undefined ? [] : await fillCheckpoints(store, inputs, run, checkpointEvery, folder)
    const ids = [moduleId, ...checkpoints]
    const records = await Promise.all(ids.map((id) => inputs.transaction(id)))
    const prefixes = [...runPrefixes(run), ...ids.map(transactionKey)]
    const subject = { process: run.process, run: run.id }
    await writeArchive(store, { prefixes, blobs: records.map(({ data }) => data), subject }, file)
  } finally {
    await store.close()
  }
}

/** Replays all of it once, and signs the memories that lie on the way. */
async function fillCheckpoints(store, inputs, run, every, folder) {
  const verifier = createVerifier()
  const trust = createTrust([], [])
  const subject = await readSubject(store, inputs, run, verifier, trust)
  const { plan } = planSubject({ inputs, run, subject, trust })
  const ids = []
  const made = []
  const evaluations = replay({
    setup: subject.setup,
    profile: LOADER_0_0_49,
    plan: () => plan('all'),
    exportAfter: ({ nonce }) => (nonce > 0 && nonce % every === 0 ? path.join(folder, `memory-${nonce}.gz`) : undefined),
    onState: ({ nonce, key }, { sha256: hash }, memory) => void made.push({ nonce, key, hash, memory })
  })
  for await (const _ of evaluations);
  await verifier.close()
  for (const { nonce, key, hash, memory } of made) {
    const tags = [
      ...aoTags('Checkpoint'),
      tag('Process', run.process),
      tag('Epoch', '0'),
      tag('Nonce', String(nonce)),
      tag('Timestamp', String(key.timestamp)),
      tag('SHA-256', hash),
      tag('Content-Type', 'application/octet-stream'),
      tag('Content-Encoding', 'gzip')
    ]
    const data = readFileSync(memory)
    const { data: _, ...record } = item(keyOf('unit'), { tags, data })
    await inputs.putTransaction(onChain(record), data)
    ids.push(record.id)
  }
  await inputs.putCheckpoints(run, GATEWAY, ids)
  return ids
}

function onChain(record) {
  return { ...record, target: undefined, recipient: '', anchor: '', blockHeight: FIRST_HEIGHT - 100, gateway: GATEWAY }
}

async function fill(inputs, messages, work) {
  const [publisher, owner, scheduler] = ['publisher', 'owner', 'scheduler'].map(keyOf)
  const wasm = await compile(work)
  const { data: _, ...module } = item(publisher, { tags: [...aoTags('Module'), ...MODULE_TAGS], data: wasm })
  await inputs.putTransaction(onChain(module), wasm)
  const processTags = [...aoTags('Process'), tag('Module', module.id), tag('Scheduler', scheduler.owner.address)]
  const process = item(owner, { tags: processTags, data: 'process' })
  await inputs.putProcess({
    ...process,
    timestamp: BEGAN_MS,
    blockHeight: FIRST_HEIGHT
  })
  const run = {
    id: 'synthetic',
    process: process.id,
    scheduler: 'https://su.example',
    computes: [{ url: UNIT, address: keyOf('unit').owner.address }],
    from: 0,
    to: messages,
    state: 'finished'
  }
  await inputs.putRun(run)

  let chain = sha256(Buffer.from(process.id, 'base64url'))
  for (let from = 0; from <= messages; from += BATCH) {
    const schedule = []
    for (let nonce = from; nonce < Math.min(from + BATCH, messages + 1); nonce++) {
      const message = nonce === 0 ? process : messageOf(owner, process.id, nonce)
      const scheduled = assigned(scheduler, process.id, message, nonce, chain)
      chain = sha256(Buffer.concat([Buffer.from(scheduled.assignment.id, 'base64url'), chain]))
      schedule.push(scheduled)
    }
    await inputs.putSchedule(run.scheduler, process.id, schedule, [])
    await inputs.putAnswers(run, schedule.map(claimOf))
  }
  return run
}

function messageOf(owner, process, nonce) {
  return item(owner, { tags: aoTags('Message'), data: 'count', target: process, anchor: String(nonce).padStart(32, '0') })
}

function assigned(scheduler, process, message, nonce, chain) {
  const timestamp = BEGAN_MS + nonce * INTERVAL_MS
  const blockHeight = FIRST_HEIGHT + Math.floor((nonce * INTERVAL_MS) / 120_000)
  const hashChain = chain.toString('base64url')
  const tags = [
    tag('Process', process),
    tag('Epoch', '0'),
    tag('Nonce', String(nonce)),
    tag('Hash-Chain', hashChain),
    tag('Block-Height', String(blockHeight).padStart(12, '0')),
    tag('Timestamp', String(timestamp)),
    ...aoTags('Assignment'),
    ...(nonce === 0 ? [] : [tag('Message', message.id)])
  ]
  const { data: _, ...assignment } = item(scheduler, { tags })
  return { nonce, epoch: 0, timestamp, blockHeight, hashChain, assignment, message, messageId: message.id }
}

function claimOf({ nonce, timestamp, messageId }) {
  const value = { Messages: [], Assignments: [], Spawns: [], Output: String(nonce + 1).padStart(8, '0') }
  const key = { ordinate: nonce, timestamp }
  const receivedAt = '2024-07-03T09:46:40.000Z'
  return { claimant: UNIT, kind: 'result', key, messageId, covers: COVERS, value, raw: JSON.stringify(value), receivedAt }
}

/** A signed item as a scheduler shows it. */
function item({ secret, owner }, { tags, data = '', target = null, anchor = null }) {
  const bytes = {
    signatureType: ED25519,
    owner: Buffer.from(owner.key, 'base64url'),
    target: target === null ? EMPTY : Buffer.from(target, 'base64url'),
    anchor: anchor === null ? EMPTY : Buffer.from(anchor),
    rawTags: encodeTags(tags)
  }
  const signature = sign(null, signedMessage(bytes, deepHash(Buffer.from(data))), secret)
  const id = sha256(signature).toString('base64url')
  return { id, owner, tags, signature: signature.toString('base64url'), anchor, target, data }
}

function keyOf(name) {
  const secret = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, sha256(`key of ${name}`)]),
    format: 'der',
    type: 'pkcs8'
  })
  const key = Buffer.from(createPublicKey(secret).export({ format: 'jwk' }).x, 'base64url')
  return { secret, owner: { key: key.toString('base64url'), address: sha256(key).toString('base64url') } }
}

async function compile(work) {
  const text = readFileSync(new URL('counter.wat', import.meta.url), 'utf8').replace('i32.const WORK', `i32.const ${work}`)
  const parsed = (await wabt()).parseWat('counter.wat', text)
  return Uint8Array.from(parsed.toBinary({}).buffer)
}

const MODULE_TAGS = [
  tag('Module-Format', 'wasm32-unknown-emscripten4'),
  tag('Input-Encoding', 'JSON-V1'),
  tag('Output-Encoding', 'JSON-V1'),
  tag('Memory-Limit', '1-gb'),
  tag('Compute-Limit', '9000000000000'),
  tag('Content-Type', 'application/wasm')
]

function aoTags(type) {
  return [tag('Data-Protocol', 'ao'), tag('Variant', 'ao.TN.1'), tag('Type', type)]
}

function tag(name, value) {
  return { name, value }
}

function sha256(of) {
  return createHash('sha256').update(of).digest()
}
