import { defineConfig } from 'vitest/config'

/** The tests that `npm run test:mutation` runs against each mutant: those of the two folders it changes. */
export default defineConfig({
  test: {
    include: ['test/compare/**/*.test.ts', 'test/verify/**/*.test.ts'],
    setupFiles: ['test/mutation.setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
