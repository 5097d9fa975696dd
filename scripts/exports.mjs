/** What a user of an entry of the package can rely on: every type has a name there, and every function says how it fails. */
import path from 'node:path'
import ts from 'typescript'

/** Nobody writes these down: they seal a type, or tell ids apart. */
const UNNAMED = new Set(['Seal', 'CoverSeal', 'Branded'])

/**
 * Types that an exported declaration names and that the entry does not export.
 *
 * @param {string} root the folder of `tsconfig.json`
 * @param {readonly string[]} entries files, below the root
 * @returns {string[]} a line for each
 */
export function unnamedTypes(root, entries) {
  const found = []
  const { checker, resolved, exportsOf } = readEntries(root, entries)
  for (const entry of entries) {
    const exported = exportsOf(entry)
    const missing = new Map()
    for (const symbol of exported)
      for (const declaration of symbol.declarations ?? [])
        for (const name of typesNamed(declaration)) {
          const of = checker.getSymbolAtLocation(name)
          const type = of === undefined ? undefined : resolved(of)
          const [at] = type?.declarations ?? []
          const isOurs = at?.getSourceFile().fileName.startsWith(path.join(root, 'src'))
          const isKnown = exported.has(type) || UNNAMED.has(type?.name)
          if (isOurs && !ts.isTypeParameterDeclaration(at) && !isKnown)
            missing.set(type.name, { by: symbol.name, file: path.relative(root, at.getSourceFile().fileName) })
        }
    for (const [name, { by, file }] of missing) found.push(`${entry}: ${by} speaks of ${name} (${file}), which is not exported`)
  }
  return found.sort()
}

/**
 * Exported functions whose comments do not say which errors a user has to expect: one that gives a promise, or is iterated over, has a
 * `@throws`; one that throws an AuditError names its codes, and none that there is not.
 *
 * @param {string} root the folder of `tsconfig.json`
 * @param {readonly string[]} entries files, below the root
 * @param {ReadonlySet<string>} codes all codes of an AuditError
 * @returns {string[]} a line for each
 */
export function undocumentedErrors(root, entries, codes) {
  const found = []
  const { checker, exportsOf } = readEntries(root, entries)
  for (const entry of entries)
    for (const { name, declarations = [] } of exportsOf(entry))
      for (const declaration of declarations.filter(ts.isFunctionDeclaration)) {
        const throws = ts.getJSDocTags(declaration).filter(({ tagName }) => tagName.text === 'throws')
        const text = throws.map(({ comment }) => ts.getTextOfJSDocComment(comment)).join(' ')
        const named = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)].map(([, code]) => code)
        const returned = checker.typeToString(checker.getSignatureFromDeclaration(declaration).getReturnType())
        const unknown = named.filter((code) => !codes.has(code))
        if (text === '' && LATER.test(returned)) found.push(`${entry}: ${name} gives a ${returned}, and says nothing of errors`)
        if (text.includes('AuditError') && named.length === 0) found.push(`${entry}: ${name} names no code of its AuditErrors`)
        for (const code of unknown) found.push(`${entry}: ${name} names ${code}, which is no code of an AuditError`)
      }
  return found.sort()
}

/** What may fail after a function has returned. */
const LATER = /^(?:Promise|AsyncGenerator|AsyncIterable)</

function readEntries(root, entries) {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram(
    entries.map((entry) => path.join(root, entry)),
    options
  )
  const checker = program.getTypeChecker()
  const resolved = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
  const exportsOf = (entry) => {
    const source = program.getSourceFile(path.join(root, entry))
    return new Set(checker.getExportsOfModule(checker.getSymbolAtLocation(source)).map(resolved))
  }
  return { checker, resolved, exportsOf }
}

/** Names in what a user sees of a declaration: not in the bodies of functions, nor in values. */
function* typesNamed(node) {
  if (ts.isBlock(node) || node.kind === ts.SyntaxKind.PrivateKeyword) return
  if (ts.isTypeReferenceNode(node)) yield ts.isQualifiedName(node.typeName) ? node.typeName.right : node.typeName
  if (ts.isExpressionWithTypeArguments(node)) yield node.expression
  if (ts.isVariableDeclaration(node) || ts.isParameter(node)) {
    if (node.type !== undefined) yield* typesNamed(node.type)
    return
  }
  const children = []
  ts.forEachChild(node, (child) => void children.push(child))
  for (const child of children) yield* typesNamed(child)
}
