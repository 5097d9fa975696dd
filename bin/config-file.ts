/**
 * Options from a file: `ao-audit.config.json`, or the key `ao-audit` in `package.json`, in the current folder or one above it. Only
 * JSON is read; nothing is executed.
 */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { type Command, InvalidArgumentError, type Option } from 'commander'
import { type Loader, lilconfig } from 'lilconfig'
import { z } from 'zod'
import { AuditError } from '../src/model/errors.ts'
import { currentFolder } from '../src/util/current-folder.ts'
import type { Shell } from './shell.ts'
import { isFile } from './values.ts'

const NAME = 'ao-audit'
const MAX_CHARS = 1024 * 1024

const text = z.string('must be a text')
const texts = z.union([text.transform((one) => [one]), z.array(text)], 'must be a text or a list of texts')
const number = z.number('must be a number').transform(String)

/** The units, and how the audit runs. A file that somebody else wrote must not change what a verdict means, nor write files. */
const schema = z
  .strictObject({
    scheduler: text,
    schedule: text,
    compute: texts,
    gateway: texts,
    graphql: texts,
    patience: number,
    profile: text,
    messageTime: number,
    jobs: number,
    snapshots: z.boolean('must be true or false'),
    store: text
  })
  .partial()

export type Config = z.infer<typeof schema>
/** The keys that a config file can have. */
export const CONFIG_KEYS = Object.keys(schema.shape)

interface FoundConfig {
  readonly file: string
  readonly config: Config
}

/**
 * Applies the config file, if there is one, to the options that neither the command line nor the environment sets, and names the file
 * on stderr. The values go through the same parsers as those on the command line.
 *
 * @throws AuditError `USAGE`
 */
export async function applyConfig(command: Command, shell: Shell): Promise<void> {
  const { config: named, quiet } = command.opts<{ config?: string; quiet?: boolean }>()
  const found = named === undefined ? await search() : await load(named)
  if (found === undefined) return
  for (const option of command.options) {
    const key = option.attributeName() as keyof Config
    const value = Object.hasOwn(found.config, key) ? found.config[key] : undefined
    const source = command.getOptionValueSource(key)
    if (value === undefined || (source !== undefined && source !== 'default')) continue
    command.setOptionValueWithSource(key, readValue(option, value, found.file), 'config')
  }
  command.setOptionValueWithSource('config', found.file, 'config')
  if (quiet !== true) shell.tell(`${NAME}: using the options in ${found.file}\n`)
}

const parse: Loader = (file, content) => {
  if (content.length > MAX_CHARS) throw usage(`the config ${file} is too large`)
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw usage(`the config ${file} is not valid JSON`, cause)
  }
}

const PLACES = { searchPlaces: ['ao-audit.config.json', 'package.json'], loaders: { '.json': parse } }

async function search(): Promise<FoundConfig | undefined> {
  const folder = currentFolder()
  if (folder === undefined) return undefined
  // The library would stop at the user's home.
  const finder = lilconfig(NAME, { ...PLACES, stopDir: path.parse(folder).root })
  const found = await unlessUnreadable('of this folder and those above', () => finder.search(folder))
  if (found === null || found.isEmpty === true) return undefined
  await assertOwn(found.filepath)
  return { file: found.filepath, config: check(found.filepath, found.config) }
}

async function load(named: string): Promise<FoundConfig> {
  if (!named.endsWith('.json')) throw usage(`the config ${named} is not a .json file`)
  const found = await unlessUnreadable(named, () => lilconfig(NAME, PLACES).load(named))
  if (found === null || found.config == null) throw usage(`the config ${named} is empty`)
  return { file: found.filepath, config: check(found.filepath, found.config) }
}

async function unlessUnreadable<T>(named: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof AuditError) throw cause
    const code = (cause as NodeJS.ErrnoException).code
    throw usage(`the config ${named} cannot be read${code === undefined ? '' : ` (${code})`}`, cause)
  }
}

/** Anybody can put a config file into a shared folder such as /tmp. */
async function assertOwn(file: string): Promise<void> {
  const { uid } = await stat(file)
  const user = process.getuid?.()
  if (user === undefined || uid === user || uid === 0) return
  throw new AuditError('USAGE', `the config ${file} belongs to another user`, {
    hint: `name it with --config ${file}, or use --no-config to run without it`
  })
}

function check(file: string, config: unknown): Config {
  const { data, error } = schema.safeParse(config)
  if (data !== undefined) return data
  const [issue] = error.issues
  if (issue?.code === 'unrecognized_keys') {
    throw new AuditError('USAGE', `the config ${file} has an unknown key: ${issue.keys[0]}`, {
      hint: `known keys: ${CONFIG_KEYS.join(', ')}; everything else is set on the command line`
    })
  }
  const where = issue === undefined || issue.path.length === 0 ? 'it' : issue.path.join('.')
  throw usage(`the config ${file}: ${where} ${where === 'it' ? 'must be an object' : issue?.message}`)
}

/** Parses a value as on the command line; paths are relative to the file. */
function readValue(option: Option, value: NonNullable<Config[keyof Config]>, file: string): unknown {
  if (typeof value === 'boolean') return value
  let read: unknown
  for (const one of [value].flat()) {
    try {
      read = option.parseArg?.(one, read)
    } catch (cause) {
      if (!(cause instanceof InvalidArgumentError)) throw cause
      throw usage(`the config ${file}: ${option.attributeName()} ${JSON.stringify(one)} is invalid. ${cause.message}`, cause)
    }
  }
  const isPath = option.long === '--store' || (option.long === '--profile' && isFile(String(read)))
  return isPath ? path.resolve(path.dirname(file), String(read)) : read
}

function usage(message: string, cause?: unknown): AuditError {
  return new AuditError('USAGE', message, { cause, hint: 'use --no-config to run without it' })
}
