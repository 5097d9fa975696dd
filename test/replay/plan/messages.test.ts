import { describe, expect, test } from 'vitest'
import {
  idOf,
  messageText,
  onChain,
  owner,
  PROCESS_ID,
  plan,
  processMessage,
  processRecord,
  RSA_KEY,
  resealed,
  scheduled,
  tag
} from './fixtures.ts'

const ID = (name: string) => `"${idOf(name)}"`
const assigned = (nonce: number) =>
  `"Epoch":0,"Nonce":${nonce},"Timestamp":${1_000_000 + nonce * 1000},"Block-Height":100,"Hash-Chain":"chain${nonce}","Cron":false,"Read-Only":false`

/** The message with nonce 1, after the process's own. */
async function messageOf(options: Parameters<typeof scheduled>[1], items: Parameters<typeof plan>[0]['items'] = []) {
  const [, planned] = await plan({ schedule: [processMessage(), scheduled(1, options)], items })
  return messageText(planned)
}

describe('the text that a module receives', () => {
  test('contains the fields of an ordinary message in the order of the CU', async () => {
    const item = {
      data: 'hello',
      anchor: 'an anchor',
      tags: [tag('Action', 'Eval'), tag('Action', 'Again')],
      target: idOf('elsewhere')
    }
    expect(await messageOf({ item })).toBe(
      `{"Id":${ID('message1')},"Signature":"signature-1","Data":"hello","Owner":${ID('sender')},"Target":"${PROCESS_ID}",` +
        `"Anchor":"an anchor","From":${ID('sender')},"Tags":[{"name":"Action","value":"Eval"},{"name":"Action","value":"Again"}],${assigned(1)}}`
    )
  })

  test('contains no From and Owner tags in exactly this spelling, and only the name and value of other tags', async () => {
    const odd = { value: 'v', name: 'x', more: 1 }
    const tags = [
      tag('From', 'evil'),
      tag('from', 'kept'),
      tag('Owner', 'evil'),
      tag('OWNER', 'kept'),
      odd,
      tag('From', 'evil')
    ]
    expect(await messageOf({ item: { tags } })).toContain(
      '"Tags":[{"name":"from","value":"kept"},{"name":"OWNER","value":"kept"},{"name":"x","value":"v"}]'
    )
  })

  test('contains null data, and no key for absent data or an absent hash chain', async () => {
    expect(await messageOf({ item: { data: null } })).toContain('"Data":null,')
    const { data, ...without } = scheduled(1).message ?? {}
    const planned = await plan({
      schedule: [processMessage(), resealed(scheduled(1, { hashChain: '' }), { message: without as never })]
    })
    expect(data).toBe('')
    expect(messageText(planned[1])).not.toMatch(/"Data"|"Hash-Chain"/)
  })

  test('names the first From-Process tag of a push as sender and the signer as forwarder', async () => {
    const tags = [tag('From-Process', idOf('first')), tag('From-Process', idOf('second')), tag('From', 'evil')]
    expect(await messageOf({ item: { tags } })).toBe(
      `{"Id":${ID('message1')},"Signature":"signature-1","Data":"","Owner":${ID('sender')},"Target":"${PROCESS_ID}","Anchor":null,` +
        `"From":${ID('first')},"Forwarded-By":${ID('sender')},` +
        `"Tags":[{"name":"From-Process","value":${ID('first')}},{"name":"From-Process","value":${ID('second')}}],${assigned(1)}}`
    )
  })

  test('names the signer of a push with an empty From-Process tag as sender and forwarder', async () => {
    expect(await messageOf({ item: { tags: [tag('From-Process', '')] } })).toContain(
      `"From":${ID('sender')},"Forwarded-By":${ID('sender')},`
    )
  })

  test('contains the mixed-case address of an Ethereum key of 65 bytes', async () => {
    const key = Buffer.from(
      '04e68acfc0253a10620dff706b0a1b1f1f5833ea3beb3bde2250d5f271f3563606672ebc45e0b7ea2e816ecb70ca03137b1c9476eec63d4632e990020b7b6fba39',
      'hex'
    )
    // The first account that Ganache creates with --deterministic.
    expect(await messageOf({ item: { owner: { address: idOf('x'), key: key.toString('base64url') } } })).toContain(
      '"Owner":"0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1"'
    )
    expect(await messageOf({ item: { owner: { address: idOf('x'), key: '' } } })).toContain(`"Owner":${ID('x')}`)
  })

  test("contains the fields of the process's own message in the order of the CU", async () => {
    const [own] = await plan({ schedule: [processMessage()] })
    expect(messageText(own)).toBe(
      `{"Id":"${PROCESS_ID}","Signature":"process-signature","Data":"return 1","Owner":${ID('creator')},"Target":"${PROCESS_ID}",` +
        `"Anchor":null,"From":${ID('creator')},"Tags":[{"name":"Type","value":"Process"}],${assigned(0)}}`
    )
  })

  test('contains the fields of the boot message for a process older than the boot loader', async () => {
    const process = processRecord({
      anchor: 'x',
      tags: [tag('Type', 'Process'), tag('From-Process', idOf('parent')), tag('Owner', 'x')]
    })
    const [boot] = await plan({ process, schedule: [scheduled(0)], processData: 'return 2' })
    expect(boot?.saved).toBe(false)
    expect(boot?.nonce).toBeUndefined()
    expect(messageText(boot)).toBe(
      `{"Id":"${PROCESS_ID}","Signature":"process-signature","Data":"return 2","Owner":${ID('creator')},"Target":"${PROCESS_ID}",` +
        `"Anchor":"x","From":${ID('parent')},"Tags":[{"name":"Type","value":"Process"},{"name":"From-Process","value":${ID('parent')}}],` +
        '"Timestamp":1000000,"Block-Height":100,"Cron":false,"Read-Only":false}'
    )
  })

  test("contains the gateway's fields of an on-chain item, which is never forwarded", async () => {
    const tags = [tag('From-Process', idOf('other')), tag('From', 'evil')]
    const options = { item: null, messageId: idOf('item') }
    expect(await messageOf(options, [onChain('item', { tags, recipient: idOf('somebody'), anchor: 'YWJj' }, 'text')])).toBe(
      `{"Id":${ID('item')},"Signature":"on-chain","Data":"text","Owner":${ID('author')},"Target":${ID('somebody')},"Anchor":"YWJj",` +
        `"From":${ID('other')},"Tags":[{"name":"From-Process","value":${ID('other')}}],${assigned(1)}}`
    )
    expect(await messageOf(options, [onChain('item', { owner: { address: idOf('o'), key: RSA_KEY } }, '')])).toContain(
      `"Data":"","Owner":${ID('o')},"Target":"","Anchor":"","From":${ID('o')},"Tags":[],`
    )
  })

  test('leaves out the fields of an on-chain item that its assignment excludes', async () => {
    const excluded = (...names: string[]) => ({
      item: null,
      messageId: idOf('item'),
      assignmentTags: names.map((name) => tag('Exclude', name))
    })
    const item = onChain('item', { tags: [tag('From-Process', idOf('other'))], anchor: 'a' })
    expect(await messageOf(excluded('Data', 'Signature', 'Anchor', 'Tags'), [item])).toBe(
      `{"Id":${ID('item')},"Owner":${ID('author')},"Target":"","From":${ID('author')},"Tags":[],${assigned(1)}}`
    )
    const kept = await messageOf(excluded('Owner', 'data'), [onChain('item', {}, 'text')])
    expect(kept).toContain('"Data":"text"')
    expect(kept).toContain(`"Owner":${ID('author')}`)
  })

  test('contains the fields of a cron message in the order of the CU', async () => {
    const process = processRecord({
      owner: owner('creator'),
      tags: [
        tag('Type', 'Process'),
        tag('Cron-Interval', '5-seconds'),
        tag('Cron-Tag-Action', 'Tick'),
        tag('Cron-Tag-From', 'evil')
      ]
    })
    const schedule = [processMessage(process), scheduled(1, { timestamp: 1_006_000 })]
    const planned = await plan({ process, schedule, blocks: [{ height: 100, timestamp: 990_000 }] })
    expect(planned[1]?.key).toEqual({ ordinate: 0, cron: '0-5-seconds', timestamp: 1_005_000 })
    expect(planned[1]?.readsBlocks).toBe(true)
    expect(messageText(planned[1])).toBe(
      `{"Owner":${ID('creator')},"Target":"${PROCESS_ID}","From":${ID('creator')},"Tags":[{"name":"Action","value":"Tick"}],` +
        '"Timestamp":1005000,"Block-Height":100,"Cron":true,"Read-Only":false}'
    )
  })
})
