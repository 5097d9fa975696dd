import { describe, expect, it } from 'vitest'
import { parseProfile } from '../../src/replay/profile-file.ts'
import { isTimeZone, TIME_ZONES } from '../../src/replay/time-zones.ts'

const MONTHS = Array.from({ length: 12 }, (_, month) => Date.UTC(2025, month, 15))

/** Returns the offset of a zone from UTC in each month of a year. */
function offsetsOf(timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  const offset = (time: number) => format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value
  return MONTHS.map(offset).join(' ')
}

describe('TIME_ZONES', () => {
  it('contains fewer than 80 zones that Intl knows, each once, and UTC first', () => {
    expect(TIME_ZONES.every(isTimeZone)).toBe(true)
    expect(new Set(TIME_ZONES).size).toBe(TIME_ZONES.length)
    expect(TIME_ZONES.length).toBeLessThan(80)
    expect(TIME_ZONES[0]).toBe('UTC')
  })

  it('contains a zone for the winter and summer offsets of every zone that Intl knows', () => {
    const tried = new Set(TIME_ZONES.map(offsetsOf))
    const missing = Intl.supportedValuesOf('timeZone').filter((zone) => !tried.has(offsetsOf(zone)))
    expect(missing).toEqual([])
  })
})

describe('parseProfile', () => {
  const profile = { name: 'own', environment: [] }

  it('accepts a time zone that Intl knows, and sets none if none is stated', () => {
    expect(parseProfile({ ...profile, timeZone: 'Asia/Tokyo' }).timeZone).toBe('Asia/Tokyo')
    expect(parseProfile({ ...profile, timeZone: 'Etc/GMT-9' }).timeZone).toBe('Etc/GMT-9')
    expect('timeZone' in parseProfile(profile)).toBe(false)
  })

  it.each(['', 'Mars/Olympus', '+09:00', ':/etc/passwd', 'UTC\0', 9])('rejects the time zone %j', (timeZone) => {
    expect(() => parseProfile({ ...profile, timeZone })).toThrow(/timeZone/)
  })
})
