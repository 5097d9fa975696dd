import { describe, expect, it } from 'vitest'
import { audit, pullArchive } from '../../src/index.ts'

/** A caller without types. */
const auditAny = audit as (options?: unknown) => Promise<unknown>
const pullAny = pullArchive as (options: unknown, file: string) => Promise<unknown>
const ID = 'A'.repeat(43)

describe('invalid options of the library', () => {
  it.each<[string, unknown, RegExp]>([
    ['none at all', undefined, /^the options must be an object$/],
    ['a text', 'x', /^the options must be an object$/],
    ['an id that is a number', { process: 1 }, /^the option process must be a text$/],
    ['a nonce that is a text', { process: ID, from: 'x' }, /^the option from must be a whole number$/],
    ['a nonce below 0', { process: ID, to: -1 }, /^the option to must not be below 0$/],
    ['a single unit', { process: ID, computes: 'http://cu.example' }, /^the option computes must be a list of texts$/],
    ['a list with a number in it', { process: ID, gateways: [7] }, /^the option gateways\.0 must be a text$/],
    ['an unknown schedule', { process: ID, schedule: 'mine' }, /^the option schedule must be scheduler, arweave or both$/],
    ['a signal of the wrong type', { process: ID, signal: {} }, /^the option signal must be an AbortSignal$/],
    ['a listener of the wrong type', { process: ID, onEvaluation: 1 }, /^the option onEvaluation must be a function$/],
    ['an unknown option', { process: ID, compute: [] }, /^there is no option "compute"$/],
    ['a range that ends before it begins', { process: ID, from: 5, to: 2 }, /^the range starts at nonce 5, after its end/],
    [
      'a GraphQL endpoint without its gateway',
      { process: ID, gateways: ['http://gw.example'], graphqls: ['http://a.example', 'http://b.example'] },
      /^2 GraphQL endpoints for only 1 gateway$/
    ],
    ['a start that is a text', { process: ID, start: `checkpoint:${ID}` }, /^the option start must be { checkpoint: id }$/],
    ['a start that is no id', { process: ID, start: { checkpoint: 'x' } }, /^the option start\.checkpoint must be .* id: 43 /],
    ['a start with another key', { process: ID, start: { checkpoint: ID, nonce: 3 } }, /^there is no option "start\.nonce"$/],
    [
      'memories as a text',
      { process: ID, stateHashes: 'every:3' },
      /^the option stateHashes must be "last", a list of nonces, /
    ],
    ['memories of no nonce', { process: ID, stateHashes: [1, -1] }, /^the option stateHashes\.1 must not be below 0$/],
    [
      'memories after every 0th nonce',
      { process: ID, stateHashes: { every: 0 } },
      /^the option stateHashes\.every must not be below 1$/
    ],
    ['an unknown role', { process: ID, trustedRoles: ['mine'] }, /^the option trustedRoles\.0 must be scheduler or gateway$/],
    ['a single role', { process: ID, trustedRoles: 'gateway' }, /^the option trustedRoles must be a list of roles$/],
    [
      'an owner without address',
      { process: ID, checkpointOwners: ['x'] },
      /^the option checkpointOwners\.0 must be an address: /
    ],
    ['an unknown profile', { process: ID, profile: 'mine' }, /^no profile is named "mine"$/],
    ['a prototype', JSON.parse(`{"process":"${ID}","__proto__":{}}`), /^there is no option "__proto__"$/]
  ])('fail with USAGE before anything is read: %s', async (_, options, message) => {
    await expect(auditAny(options)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringMatching(message) })
  })

  it('also fail with USAGE if they are options of a pull', async () => {
    await expect(pullAny({ process: 7 }, 'x.tgz')).rejects.toMatchObject({
      code: 'USAGE',
      message: 'the option process must be a text'
    })
    await expect(pullAny({ process: ID, jobs: 2 }, 'x.tgz')).rejects.toMatchObject({ message: 'there is no option "jobs"' })
  })
})
