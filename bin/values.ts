/** Parsers for values of options and arguments. Each returns the value, or throws an error that says what is expected. */
import { InvalidArgumentError } from 'commander'
import type { AuditStart } from '../src/audit/audit-options.ts'
import { parseUnitUrl } from '../src/audit/config.ts'
import type { StateHashChoice } from '../src/audit/state-hashes.ts'
import { AuditError } from '../src/model/errors.ts'
import { isAddress, isArweaveId } from '../src/model/ids.ts'
import { NAMED_PROFILES } from '../src/replay/profile.ts'

/** @throws InvalidArgumentError with a sentence that says what is expected */
type Read<T> = (text: string) => T

/** @param read returns undefined for an invalid text */
function reading<T>(takes: string, read: Read<T | undefined>): Read<T> {
  return (text) => {
    const value = read(text)
    if (value === undefined) throw new InvalidArgumentError(`It must be ${takes}.`)
    return value
  }
}

/** Accepts digits only: `1e1`, `0x10` and ` 5` are more likely mistakes than numbers. */
function digits(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

function decimal(text: string, most: number): number | undefined {
  const value = /^\d{1,15}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  return value <= most ? value : undefined
}

export const nonce = reading('a nonce: a whole number from 0, in digits alone', (text) => digits(text, 0, 10 ** 15))
export const count = reading('a whole number from 1 to 999, in digits alone', (text) => digits(text, 1, 999))
export const limitCount = reading('a whole number from 0 to 999999, in digits alone', (text) => digits(text, 0, 999_999))
export const percent = reading('a number from 0 to 100, such as 95 or 99.5', (text) => decimal(text, 100))
/** Reads seconds; returns ms. */
export const secondsInMs = reading('a number of seconds above 0 and below 1000000, such as 30 or 0.5', (text) => {
  const value = decimal(text, 999_999.999)
  return value === undefined || value === 0 ? undefined : value * 1000
})

export const processId = reading("a process's id: 43 characters of base64url", (text) => (isArweaveId(text) ? text : undefined))
export const address = reading('an address: 43 characters of base64url, or 0x and 40 hex digits', (text) =>
  isAddress(text) ? text : undefined
)
export const start = reading('checkpoint:ID, the id of a checkpoint', (text): AuditStart | undefined => {
  const checkpoint = text.startsWith('checkpoint:') ? text.slice('checkpoint:'.length) : ''
  return isArweaveId(checkpoint) ? { checkpoint } : undefined
})
const names: readonly string[] = NAMED_PROFILES.map(({ name }) => name)
export const profile = reading(`auto, ${names.join(', ')}, or the path of a JSON file`, (text) =>
  text === 'auto' || isFile(text) || names.includes(text) ? text : undefined
)
export const fileName = reading('the name of a file', (text) => (text === '' ? undefined : text))
export const folderName = reading('the name of a folder', (text) => (text === '' ? undefined : text))
export const unitUrl = asLibrary('the http or https URL of a unit', parseUnitUrl)

const STATE_HASHES_MAX = 10_000

export const stateHashes = reading('last, nonces with commas between them, or every:K', (text): StateHashChoice | undefined => {
  if (text === 'last') return text
  const every = /^every:([1-9]\d{0,8})$/.exec(text)?.[1]
  if (every !== undefined) return { every: Number(every) }
  const parts = text.split(',')
  return parts.length <= STATE_HASHES_MAX && parts.every((part) => /^\d{1,15}$/.test(part)) ? parts.map(Number) : undefined
})

/** Accepts the texts that the library's own parser accepts, unchanged. */
function asLibrary(takes: string, read: Read<unknown>): Read<string> {
  return (text) => {
    try {
      read(text)
      return text
    } catch (error) {
      if (!(error instanceof AuditError)) throw error
      throw new InvalidArgumentError(`It must be ${takes}${error.hint === undefined ? '' : `: ${error.hint}`}.`)
    }
  }
}

/** One of several words. */
export function oneOf<T extends string>(words: readonly T[]): Read<T> {
  return reading(words.join(' or '), (text) => words.find((known) => known === text))
}

/** Whether a profile names a file: it has a path separator or ends in `.json`. */
export function isFile(text: string): boolean {
  return /[\\/]|\.json$/.test(text)
}
