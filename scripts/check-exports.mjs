/** Fails where an export of the package speaks of a type that the same entry does not export. */
import { unnamedTypes } from './exports.mjs'

const ENTRIES = ['src/index.ts', 'src/ans104-exports.ts', 'src/verify-exports.ts', 'src/replay-exports.ts']
const unnamed = unnamedTypes(process.cwd(), ENTRIES)
for (const line of unnamed) console.error(line)
if (unnamed.length > 0) process.exitCode = 1
