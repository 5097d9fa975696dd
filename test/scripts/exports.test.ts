import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { undocumentedErrors, unnamedTypes } from '../../scripts/exports.mjs'

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

  it('finds a function that says nothing of its errors, or names no code, or one that there is not', () => {
    writeFileSync(
      path.join(root, 'src', 'functions.ts'),
      `/** Waits. */
export async function silent(): Promise<number> { return 1 }
/** @throws AuditError if it cannot */
export function vague(): void {}
/** @throws AuditError \`USAGE\`, \`NO_CODE\` */
export function wrong(): void {}
/** @throws AuditError \`USAGE\` */
export async function named(): Promise<number> { return 1 }
/** Fails with nothing. */
export function plain(): number { return 1 }
`
    )
    expect(undocumentedErrors(root, ['src/functions.ts'], new Set(['USAGE']))).toEqual([
      'src/functions.ts: silent gives a Promise<number>, and says nothing of errors',
      'src/functions.ts: vague names no code of its AuditErrors',
      'src/functions.ts: wrong names NO_CODE, which is no code of an AuditError'
    ])
  })

  it('finds nothing where every type is exported', () => {
    expect(unnamedTypes(root, ['src/all.ts'])).toEqual([])
  })
})
