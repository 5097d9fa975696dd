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
    ['is true for the one format that always has WeaveDrive', [ALWAYS], true],
    ['is false for another format without the extension', [NARROW], false],
    ['is true for another format with the extension', [NARROW, { name: 'Extension', value: 'Other' }, EXTENSION], true],
    [
      'is false for the other wide format without the extension',
      [{ name: 'Module-Format', value: 'wasm64-unknown-emscripten-draft_2024_10_16-metering' }],
      false
    ]
  ])('%s', (_, tags, has) => {
    expect(hasDrive(subject([EXTENSION], tags))).toBe(has)
  })
})

describe('namesDrive', () => {
  it.each([
    ['is false without an extension and a boot file', subject([scheduler]), false],
    ['is true if the process has the extension', subject([EXTENSION]), true],
    ['is true if the module has the extension', subject([], [NARROW, EXTENSION]), true],
    ['is true if the process names a boot file', subject([boot(ID)]), true],
    ['is true for a mode that opens all files', subject([mode('test')]), true],
    [
      'is false for a process with the extension if its module has no WeaveDrive',
      subject([EXTENSION, boot(ID)], [NARROW]),
      false
    ]
  ])('%s', (_, of, names) => {
    expect(namesDrive(of)).toBe(names)
  })
})

describe('admissionOf', () => {
  it.each([
    ['opens the boot file', [boot(ID)], { kind: 'open' }],
    ['opens the last of two boot files', [boot('x'), boot(ID)], { kind: 'open' }],
    ['opens a file in the mode test', [mode('test')], { kind: 'open' }],
    [
      'opens no file without the extension',
      [scheduler],
      { kind: 'closed', reason: 'neither process nor module has the extension WeaveDrive' }
    ],
    ['opens no file other than the boot file', [boot('x')], { kind: 'closed' }],
    [
      'opens no file in an unknown mode',
      [EXTENSION, mode('Other')],
      { kind: 'closed', reason: 'WeaveDrive does not know the Availability-Type Other' }
    ],
    ['uses the other mode if the mode test stands beside it', [EXTENSION, mode('test'), mode('Other')], { kind: 'closed' }],
    [
      'opens no file for two tags with the mode test, which the unit reads as a list',
      [EXTENSION, mode('test'), mode('test')],
      { kind: 'closed' }
    ],
    [
      'requires an attestation by the scheduler if no mode is given',
      [EXTENSION, scheduler],
      { kind: 'attested', types: ['Attestation'], owners: ['S'] }
    ],
    [
      'requires an attestation by the scheduler if the mode is empty',
      [EXTENSION, scheduler, mode('')],
      { kind: 'attested', types: ['Attestation'], owners: ['S'] }
    ],
    [
      'requires an attestation in the mode Library, of which the unit implements only this half',
      [EXTENSION, mode('Library')],
      { kind: 'attested', types: ['Attestation'], owners: [] }
    ],
    [
      'accepts both kinds of item from scheduler and attestors in the mode Individual',
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

  it('uses the tags of the module if the process states no mode or extension', () => {
    const module = [NARROW, EXTENSION, mode('Individual')]
    expect(admissionOf(subject([scheduler], module), ID)).toMatchObject({ types: ['Attestation', 'Available'] })
    expect(admissionOf(subject([scheduler, mode('Assignments')], module), ID)).toMatchObject({ types: ['Attestation'] })
    expect(admissionOf(subject([scheduler], [NARROW, mode('test')]), ID)).toEqual({ kind: 'open' })
  })

  it('ignores tags with a similar name or the name of a prototype', () => {
    const tags = [
      { name: '__proto__', value: 'WeaveDrive' },
      { name: 'extension', value: 'WeaveDrive' }
    ]
    expect(admissionOf(subject(tags), ID).kind).toBe('closed')
  })
})
