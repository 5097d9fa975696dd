import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/every-report.ts'],
    // Real modules run in child processes: two files at a time keep the machine's memory and the tests' time limits honest.
    maxWorkers: 2,
    // No test changes what another imports, and importing it once for each file takes a tenth of the time.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
