/** Writes docs/cli.md; with `--check` it only fails if the file is out of date. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'rolldown'

const root = path.join(import.meta.dirname, '..')
const file = path.join(root, 'docs/cli.md')
const page = await pageOfCommands()

if (!process.argv.includes('--check')) await writeFile(file, page)
else if ((await readFile(file, 'utf8').catch(() => '')) !== page) {
  console.error('docs/cli.md is out of date: run npm run docs')
  process.exitCode = 1
}

/** Bundles first: the oldest Node cannot read TypeScript. The bundle must be inside the package, which refers to itself by name. */
async function pageOfCommands() {
  const folder = await mkdtemp(path.join(root, '.docs-'))
  try {
    await build({
      input: path.join(root, 'scripts/cli-page.ts'),
      platform: 'node',
      external: ['level'],
      logLevel: 'silent',
      output: { dir: folder, format: 'esm' }
    })
    const { cliPage } = await import(pathToFileURL(path.join(folder, 'cli-page.js')).href)
    return cliPage()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
