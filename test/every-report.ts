/** Checks every report that a test builds in its own process against the report's schema. */
import { vi } from 'vitest'
import { expectSchema } from './report/fits-schema.ts'

vi.mock(import('../src/report/build.ts'), async (importOriginal) => {
  const original = await importOriginal()
  return { ...original, buildReport: (parts) => expectSchema(original.buildReport(parts)) }
})
