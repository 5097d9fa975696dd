import { describe, expect, it } from 'vitest'
import { candidateEnvironments, isPlausible, PROGRAM_PATH_CLASSES } from '../../../src/audit/search/environments.ts'
import { LEGACYNET, LOADER_0_0_49 } from '../../../src/replay/profile.ts'

const at = (path: string, language = 'C.UTF-8') => [...LEGACYNET.environment.slice(0, -2), `LANG=${language}`, `_=${path}`]

describe('the environment of an honest unit', () => {
  it('has fixed names and values except for the language and one absolute path', () => {
    for (const environment of [[], LEGACYNET.environment, at('/srv/cu/index.js'), at('/home/a b/x.cjs', 'de_DE.UTF-8')])
      expect(isPlausible(environment)).toBe(true)
  })

  it.each([
    ['another user', ['USER=root', ...at('/a').slice(1)]],
    ['a variable more', [...at('/a').slice(0, -1), 'EVIL=1', '_=/a']],
    ['a variable less', at('/a').slice(1)],
    ['another order', [...at('/a').slice(0, 2).reverse(), ...at('/a').slice(2)]],
    ['no path', at('')],
    ['a relative path', at('index.js')],
    ['a path with a control character', at('/a\u0001')],
    ['a path without an end', at(`/${'x'.repeat(2000)}`)],
    ['no language', at('/a', '')],
    ['a language that is too long', at('/a', 'x'.repeat(50))]
  ])('is implausible with %s', (_, environment) => {
    expect(isPlausible(environment)).toBe(false)
  })

  it('is searched among the named ones first, then those of checkpoints, then every length of a program path', () => {
    const found = candidateEnvironments([at('/srv/cu/index.js'), at('nowhere')])
    expect(found.slice(0, 3).map(({ name }) => name)).toEqual([
      LEGACYNET.name,
      LOADER_0_0_49.name,
      'a program at /srv/cu/index.js'
    ])
    expect(found.slice(3).map(({ environment }) => environment.at(-1)?.slice(2).length)).toEqual(PROGRAM_PATH_CLASSES)
  })

  it('is tried with one path length in every eight from 20 to 150 characters', () => {
    const windows = Array.from({ length: 150 - 20 - 7 }, (_, place) => 20 + place)
    for (const from of windows)
      expect(PROGRAM_PATH_CLASSES.filter((length) => length >= from && length < from + 8)).toHaveLength(1)
  })
})
