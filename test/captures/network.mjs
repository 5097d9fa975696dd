/** Serves a capture on loopback and runs the command line against it. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseReport, verifyReportDigest } from '../../dist/src/index.js'

const SHARED = path.resolve('../shared')
const SERVER = path.join(SHARED, 'peernet/serve.mjs')
export const CLI = path.resolve('dist/bin/ao-audit.js')

/** Ends the process if there are no captures: with a failure in CI, elsewhere with a message. */
export function requireCaptures() {
  if (existsSync(SERVER)) return
  console.error('the captures are not here (../shared/captures): nothing was checked')
  process.exit(process.env.CI ? 1 : 0)
}

/** @param capture a name or the folder of a copy */
export function captureFile(capture, file) {
  return path.resolve(SHARED, 'captures', capture, file)
}

export function readCapture(capture, file) {
  return JSON.parse(readFileSync(captureFile(capture, file), 'utf8'))
}

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Serves a capture; `args` are options of the server (`--tamper`, `--fault`). */
export async function serve(capture, args = []) {
  const port = await freePort()
  const child = spawn(process.execPath, [SERVER, captureFile(capture, '.'), '--port', String(port), ...args], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let errors = ''
  child.stderr.on('data', (text) => {
    errors += text
  })
  const url = `http://127.0.0.1:${port}`
  if (!args.some((arg) => arg.startsWith('down:'))) {
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve)
      child.once('exit', () => reject(new Error(`the server ended: ${errors}`)))
    })
  }
  return {
    url,
    log: async () => (await fetch(`${url}/__log`)).text(),
    close: () => new Promise((resolve) => child.once('exit', resolve) && child.kill('SIGKILL'))
  }
}

/** Runs the command line to its end. */
export function run(args, { node = process.execPath, killAfter } = {}) {
  return new Promise((resolve) => {
    const begun = performance.now()
    const child = spawn(node, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (text) => {
      stdout += text
    })
    child.stderr.on('data', (text) => {
      stderr += text
    })
    killAfter?.(child)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr, seconds: (performance.now() - begun) / 1000 }))
  })
}

/** Runs `work` with a temporary folder. */
export async function inFolder(work) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-captures-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Audits a capture as served, in a store of its own, and reads the report. */
export async function auditCapture(capture, { serverArgs = [], args = [], node } = {}) {
  const network = await serve(capture, serverArgs)
  try {
    return await inFolder(async (store) => {
      const { process: id } = readCapture(capture, 'scenario.json')
      const units = ['--scheduler', network.url, '--gateway', network.url, '--compute', network.url]
      const ended = await run(['audit', id, ...units, '--store', store, '--json', '--quiet', ...args], { node })
      return { ...ended, report: reportIn(ended.stdout) }
    })
  } finally {
    await network.close()
  }
}

/** Pulls a capture as served into an archive. */
export async function pullCapture(capture, archive) {
  const network = await serve(capture)
  try {
    return await inFolder(async (store) => {
      const { process: id } = readCapture(capture, 'scenario.json')
      const units = ['--scheduler', network.url, '--gateway', network.url, '--compute', network.url]
      const { code, stderr } = await run(['pull', id, ...units, '--store', store, '--quiet', '-o', archive])
      if (code !== 0) throw new Error(stderr)
      return archive
    })
  } finally {
    await network.close()
  }
}

/** Reads the report in `--json` output and checks its schema and its digest; undefined if there is no report. */
export function reportIn(stdout) {
  if (!stdout.startsWith('{')) return undefined
  const report = parseReport(stdout)
  assert.ok(verifyReportDigest(report), 'the digest of the report is wrong')
  return report
}

/** Other release lines of Node; the npm package `node` contains the binary of each. */
export const NODE_VERSIONS = ['22.23.3', '24.9.0', '26.9.0']

/** The path of a version's binary, which is downloaded if missing. */
export function nodeBinary(version) {
  const folder = path.resolve('.nodes', version)
  const file = path.join(folder, 'node_modules/node/bin/node')
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{}')
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `node@${version}`], { cwd: folder, stdio: 'ignore' })
  }
  return file
}
