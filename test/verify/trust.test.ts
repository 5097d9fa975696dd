import { describe, expect, it } from 'vitest'
import { createTrust, type UnprovenInput } from '../../src/verify/trust.ts'

const doubt = (what: string, ...servedBy: UnprovenInput['servedBy']): UnprovenInput => ({
  what,
  reason: 'no signature',
  servedBy
})

describe('trust', () => {
  it('accepts no input if the user trusts no role', () => {
    const trust = createTrust()
    expect(trust.takes(doubt('a', 'scheduler', 'gateway'), 0)).toBe(false)
    expect([trust.under(9), [...trust.counts()]]).toEqual([undefined, []])
  })

  it('accepts an input of a trusted role, and counts it only once', () => {
    const trust = createTrust(['scheduler'])
    expect(trust.takes(doubt('a', 'scheduler'), 2)).toBe(true)
    expect(trust.takes(doubt('a', 'scheduler'), 2)).toBe(true)
    expect(trust.takes(doubt('b', 'gateway', 'scheduler'), 3)).toBe(true)
    expect(trust.takes(doubt('c', 'gateway'), 1)).toBe(false)
    expect(trust.takes(doubt('d'), 1)).toBe(false)
    expect([...trust.counts()]).toEqual([['scheduler', 2]])
  })

  it('counts an input for only one role, the first that served it', () => {
    const trust = createTrust(['scheduler', 'gateway'])
    trust.takes(doubt('a', 'gateway', 'scheduler'))
    expect([...trust.counts()]).toEqual([
      ['scheduler', 0],
      ['gateway', 1]
    ])
  })

  it('names the first input of each role on which results depend, from its nonce on', () => {
    const trust = createTrust(['scheduler', 'gateway'])
    trust.takes(doubt('c', 'scheduler'), 5)
    trust.takes(doubt('b', 'scheduler'), 3)
    trust.takes(doubt('m', 'gateway'), 4)
    trust.takes(doubt('a checkpoint', 'gateway'))
    expect([2, 3, 4].map(trust.under)).toEqual([
      undefined,
      'b as the scheduler served it',
      'b as the scheduler served it, m as the gateway served it'
    ])
  })

  it('accepts no input of a role that was not asked', () => {
    const trust = createTrust(['scheduler', 'gateway'], ['gateway'])
    expect(trust.takes(doubt('a', 'scheduler'), 0)).toBe(false)
    expect(trust.takes(doubt('b', 'scheduler', 'gateway'), 0)).toBe(true)
    expect([...trust.counts()]).toEqual([
      ['scheduler', 0],
      ['gateway', 1]
    ])
  })
})
