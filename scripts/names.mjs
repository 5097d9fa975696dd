/** Names of files, types and exported functions: none may stand for two things. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'

/** Names of files that each folder may have. */
const OF_EVERY_FOLDER = new Set(['README.md'])

/** Every file below a folder, by path. */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

/** What a source declares at its top: types, exported or not, and whatever else it exports. */
function declaredNames(text) {
  const source = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest)
  const names = []
  for (const statement of source.statements) {
    const isExported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
    const isType =
      ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement) || ts.isClassDeclaration(statement)
    if (isType || (isExported && ts.isFunctionDeclaration(statement))) names.push(statement.name.text)
    if (isExported && ts.isVariableStatement(statement))
      for (const { name } of statement.declarationList.declarations) if (ts.isIdentifier(name)) names.push(name.text)
  }
  return [...new Set(names)]
}

/**
 * Names that stand for more than one thing, each with where.
 *
 * @param files path and text of each source
 * @returns a line for each
 */
export function namesGivenTwice(files) {
  const places = new Map()
  const note = (name, file) => places.set(name, [...(places.get(name) ?? []), file])
  for (const { file, text } of files) {
    const base = path.basename(file)
    if (!OF_EVERY_FOLDER.has(base)) note(`the file ${base}`, file)
    if (file.endsWith('.ts')) for (const name of declaredNames(text)) note(name, file)
  }
  return [...places].filter(([, at]) => at.length > 1).map(([name, at]) => `${name}: ${at.join(', ')}`)
}

/** Reads the sources below folders. */
export function sourcesBelow(folders) {
  return folders.flatMap(filesBelow).map((file) => ({ file, text: readFileSync(file, 'utf8') }))
}
