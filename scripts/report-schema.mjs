/**
 * Writes docs/report-schema.json, the JSON Schema of a report, after a build: `npm run docs:schema`. With `--check` it only checks that
 * the file is up to date.
 *
 * The shape comes from src/report/schema.ts, the descriptions are the comments on the types of the same names.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import ts from 'typescript'
import { z } from 'zod'
import { reportSchema, reportTypes } from '../dist/src/report/schema.js'

const FILE = 'docs/report-schema.json'
/** The files that declare a report's types. */
const SOURCES = [
  'src/report/model.ts',
  'src/compare/comparison.ts',
  'src/memory/difference.ts',
  'src/model/findings.ts',
  'src/model/records.ts'
]

const comments = readComments(SOURCES)
const { $schema, $defs, ...root } = z.toJSONSchema(reportSchema, { io: 'input', metadata: reportTypes })
const schema = {
  $schema,
  $id: 'urn:ao-audit:report:v1',
  title: 'A report of ao-audit, ao-audit/report/v1',
  ...root,
  $defs: Object.fromEntries(Object.entries($defs).map(([name, type]) => [name, described(name, type)]))
}
const text = `${JSON.stringify(schema, undefined, 2)}\n`

if (!process.argv.includes('--check')) writeFileSync(FILE, text)
else if (readFileSync(FILE, 'utf8') !== text) {
  console.error(
    `${FILE} is out of date with src/report/schema.ts or the comments on a report's types: run \`npm run docs:schema\``
  )
  process.exitCode = 1
}

/** Adds the comments on a type to its schema. */
function described(name, { properties, ...rest }) {
  const members = Object.entries(properties).map(([member, shape]) => [member, withDescription(`${name}.${member}`, shape)])
  return { ...withDescription(name, rest), properties: Object.fromEntries(members) }
}

function withDescription(name, shape) {
  const description = comments.get(name)
  return description === undefined ? shape : { description, ...shape }
}

/** Reads the comments on interfaces and their members, by `Name` and `Name.member`, including inherited members. */
function readComments(files) {
  const found = new Map()
  const interfaces = files.flatMap((file) =>
    ts
      .createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
      .statements.filter(ts.isInterfaceDeclaration)
  )
  const membersOf = ({ members, heritageClauses = [] }) => {
    const bases = heritageClauses.flatMap(({ types }) => types.map(({ expression }) => expression.getText()))
    const inherited = interfaces.filter(({ name }) => bases.includes(name.text)).flatMap(membersOf)
    return [...inherited, ...members]
  }
  for (const declared of interfaces) {
    const { text: name } = declared.name
    keep(name, declared)
    for (const member of membersOf(declared)) keep(`${name}.${member.name.getText()}`, member)
  }
  return found

  function keep(name, node) {
    const [comment] = ts.getJSDocCommentsAndTags(node)
    if (comment !== undefined) found.set(name, oneLine(ts.getTextOfJSDocComment(comment.comment)))
  }
}

/** Removes line breaks, and turns links into plain names. */
function oneLine(comment) {
  return comment
    .replaceAll(/\{@link (\w+)\}/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
