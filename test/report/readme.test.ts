/** Compares the findings, tolerances, texts and files that the README and the pages in docs/ name with the real ones. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { FINDING_CODES } from '../../src/model/findings.ts'

const README = readFileSync('README.md', 'utf8')

const PAGES = readdirSync('docs').filter((name) => name.endsWith('.md'))

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

it('docs/verdicts.md lists exactly the existing tolerances', () => {
  const source = readFileSync('src/compare/comparison.ts', 'utf8')
  const kinds = source.split('export type ToleranceKind =')[1]?.split('\n\n')[0] ?? ''
  const names = [...kinds.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)
  expect(namesOf(readFileSync('docs/verdicts.md', 'utf8'), 'tolerance').sort()).toEqual(names.sort())
})

it.each(['README.md', ...PAGES.map((name) => `docs/${name}`)])(
  '%s names only files that exist and are part of the package',
  (page) => {
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly files: readonly string[] }
    const text = readFileSync(page, 'utf8')
    const links = [...text.matchAll(/\]\(([^)#\s]+)/g)].map(([, target = '']) => target)
    const linked = links.filter((target) => !target.startsWith('http')).map((target) => path.join(path.dirname(page), target))
    const named = [...text.matchAll(/`((?:src|bin|docs|demo)\/[\w./-]+)`/g)].map(([, file = '']) => file)
    const all = [...linked, ...named]
    if (page === 'README.md') expect(all.length).toBeGreaterThan(15)
    expect(all.filter((file) => !existsSync(file))).toEqual([])
    expect(all.filter((file) => !files.some((entry) => file === entry || file.startsWith(`${entry}/`)))).toEqual([])
  }
)

it('the README links to every page in docs/ and takes two screens of normal width', () => {
  const links = [...README.matchAll(/\]\(docs\/([\w-]+\.md)\)/g)].map(([, name = '']) => name)
  expect(PAGES.filter((name) => !links.includes(name))).toEqual([])
  const lines = README.trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(100)
  expect(lines.filter((line) => line.length > 100 && !line.startsWith('![')).length).toBe(0)
})

it('docs/glossary.md is in alphabetical order, and explains only terms that other pages use', () => {
  const sections = readFileSync('docs/glossary.md', 'utf8').split(/^## /m).slice(1)
  const terms = sections.map((section) => [...section.matchAll(/^\| ([^|]+?) +\|/gm)].map(([, term = '']) => term).slice(2))
  for (const inSection of terms) expect(inSection).toEqual(inSection.toSorted((a, b) => a.localeCompare(b, 'en')))
  const others = [
    'README.md',
    'ARCHITECTURE.md',
    ...PAGES.filter((name) => name !== 'glossary.md').map((name) => `docs/${name}`)
  ]
  const text = others.map((page) => readFileSync(page, 'utf8').replaceAll(/\s+/g, ' ').toLowerCase()).join(' ')
  const names = terms.flat().map((term) => term.replace(/ \(.*/, '').toLowerCase())
  expect(names.length).toBeGreaterThan(40)
  expect(names.filter((name) => !text.includes(name))).toEqual([])
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
