/** Compares the findings, tolerances and files in the README with the real ones. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { FINDING_CODES } from '../../src/model/findings.ts'

const README = readFileSync('README.md', 'utf8')

function section(title: string): string {
  return README.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
}

/** The names in the first column of the table with this header. */
function namesOf(text: string, head: string): string[] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${head} `))
  const behind = lines.slice(start + 2)
  const rows = behind.slice(
    0,
    behind.findIndex((line) => !line.startsWith('|'))
  )
  return rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
}

it('docs/findings.md has one row for each finding code, and for no other', () => {
  const rows = readFileSync('docs/findings.md', 'utf8').matchAll(/^\| `([A-Z_]+)`/gm)
  expect([...rows].map(([, code = '']) => code).sort()).toEqual([...FINDING_CODES].sort())
})

it('the README lists exactly the existing tolerances', () => {
  const source = readFileSync('src/compare/comparison.ts', 'utf8')
  const kinds = source.split('export type ToleranceKind =')[1]?.split('\n\n')[0] ?? ''
  const names = [...kinds.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)
  expect(namesOf(section('What a verdict means'), 'tolerance').sort()).toEqual(names.sort())
})

it('the README names only files that exist and are part of the package', () => {
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly files: readonly string[] }
  const links = [...README.matchAll(/\]\(([^)#]+)/g)].map(([, target = '']) => target)
  const sources = [...README.matchAll(/`((?:src|bin|docs|demo)\/[\w./-]+)`/g)].map(([, path = '']) => path)
  const named = [...links, ...sources].filter((target) => !target.startsWith('http'))
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter((path) => !existsSync(path))).toEqual([])
  expect(named.filter((path) => !files.some((file) => path === file || path.startsWith(`${file}/`)))).toEqual([])
})

it('docs/troubleshooting.md quotes in its headings only texts that the program writes', () => {
  const sources = ['src', 'bin']
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name)))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(file, 'utf8').replaceAll(/\$\{[^}]*\}/g, '…'))
    .join('\n')
  const headings = readFileSync('docs/troubleshooting.md', 'utf8').match(/^## .*/gm) ?? []
  const quoted = headings.flatMap((heading) => [...heading.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text))
  const parts = quoted.flatMap((text) => text.split('…')).map((part) => part.trim())
  expect(parts.length).toBeGreaterThan(10)
  expect(parts.filter((part) => !sources.includes(part))).toEqual([])
})
