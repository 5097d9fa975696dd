/** Time zones that a Compute Unit's host may have been in. */

/** Whether it is a zone that a profile may state: one that `Intl` knows. */
export function isTimeZone(name: string): boolean {
  // Offsets such as `+09:00`, which newer versions take, are none that a host's `TZ` can be.
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name }).format()
    return true
  } catch {
    return false
  }
}

/**
 * One zone for every offset, and for every pair of offsets with daylight saving, that is in use; where zones of one offset are
 * named otherwise (`EST`, `GMT-5`), one for each. The likeliest for servers come first.
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
