/**
 * Fails where a section mark, or a link between the repository's own pages, leads nowhere. Reads all that lies below the folder that
 * it is run in, and prints a line for each.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { brokenReferences } from './sections.mjs'

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', 'reports'])
/** Of these it only counts that they are there. */
const WITHOUT_TEXT = /\.(?:gz|tgz|png|wasm)$/

/**
 * Folders with a dot belong to git and other tools.
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
