import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { ROOT } from '../cli/command.ts'

it('the package brings the source of every source map that it brings', { timeout: 60_000 }, async () => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const { stdout } = await promisify(execFile)('npm', args, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 })
  const [{ files }] = JSON.parse(stdout) as [{ readonly files: readonly { readonly path: string }[] }]
  const packed = new Set(files.map((file) => file.path))
  const sourcesOf = (file: string): readonly string[] => JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')).sources
  const maps = [...packed].filter((file) => file.endsWith('.map'))
  const sources = maps.flatMap((file) => sourcesOf(file).map((source) => path.posix.join(path.posix.dirname(file), source)))
  expect(sources).toContain('src/index.ts')
  // A build leaves maps of sources that are gone; packing begins with a folder that is empty.
  const present = sources.filter((source) => existsSync(path.join(ROOT, source)))
  expect(present.filter((source) => !packed.has(source))).toEqual([])
})
