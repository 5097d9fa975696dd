/** The demo's output as the picture in the README. */
import { wrap } from '../../src/report/wrap.ts'

const COLUMNS = 80
const LABEL = /^(?:tolerated|why|but|rules) +/
/** What a terminal shows in colour. */
const COLORED: readonly (readonly [RegExp, string])[] = [
  [/^MATCH/, 'match'],
  [/^MISMATCH/, 'mismatch'],
  [/^First divergence.*/, 'bold'],
  [LABEL, 'label'],
  [/(?<=^ {4}claimed +)\S.*/, 'claimed'],
  [/(?<=^ {4}computed +)\S.*/, 'computed'],
  [/^(?:\$|…)/, 'label']
]
const FONTS = 'ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace'
const FONT_SIZE = 14
const COLUMN_WIDTH = 8.4
const LINE_HEIGHT = 20
const MARGIN = 20

/**
 * Draws both headlines and the first divergence, as they look on a terminal of 80 columns. What varies from run to run, such as dates
 * and times, is not among them.
 *
 * @param stdout without colours
 * @returns an SVG
 */
export function demoPicture(stdout: string): string {
  const [honest = '', match = '', , altered = '', mismatch = '', divergence = ''] = stdout.split(/\n\n+/)
  const shown = ['$ ao-audit demo', honest, '', match, '…', '', altered, '', mismatch, '', divergence, '…']
  const lines = shown.flatMap((text) => text.split('\n')).flatMap(wrapped)
  const width = Math.ceil(COLUMNS * COLUMN_WIDTH + 2 * MARGIN)
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    '  <title>ao-audit demo: a match, and a mismatch with its first divergence</title>',
    '  <style>',
    '    .plain, .bold { fill: #d1d7e0 }',
    '    .match, .mismatch, .bold { font-weight: bold }',
    '    .match, .computed { fill: #57ab5a }',
    '    .mismatch, .claimed { fill: #f47067 }',
    '    .label { fill: #9198a1 }',
    '  </style>',
    `  <rect width="${width}" height="${height}" rx="8" fill="#212830"/>`,
    `  <g font-family="${FONTS}" font-size="${FONT_SIZE}">`,
    ...lines.flatMap((line, place) => textElements(line, MARGIN + place * LINE_HEIGHT + FONT_SIZE)),
    '  </g>',
    '</svg>',
    ''
  ].join('\n')
}

/** Wraps a long line as the summary does on a terminal. */
function wrapped(line: string): readonly string[] {
  const label = LABEL.exec(line)?.[0] ?? ''
  const [first = '', ...more] = wrap(line.slice(label.length), {
    width: COLUMNS,
    begin: label.length,
    indent: label.length
  })
  return [label + first, ...more.map((text) => ' '.repeat(label.length) + text)]
}

/** Places each part by its column, because fonts differ in the width of a character. */
function textElements(line: string, y: number): readonly string[] {
  const [pattern, name] = COLORED.find(([one]) => one.test(line)) ?? [/^/, 'plain']
  const { 0: found, index: start } = pattern.exec(line) ?? { 0: '', index: 0 }
  const end = start + found.length
  const parts = [
    { text: line.slice(0, start), at: 0, name: 'plain' },
    { text: found, at: start, name },
    { text: line.slice(end), at: end, name: 'plain' }
  ]
  return parts.flatMap(({ text, at, name: style }) =>
    [...text.matchAll(/\S+(?: \S+)*/g)].map(({ 0: words, index }) => {
      const x = (MARGIN + (at + index) * COLUMN_WIDTH).toFixed(1)
      const length = (words.length * COLUMN_WIDTH).toFixed(1)
      const content = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
      return `    <text class="${style}" x="${x}" y="${y}" textLength="${length}">${content}</text>`
    })
  )
}
