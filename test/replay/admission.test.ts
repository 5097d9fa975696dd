import { describe, expect, it } from 'vitest'
import type { Tag } from '../../src/model/records.ts'
import { admissionOf, type DriveSubject, hasDrive, namesDrive } from '../../src/replay/drive/admission.ts'
import { sealSigned } from '../../src/verify/seal.ts'

const ID = 'a'.repeat(43)
const ALWAYS: Tag = { name: 'Module-Format', value: 'wasm64-unknown-emscripten-draft_2024_02_15' }
const NARROW: Tag = { name: 'Module-Format', value: 'wasm32-unknown-emscripten4' }
const EXTENSION: Tag = { name: 'Extension', value: 'WeaveDrive' }
const scheduler: Tag = { name: 'Scheduler', value: 'S' }
const attestor = (value: string): Tag => ({ name: 'Attestor', value })
const mode = (value: string): Tag => ({ name: 'Availability-Type', value })
const boot = (value: string): Tag => ({ name: 'On-Boot', value })

function subject(process: readonly Tag[], module: readonly Tag[] = [ALWAYS]): DriveSubject {
  return { process: sealSigned({ tags: process }), module: sealSigned({ tags: module }) }
}

describe('hasDrive', () => {
  it.each([
    ['one format always', [ALWAYS], true],
    ['others not', [NARROW], false],
    ['others with the extension', [NARROW, { name: 'Extension', value: 'Other' }, EXTENSION], true],
    ['no other wide one', [{ name: 'Module-Format', value: 'wasm64-unknown-emscripten-draft_2024_10_16-metering' }], false]
  ])('%s', (_, tags, has) => {
    expect(hasDrive(subject([EXTENSION], tags))).toBe(has)
  })
})

describe('namesDrive', () => {
  it.each([
    ['neither extension nor boot', subject([scheduler]), false],
    ["the process's extension", subject([EXTENSION]), true],
    ["the module's extension", subject([], [NARROW, EXTENSION]), true],
    ['a file to boot', subject([boot(ID)]), true],
    ['a mode that opens all', subject([mode('test')]), true],
    ['an extension of a process whose module has no WeaveDrive', subject([EXTENSION, boot(ID)], [NARROW]), false]
  ])('%s', (_, of, names) => {
    expect(namesDrive(of)).toBe(names)
  })
})

describe('admissionOf', () => {
  it.each([
    ['the file to boot with', [boot(ID)], { kind: 'open' }],
    ['the last of two of them', [boot('x'), boot(ID)], { kind: 'open' }],
    ['the mode test', [mode('test')], { kind: 'open' }],
    ['no extension', [scheduler], { kind: 'closed', reason: 'neither process nor module has the extension WeaveDrive' }],
    ['another file to boot with', [boot('x')], { kind: 'closed' }],
    [
      'a mode that it does not know',
      [EXTENSION, mode('Other')],
      { kind: 'closed', reason: 'WeaveDrive knows no Availability-Type Other' }
    ],
    ['the mode test beside another, which counts', [EXTENSION, mode('test'), mode('Other')], { kind: 'closed' }],
    ['the mode test twice, which is a list to the unit', [EXTENSION, mode('test'), mode('test')], { kind: 'closed' }],
    ['nothing said', [EXTENSION, scheduler], { kind: 'attested', types: ['Attestation'], owners: ['S'] }],
    ['an empty mode', [EXTENSION, scheduler, mode('')], { kind: 'attested', types: ['Attestation'], owners: ['S'] }],
    [
      'Library, of which the unit knows this half',
      [EXTENSION, mode('Library')],
      { kind: 'attested', types: ['Attestation'], owners: [] }
    ],
    [
      'Individual, with attestors',
      [
        EXTENSION,
        { name: 'Scheduler', value: 'old' },
        scheduler,
        attestor('A'),
        attestor(''),
        attestor('B'),
        mode('Individual')
      ],
      { kind: 'attested', types: ['Attestation', 'Available'], owners: ['S', 'A', 'B'] }
    ]
  ] as const)('%s', (_, tags, expected) => {
    expect(admissionOf(subject(tags), ID)).toMatchObject(expected)
  })

  it('asks the module where the process does not say its mode or extension', () => {
    const module = [NARROW, EXTENSION, mode('Individual')]
    expect(admissionOf(subject([scheduler], module), ID)).toMatchObject({ types: ['Attestation', 'Available'] })
    expect(admissionOf(subject([scheduler, mode('Assignments')], module), ID)).toMatchObject({ types: ['Attestation'] })
    expect(admissionOf(subject([scheduler], [NARROW, mode('test')]), ID)).toEqual({ kind: 'open' })
  })

  it('takes no name for another', () => {
    const tags = [
      { name: '__proto__', value: 'WeaveDrive' },
      { name: 'extension', value: 'WeaveDrive' }
    ]
    expect(admissionOf(subject(tags), ID).kind).toBe('closed')
  })
})
