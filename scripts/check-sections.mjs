/**
 * Fails if a section mark, a link between the repository's own pages, or the name of a source file leads nowhere. Reads every file below
 * the current folder, and prints a line for each fault.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { brokenReferences } from './sections.mjs'

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', 'reports'])
/** Only their names are read. */
const WITHOUT_TEXT = /\.(?:gz|tgz|png|wasm)$/

/**
 * Leaves out folders that begin with a dot: they belong to git and other tools.
 *
 * @param {string} folder
 * @returns {Generator<string>} paths, with `/`
 */
function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const below = path.posix.join(folder, entry.name)
    if (entry.isFile()) yield below
    else if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith('.')) yield* filesBelow(below)
  }
}

const files = new Map()
for (const file of [...filesBelow('.')].sort()) files.set(file, WITHOUT_TEXT.test(file) ? '' : readFileSync(file, 'utf8'))
const broken = brokenReferences(files)
for (const line of broken) console.error(line)
process.exitCode = broken.length === 0 ? 0 : 1
