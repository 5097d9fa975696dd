/** The way of the data as import rules: see ARCHITECTURE.md. */
const io = '^(node:)?(fs|fs/promises|net|http|https|http2|dns|child_process|worker_threads|dgram|tls|readline|timers|os)$'
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'pure-core',
      comment: 'compare/ and verify/ do no I/O',
      severity: 'error',
      from: { path: '^src/(compare|verify)/' },
      to: { path: io, dependencyTypes: ['core'] }
    },
    {
      name: 'pure-core-imports',
      comment: 'compare/ and verify/ know nothing of where data comes from or goes to',
      severity: 'error',
      from: { path: '^src/(compare|verify)/' },
      to: { path: '^(src/(fetch|store|replay|report)/|bin/)' }
    },
    {
      name: 'compare-knows-no-network',
      severity: 'error',
      from: { path: '^src/replay/' },
      to: { path: '^src/(fetch|report|compare)/|^bin/' }
    },
    {
      name: 'fetch-stands-alone',
      severity: 'error',
      from: { path: '^src/fetch/' },
      to: { path: '^src/(replay|compare|report|store)/|^bin/' }
    },
    {
      name: 'store-has-no-meaning',
      severity: 'error',
      from: { path: '^src/store/' },
      to: { path: '^src/(fetch|verify|replay|compare|report)/|^bin/' }
    },
    {
      name: 'report-decides-nothing',
      severity: 'error',
      from: { path: '^src/report/' },
      to: { path: '^src/(fetch|store|verify)/|^bin/' }
    },
    {
      name: 'only-the-sandbox-loads-the-loader',
      severity: 'error',
      from: { pathNot: '^src/replay/sandbox/' },
      to: { path: 'ao-loader' }
    },
    {
      name: 'only-verification-seals',
      comment: 'a Signed is made where signatures are verified, nowhere else',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/verification/' },
      to: { path: '^src/verification/seal' }
    },
    { name: 'src-does-not-import-bin', severity: 'error', from: { path: '^src/' }, to: { path: '^(bin|test)/' } },
    {
      name: 'no-dev-dependency-in-the-product',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/@types/' }
    }
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] }
  }
}
