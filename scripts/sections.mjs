/**
 * References within the repository: section marks and names of source files in any text, and links in Markdown.
 *
 * A mark is the section sign with a number, and names a numbered heading of one of the pages below: `protocol`, `profiles` or `archive`
 * before it says of which. A mark without a name is the protocol's, and in one of these pages that page's own. Marks in a list are of the
 * page that the first one names. After `RFC` and a number a mark is of that document, and is not looked up.
 *
 * A source file is named in backticks, by its path from the root or from the text's own folder, or by the end of its path.
 */
import path from 'node:path'
import GithubSlugger from 'github-slugger'
import { lexer, walkTokens } from 'marked'

/** By the name that stands before a mark. */
const PAGES = {
  protocol: 'docs/protocol.md',
  profiles: 'docs/execution-profiles.md',
  archive: 'docs/archive-format.md'
}
const ELSEWHERE = 'another document'

const MARK = /\u00a7(\d+(?:\.\d+)*)?/g
const NAMED = new RegExp(`(?:(RFC) \\d+|(?<![\\w-])(${Object.keys(PAGES).join('|')})) $`)
const IN_A_LIST = /\u00a7[\d.]*\d(?:,| and| or| to) $/
const HEADING_NUMBER = /^(\d+(?:\.\d+)*)\.? /
/** A line's end within a comment or a paragraph, and what the next line begins with. */
const LINE_BREAK = /\s*\n[ \t]*(?:\*(?!\/)|\/\/|;;|>)?[ \t]*/g
/** What may stand between a mark and its name, or the mark before it. */
const LOOK_BACK_CHARS = 60
const SOURCE_FILE = /`([\w./-]+\.(?:ts|mjs|md|wat))`/g
const OTHER_SITE = /^(?:[a-z][a-z+.-]*:|\/\/)/i

/**
 * Finds marks, links and names of files that lead nowhere, and numbers that two sections of a page share.
 *
 * @param {ReadonlyMap<string, string>} files texts by path from the repository's root, with `/`; a file without text counts as a
 *   place that a link may lead to
 * @returns {string[]} `file:line: what is wrong`, file by file in their order, by line
 */
export function brokenReferences(files) {
  const markdown = [...files].filter(([file]) => file.endsWith('.md'))
  const pages = new Map(markdown.map(([file, text]) => [file, readPage(text)]))
  return [...files].flatMap(([file, text]) =>
    [
      ...brokenMarks(file, text, pages),
      ...brokenLinks(file, text, files, pages),
      ...missingFiles(file, text, files),
      ...sharedNumbers(file, text, pages)
    ]
      .sort((left, right) => left.line - right.line)
      .map(({ line, fault }) => `${file}:${line}: ${fault}`)
  )
}

/**
 * @typedef {object} Page
 * @property {ReadonlySet<string>} anchors
 * @property {readonly string[]} numbers of its headings
 * @property {readonly string[]} links
 *
 * @typedef {object} Broken
 * @property {number} line from 1
 * @property {string} fault
 */

/**
 * @param {string} text Markdown
 * @returns {Page}
 */
function readPage(text) {
  const slugger = new GithubSlugger()
  const anchors = new Set()
  const numbers = []
  const links = []
  void walkTokens(lexer(text), (token) => {
    if (token.type === 'link' || token.type === 'image') links.push(token.href)
    if (token.type !== 'heading') return
    const shown = plainText(token)
    anchors.add(slugger.slug(shown))
    const number = HEADING_NUMBER.exec(shown)?.[1]
    if (number !== undefined) numbers.push(number)
  })
  return { anchors, numbers, links }
}

/**
 * What is shown of a piece of Markdown: of a heading an anchor is made of that.
 *
 * @returns {string}
 */
function plainText({ tokens, text = '' }) {
  return tokens === undefined ? text : tokens.map(plainText).join('')
}

/**
 * @param {string} file
 * @param {string} text
 * @param {ReadonlyMap<string, Page>} pages
 * @returns {Broken[]}
 */
function brokenMarks(file, text, pages) {
  const own = Object.values(PAGES).includes(file) ? file : PAGES.protocol
  const broken = []
  let page = own
  for (const { 0: mark, 1: number, index } of text.matchAll(MARK)) {
    const before = text.slice(Math.max(0, index - LOOK_BACK_CHARS), index).replaceAll(LINE_BREAK, ' ')
    const [, rfc, name] = NAMED.exec(before) ?? []
    if (rfc !== undefined) page = ELSEWHERE
    else if (name !== undefined) page = PAGES[name]
    else if (!IN_A_LIST.test(before)) page = own
    if (page === ELSEWHERE || (number !== undefined && pages.get(page)?.numbers.includes(number))) continue
    const fault = number === undefined ? 'a section mark without a number' : `${mark}: ${page} has no such section`
    broken.push({ line: lineAt(text, index), fault })
  }
  return broken
}

/**
 * @param {string} file
 * @param {string} text
 * @param {ReadonlyMap<string, string>} files
 * @param {ReadonlyMap<string, Page>} pages
 * @returns {Broken[]}
 */
function brokenLinks(file, text, files, pages) {
  const broken = []
  for (const href of pages.get(file)?.links ?? []) {
    if (OTHER_SITE.test(href)) continue
    const [to = '', anchor] = href.split('#')
    const target = to === '' ? file : path.posix.join(path.posix.dirname(file), to).replace(/\/$/, '')
    const line = lineAt(text, text.indexOf(href))
    if (!isThere(target, files)) broken.push({ line, fault: `${href}: no such file` })
    else if (anchor !== undefined && !pages.get(target)?.anchors.has(anchor))
      broken.push({ line, fault: `${href}: no such heading` })
  }
  return broken
}

/**
 * @param {string} target a file or a folder
 * @param {ReadonlyMap<string, string>} files
 */
function isThere(target, files) {
  return files.has(target) || [...files.keys()].some((file) => file.startsWith(`${target}/`))
}

/**
 * @param {string} file
 * @param {string} text
 * @param {ReadonlyMap<string, string>} files
 * @returns {Broken[]}
 */
function missingFiles(file, text, files) {
  const paths = [...files.keys()]
  return [...text.matchAll(SOURCE_FILE)].flatMap(({ 1: name = '', index }) => {
    const beside = path.posix.join(path.posix.dirname(file), name)
    if (paths.some((one) => one === beside || one === name || one.endsWith(`/${name}`))) return []
    return { line: lineAt(text, index), fault: `${name}: no such file` }
  })
}

/**
 * A mark with such a number would be of two sections.
 *
 * @param {string} file
 * @param {string} text
 * @param {ReadonlyMap<string, Page>} pages
 * @returns {Broken[]}
 */
function sharedNumbers(file, text, pages) {
  if (!Object.values(PAGES).includes(file)) return []
  const again = (pages.get(file)?.numbers ?? []).filter((number, place, all) => all.indexOf(number) < place)
  return again.map((number) => ({
    line: lineAt(text, text.search(new RegExp(`^#+ ${number.replaceAll('.', '\\.')}\\.? `, 'm'))),
    fault: `two sections have the number ${number}`
  }))
}

/**
 * @param {string} text
 * @param {number} index
 * @returns {number} from 1
 */
function lineAt(text, index) {
  return text.slice(0, Math.max(0, index)).split('\n').length
}
