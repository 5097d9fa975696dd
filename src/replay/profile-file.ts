/** Reads a profile that a user wrote. */

import { z } from 'zod'
import { AuditError } from '../model/errors.ts'
import { defined } from '../util/defined.ts'
import type { ExecutionProfile } from './profile.ts'
import { isTimeZone } from './time-zones.ts'

const profileSchema = z.strictObject({
  name: z.string().min(1).max(200),
  environment: z
    .array(
      z
        .string()
        .max(4096)
        .regex(/^[^=\0]+=[^\0]*$/, 'it must be NAME=value')
    )
    .max(32),
  clock: z.strictObject({ start: z.int().min(0).optional(), step: z.int().min(0).default(1) }).default({ step: 1 }),
  instances: z
    .union([z.literal(['one', 'per-message']), z.array(z.int().min(0)).max(100_000)], {
      error: 'it must be "one", "per-message" or a list of nonces'
    })
    .default('one'),
  blocks: z
    .union([z.literal(['all', 'stepwise', 'one-stream']), z.array(z.int().min(0)).max(100_000)], {
      error: 'it must be "all", "stepwise", "one-stream" or a list of times in ms'
    })
    .optional(),
  timeZone: z.string().max(100).refine(isTimeZone, 'no time zone has that name').optional(),
  loader: z.string().max(100).default('0.0.44')
})

/**
 * Reads a profile from a file's JSON: `{ "name", "environment": ["NAME=value", …], "clock"?, "instances"?, "blocks"?,
 * "timeZone"?, "loader"? }`.
 *
 * @throws AuditError `USAGE` with the names of the faulty fields
 */
export function parseProfile(json: unknown): ExecutionProfile {
  const parsed = profileSchema.safeParse(json)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the root'}: ${message}`)
    throw new AuditError('USAGE', `the profile has faulty fields: ${faults.slice(0, 5).join('; ')}`)
  }
  const { clock, blocks, timeZone, ...rest } = parsed.data
  return {
    ...rest,
    clock: { start: clock.start, step: clock.step },
    ...defined({ blocks, timeZone })
  }
}
