import { describe, expect, it } from 'vitest'
import { namesGivenTwice, sourcesBelow } from '../../scripts/names.mjs'

describe('the check of names', () => {
  it('finds a type that is declared in two files, exported or not', () => {
    const files = [
      { file: 'src/a.ts', text: 'export interface Judged { a: 1 }' },
      { file: 'src/b.ts', text: 'type Judged = 1' }
    ]
    expect(namesGivenTwice(files)).toEqual(['Judged: src/a.ts, src/b.ts'])
  })

  it('finds a file name that two folders have, but for README.md', () => {
    const files = ['src/a/run.ts', 'src/b/run.ts', 'src/a/README.md', 'src/b/README.md'].map((file) => ({ file, text: '' }))
    expect(namesGivenTwice(files)).toEqual(['the file run.ts: src/a/run.ts, src/b/run.ts'])
  })

  it('lets functions and constants that are not exported share a name', () => {
    const files = ['src/a.ts', 'src/b.ts'].map((file) => ({ file, text: 'function inWords() {}\nconst MAX = 1' }))
    expect(namesGivenTwice(files)).toEqual([])
  })

  it('finds nothing in this repository', () => {
    expect(namesGivenTwice(sourcesBelow(['src', 'bin']))).toEqual([])
  })
})
