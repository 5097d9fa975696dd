/** The command and what runs beside it, each in few files: reading them takes a third of the time that their modules would take. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { defineConfig, type Plugin } from 'rolldown'

/** What a bundle holds of other packages, with the terms under which they give it. */
function licences(name: string): Plugin {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))
      const packages = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replaceAll('\\', '/')) ?? [])
      const source = [...new Set(packages)].sort().map(termsOf).join('\n')
      if (source !== '') this.emitFile({ type: 'asset', fileName: `${name}.licences.txt`, source })
    }
  }
}

function termsOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? '' : `\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`
  return `${name} ${version}: ${license}\n${text}`
}

/**
 * Left out of graphql-request: transports of its own, which it never uses, for it is always given one (`src/fetch/graphql.ts`). They are half
 * a megabyte, and load what Node warns of. It still asks whether headers are of the class `Headers`, which Node has.
 */
const UNUSED: Readonly<Record<string, string>> = {
  'cross-fetch': 'export const Headers = globalThis.Headers\nexport default undefined',
  'form-data': 'export default undefined'
}

function leaveOut(): Plugin {
  return {
    name: 'leave-out',
    resolveId: (id) => (Object.hasOwn(UNUSED, id) ? `\0${id}` : null),
    load: (id) => UNUSED[id.slice(1)] ?? null
  }
}

function bundle(name: string, file: string, cleanDir = false) {
  return defineConfig({
    input: { [name]: file },
    platform: 'node',
    // It finds its native part by its own place.
    external: ['level'],
    plugins: [leaveOut(), licences(name)],
    // Of a package that has both forms, the one of which only what is used is taken.
    resolve: { mainFields: ['module', 'main'] },
    output: { dir: 'dist/bin', format: 'esm', cleanDir }
  })
}

export default [
  bundle('ao-audit', 'bin/ao-audit.ts', true),
  bundle('program', 'bin/program.ts'),
  // Each by itself: none reads what only another needs.
  bundle('sandbox-child', 'src/replay/sandbox/child.ts'),
  bundle('watchdog', 'src/replay/sandbox/watchdog.ts'),
  bundle('hash-worker', 'src/replay/sandbox/hash-worker.ts'),
  bundle('memory-worker', 'src/memory/worker.ts'),
  bundle('signature-worker', 'src/verify/signature-worker.ts')
]
