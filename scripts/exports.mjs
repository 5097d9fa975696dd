/** Whether a user of an entry of the package can name every type that its exports speak of. */
import path from 'node:path'
import ts from 'typescript'

/** Nobody writes these down: they seal a type, or tell ids apart. */
const UNNAMED = new Set(['Seal', 'Branded'])

/**
 * Types that an exported declaration names and that the entry does not export.
 *
 * @param {string} root the folder of `tsconfig.json`
 * @param {readonly string[]} entries files, below the root
 * @returns {string[]} a line for each
 */
export function unnamedTypes(root, entries) {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram(
    entries.map((entry) => path.join(root, entry)),
    options
  )
  const checker = program.getTypeChecker()
  const resolved = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
  const found = []
  for (const entry of entries) {
    const source = program.getSourceFile(path.join(root, entry))
    const exported = new Set(checker.getExportsOfModule(checker.getSymbolAtLocation(source)).map(resolved))
    const missing = new Map()
    for (const symbol of exported)
      for (const declaration of symbol.declarations ?? [])
        for (const name of typesNamed(declaration)) {
          const of = checker.getSymbolAtLocation(name)
          const type = of === undefined ? undefined : resolved(of)
          const [at] = type?.declarations ?? []
          const isOurs = at !== undefined && at.getSourceFile().fileName.startsWith(path.join(root, 'src'))
          const isKnown = exported.has(type) || UNNAMED.has(type?.name)
          if (isOurs && !ts.isTypeParameterDeclaration(at) && !isKnown)
            missing.set(type.name, { by: symbol.name, file: path.relative(root, at.getSourceFile().fileName) })
        }
    for (const [name, { by, file }] of missing) found.push(`${entry}: ${by} speaks of ${name} (${file}), which is not exported`)
  }
  return found.sort()
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
