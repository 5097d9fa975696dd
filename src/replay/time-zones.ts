/** The time zones that a Compute Unit's host may have used. */

/** Whether a profile may state this zone: `Intl` must know it. */
export function isTimeZone(name: string): boolean {
  // Newer versions accept offsets like `+09:00`, but a host's `TZ` cannot have such a value.
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name }).format()
    return true
  } catch {
    return false
  }
}

/**
 * One zone for every offset in use, and for every pair of offsets with daylight saving; if zones with the same offset have
 * different names (`EST`, `GMT-5`), one for each name. The most likely zones of servers come first.
 */
export const TIME_ZONES: readonly string[] = [
  'UTC',
  'America/New_York',
  'America/Los_Angeles',
  'Europe/Berlin',
  'Europe/London',
  'Asia/Singapore',
  'Asia/Tokyo',
  'Asia/Kolkata',
  'America/Chicago',
  'Europe/Helsinki',
  'Australia/Sydney',
  'America/Sao_Paulo',
  'Europe/Moscow',
  'Asia/Dubai',
  'America/Denver',
  'America/Phoenix',
  'America/Toronto',
  'Europe/Lisbon',
  'Asia/Bangkok',
  'Africa/Lagos',
  'Africa/Johannesburg',
  'America/Bogota',
  'America/Panama',
  'America/Mexico_City',
  'America/Puerto_Rico',
  'America/Caracas',
  'America/Halifax',
  'America/Santiago',
  'Pacific/Auckland',
  'Pacific/Honolulu',
  'America/Anchorage',
  'America/St_Johns',
  'America/Havana',
  'America/Miquelon',
  'America/Nuuk',
  'America/Noronha',
  'America/Adak',
  'Africa/Abidjan',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Jerusalem',
  'Asia/Tehran',
  'Asia/Kabul',
  'Asia/Karachi',
  'Asia/Kathmandu',
  'Asia/Dhaka',
  'Asia/Yangon',
  'Australia/Adelaide',
  'Australia/Brisbane',
  'Australia/Darwin',
  'Australia/Eucla',
  'Australia/Lord_Howe',
  'Atlantic/Azores',
  'Atlantic/Cape_Verde',
  'Pacific/Galapagos',
  'Pacific/Easter',
  'Pacific/Tahiti',
  'Pacific/Marquesas',
  'Pacific/Gambier',
  'Pacific/Pitcairn',
  'Pacific/Pago_Pago',
  'Pacific/Guadalcanal',
  'Pacific/Norfolk',
  'Pacific/Fiji',
  'Pacific/Chatham',
  'Pacific/Tongatapu',
  'Pacific/Kiritimati',
  'America/Hermosillo',
  'Antarctica/Troll'
]
