/** Names many evaluations in few words. */
import type { EvaluationKey } from '../model/records.ts'

export interface NonceRanges {
  /** Call it in the order of ordinates. */
  add(key: EvaluationKey): void
  /** `nonces 3 to 7, 9 and 4 further ranges`. */
  text(): string
}

const RANGES_SHOWN = 5

export function createNonceRanges(): NonceRanges {
  const shown: { from: number; to: number }[] = []
  let further = 0
  let last = Number.NaN
  let crons = 0
  return {
    add({ ordinate, cron }) {
      if (cron !== undefined) crons++
      if (ordinate === last || cron !== undefined) return
      const open = further === 0 ? shown.at(-1) : undefined
      const follows = ordinate === last + 1
      if (follows && open !== undefined) open.to = ordinate
      else if (!follows || further === 0) {
        if (shown.length < RANGES_SHOWN) shown.push({ from: ordinate, to: ordinate })
        else further++
      }
      last = ordinate
    },
    text() {
      const ranges = shown.map(({ from, to }) => (to > from ? `${from} to ${to}` : `${from}`))
      const single = shown.length === 1 && shown[0]?.from === shown[0]?.to
      const nonces = shown.length === 0 ? [] : [`${single ? 'nonce' : 'nonces'} ${ranges.join(', ')}`]
      const more = further === 0 ? [] : [`${further} further ${further === 1 ? 'range' : 'ranges'}`]
      const fired = crons === 0 ? [] : [`${crons} ${crons === 1 ? 'cron' : 'crons'}`]
      return [...nonces, ...more, ...fired].join(' and ')
    }
  }
}
