/** A copy of the command in which the packages for the network throw when they are loaded. */
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './command.ts'

const OF_THE_NETWORK = ['arweave', 'arweave-graphql'] as const

interface OffLineCopy {
  readonly command: string
  /** The bundles that contain code of a package, according to their comments. */
  bundlesWith(name: string): readonly string[]
}

/** @param folder exists and is empty */
export function copyOffLine(folder: string): OffLineCopy {
  for (const name of ['dist/bin', 'demo', 'package.json'])
    cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true })
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
  const bin = path.join(folder, 'dist/bin')
  const texts = readdirSync(bin)
    .filter((name) => name.endsWith('.js'))
    .map((name) => ({ file: path.join(bin, name), text: readFileSync(path.join(bin, name), 'utf8') }))
  const bundlesWith = (name: string) =>
    texts.filter(({ text }) => text.includes(`// node_modules/${name}/`)).map(({ file }) => file)
  for (const name of OF_THE_NETWORK)
    for (const file of bundlesWith(name)) writeFileSync(file, `throw new Error('${name} is loaded')\n`)
  return { command: path.join(bin, 'ao-audit.js'), bundlesWith }
}
