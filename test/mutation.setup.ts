import fc from 'fast-check'

// The same values each time, so that the score is too; and no shrinking, for a caught mutant needs no smallest example.
fc.configureGlobal({ seed: 1, numRuns: 40, endOnFailure: true })
