import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unnamedTypes } from '../../scripts/exports.mjs'

describe('the check of exports', { timeout: 60_000 }, () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(path.join(tmpdir(), 'ao-audit-exports-'))
    mkdirSync(path.join(root, 'src'))
    writeFileSync(
      path.join(root, 'tsconfig.json'),
      '{"compilerOptions":{"strict":true,"types":[],"allowImportingTsExtensions":true,"noEmit":true}}'
    )
    writeFileSync(
      path.join(root, 'src', 'types.ts'),
      'export interface Inner { a: 1 }\nexport interface Outer { inner: Inner }\n'
    )
    writeFileSync(path.join(root, 'src', 'some.ts'), "export type { Outer } from './types.ts'\n")
    writeFileSync(path.join(root, 'src', 'all.ts'), "export type { Inner, Outer } from './types.ts'\n")
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  it('finds a type that an exported type names and that is not exported itself', () => {
    expect(unnamedTypes(root, ['src/some.ts'])).toEqual([
      'src/some.ts: Outer speaks of Inner (src/types.ts), which is not exported'
    ])
  })

  it('finds nothing where every type is exported', () => {
    expect(unnamedTypes(root, ['src/all.ts'])).toEqual([])
  })
})
