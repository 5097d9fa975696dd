/** A child that reports the imports that the loader offers a module of a format: keys, and the names of their functions. */
import { createRequire } from 'node:module'

const load = createRequire(import.meta.url)('@permaweb/ao-loader')
const tell = (imports) => {
  const entries = [...new Set(Object.values(imports))].flatMap((namespace) => Object.entries(namespace))
  process.send(entries.flatMap(([key, value]) => (typeof value === 'function' ? [[key, value.name]] : [])))
  return {}
}
// The loader waits for an instance that never exists.
void load(tell, { format: process.argv[2] })
process.once('disconnect', () => process.exit())
