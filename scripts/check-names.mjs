/** Fails where a file, a type or an exported function has the name of another. */
import { namesGivenTwice, sourcesBelow } from './names.mjs'

const twice = namesGivenTwice(sourcesBelow(['src', 'bin']))
for (const line of twice) console.error(line)
if (twice.length > 0) process.exitCode = 1
