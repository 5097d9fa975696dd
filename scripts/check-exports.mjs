/**
 * Fails where an export of the package speaks of a type that the same entry does not export, or where an exported function does not
 * say with which errors it fails.
 */
import { readFileSync } from 'node:fs'
import { undocumentedErrors, unnamedTypes } from './exports.mjs'

const ENTRIES = ['index', 'ans104-exports', 'httpsig-exports', 'verify-exports', 'replay-exports'].map(
  (name) => `src/${name}.ts`
)
const codes = new Set(
  Array.from(readFileSync('src/model/errors.ts', 'utf8').matchAll(/^ {2}'([A-Z_]+)',?$/gm), ([, code]) => code)
)
const faults = [...unnamedTypes(process.cwd(), ENTRIES), ...undocumentedErrors(process.cwd(), ENTRIES, codes)]
for (const line of faults) console.error(line)
if (faults.length > 0) process.exitCode = 1
