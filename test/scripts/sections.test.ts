import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { brokenReferences } from '../../scripts/sections.mjs'

/** Marks of these tests are written with it, so that the check does not look them up. */
const S = '\u00a7'

const PAGES = {
  'docs/protocol.md': '# Protocol\n\n## 1. Units\n\n### 1.2 One unit\n',
  'docs/execution-profiles.md': '# Profiles\n\n## 3. A profile\n',
  'docs/archive-format.md': '# Archives\n\n## 4. Records\n\n## 5. Blobs\n'
}

const broken = (files: Readonly<Record<string, string>>) => brokenReferences(new Map(Object.entries({ ...PAGES, ...files })))

describe('the check of section marks', () => {
  it.each([
    ['a bare mark is the protocol’s', `// as they are (${S}1.2)`],
    ['a name says whose it is', `// as they are (protocol ${S}1; profiles ${S}3), archive ${S}5.`],
    ['a name holds for the marks of its list', `// archive ${S}4, ${S}5 and ${S}4`],
    ['a name may stand at the end of the line before', `/**\n * what it is in profiles\n * ${S}3, or archive\n   ${S}4\n */`],
    ['a mark of an RFC is not looked up, nor its list', `// RFC 1952 ${S}2.2, ${S}9.9`]
  ])('lets a mark pass where %s', (_why, text) => {
    expect(broken({ 'src/a.ts': text })).toEqual([])
  })

  it('takes a bare mark for the page’s own in a page that marks name', () => {
    expect(broken({ 'docs/archive-format.md': `# Archives\n\n## 4. Records\n\nSee ${S}4 and protocol ${S}1.2.` })).toEqual([])
  })

  it.each([
    ['has a number that no heading has', `(${S}1.3)`, `${S}1.3: docs/protocol.md has no such section`],
    ['is a bare one of another page', `(${S}3)`, `${S}3: docs/protocol.md has no such section`],
    ['is of the wrong page', `(profiles ${S}1.2)`, `${S}1.2: docs/execution-profiles.md has no such section`],
    ['stands in another page’s list', `(archive ${S}4, ${S}1.2)`, `${S}1.2: docs/archive-format.md has no such section`],
    ['stands behind a list', `(archive ${S}4; ${S}5)`, `${S}5: docs/protocol.md has no such section`],
    ['follows an RFC’s', `RFC 1952 ${S}2.2; ${S}2.2`, `${S}2.2: docs/protocol.md has no such section`],
    ['has a name that only ends in a page’s', `ao-profiles ${S}3`, `${S}3: docs/protocol.md has no such section`],
    ['has no number', `${S} one`, 'a section mark without a number']
  ])('fails where a mark %s', (_how, text, fault) => {
    expect(broken({ 'src/a.ts': `// first\n// ${text}` })).toEqual([`src/a.ts:2: ${fault}`])
  })

  it('fails where a page that marks name is not there', () => {
    const files = new Map([['src/a.ts', `${S}1`]])
    expect(brokenReferences(files)).toEqual([`src/a.ts:1: ${S}1: docs/protocol.md has no such section`])
  })

  it('fails where two sections of a page have one number', () => {
    expect(broken({ 'docs/protocol.md': '## 1. A\n\n### 1.1 B\n\n## 1. C\n' })).toEqual([
      'docs/protocol.md:1: two sections have the number 1'
    ])
  })
})

describe('the check of links', () => {
  it.each([
    ['to a file beside it, or above', '[a](protocol.md) [b](../src/a.ts)'],
    ['to a folder', '[a](../src) [b](../src/)'],
    ['to a heading, by the anchor that GitHub gives it', '[a](protocol.md#12-one-unit) [b](#one-of-its-own-1)'],
    ['to another site', '[a](https://example.org/x.md#y) <mailto:a@example.org>'],
    ['in code', '```\n[a](nowhere.md)\n```\n\n`[a](nowhere.md)`']
  ])('lets a link pass %s', (_to, text) => {
    const own = '## One of its *own*\n\n## One of its `own`\n'
    expect(broken({ 'src/a.ts': '', 'docs/b.md': `${own}\n${text}` })).toEqual([])
  })

  it.each([
    ['to a file that is not there', '[a](protocols.md)', 'protocols.md: no such file'],
    ['to a file above the repository', '[a](../../docs/protocol.md)', '../../docs/protocol.md: no such file'],
    ['to a heading that is not there', '[a](protocol.md#1-unit)', 'protocol.md#1-unit: no such heading'],
    ['to a heading of its own page that is not there', '[a](#here)', '#here: no such heading'],
    ['to a heading of a file that has none', '[a](../src/a.ts#x)', '../src/a.ts#x: no such heading'],
    ['of a reference', '[a][b]\n\n[b]: gone.md', 'gone.md: no such file'],
    ['of an image', '![a](gone.svg)', 'gone.svg: no such file']
  ])('fails over a link %s', (_to, text, fault) => {
    const found = broken({ 'src/a.ts': '', 'docs/b.md': `${text}\n` })
    expect(found.map((line) => line.replace(/^docs\/b\.md:\d+: /, ''))).toEqual([fault])
  })
})

describe('the check of file names', () => {
  /** Written with it, so that the check does not look them up in these tests. */
  const q = '`'

  it.each([
    ['from the root', `${q}src/deep/a.ts${q}`],
    ['from the folder of the text', `${q}../src/deep/a.ts${q}`],
    ['by the end of its path', `${q}a.ts${q} and ${q}deep/a.ts${q}`]
  ])('accepts a file that is named %s', (_how, text) => {
    expect(broken({ 'src/deep/a.ts': '', 'docs/b.md': text, 'src/c.ts': `// ${q}a.ts${q}` })).toEqual([])
  })

  it('ignores other kinds of files, and texts that only look similar', () => {
    expect(broken({ 'docs/b.md': `${q}report.json${q} ${q}<name>.test.ts${q} gone.ts ${q}gone.ts is old${q}` })).toEqual([])
  })

  it.each([
    ['of no file', 'gone.ts'],
    ['of a file in another folder', 'other/a.ts'],
    ['that is only a part of a path’s end', 'eep/a.ts']
  ])('fails for a name %s', (_which, name) => {
    const files = { 'src/deep/a.ts': '', 'src/c.ts': `//\n// ${q}${name}${q}` }
    expect(broken(files)).toEqual([`src/c.ts:2: ${name}: no such file`])
  })
})

describe('npm run check:sections', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ao-audit-sections-'))
    for (const [file, text] of Object.entries(PAGES)) write(file, text)
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  function write(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), text)
  }

  const check = () =>
    spawnSync(process.execPath, [path.resolve('scripts/check-sections.mjs')], { cwd: folder, encoding: 'utf8' })

  it('ends with 0 where all that lies in the folder resolves, and looks at nothing that others wrote', () => {
    write('src/deep/a.ts', `// ${S}1.2\n`)
    write('node_modules/other/README.md', `[a](gone.md) ${S}7`)
    write('.cache/b.md', `[a](gone.md) ${S}7`)
    expect(check()).toMatchObject({ status: 0, stdout: '', stderr: '' })
  })

  it('ends with 1 and names each place where a mark or a link leads nowhere', () => {
    write('README.md', '# A\n\n[a](docs/gone.md)\n')
    write('src/deep/a.ts', `// ${S}1.2\n// ${S}7\n`)
    const stderr = `README.md:3: docs/gone.md: no such file\nsrc/deep/a.ts:2: ${S}7: docs/protocol.md has no such section\n`
    expect(check()).toMatchObject({ status: 1, stdout: '', stderr })
  })
})
