/** The way of the data as import rules: see ARCHITECTURE.md. */
const io = '^(node:)?(fs|fs/promises|net|http|https|http2|dns|child_process|worker_threads|dgram|tls|readline|timers|os)$'
/** From the one that joins all others down to the one that knows nothing: a file imports from its own layer and from lower ones, types too. */
const LAYERS = [
  'audit',
  'report',
  'pull',
  'compare',
  'attribution',
  'replay',
  'inputs',
  'fetch',
  'verify',
  'httpsig',
  'ans104',
  'memory',
  'store',
  'util',
  'model'
]

const onlyDownwards = LAYERS.slice(1).map((layer, place) => ({
  name: `${layer}-imports-downwards`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: `^src/(${LAYERS.slice(0, place + 1).join('|')})/|^src/index` }
}))

module.exports = {
  forbidden: [
    ...onlyDownwards,
    {
      name: 'every-folder-is-a-layer',
      severity: 'error',
      from: {},
      to: {
        path: '^src/',
        pathNot: `^src/((index|ans104-exports|httpsig-exports|verify-exports|replay-exports)\\.ts$|(${LAYERS.join('|')})/)`
      }
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'pure-core',
      comment: 'what agrees, who is blamed and what is signed is decided without I/O',
      severity: 'error',
      from: {
        path: '^src/(compare|attribution|ans104|httpsig|verify)/',
        pathNot: '^src/verify/(verification-threads|signature-worker)'
      },
      to: { path: io, dependencyTypes: ['core'] }
    },
    {
      name: 'pure-core-imports',
      comment: 'compare/, attribution/, ans104/ and httpsig/ know nothing of where data comes from or goes to',
      severity: 'error',
      from: { path: '^src/(compare|attribution|ans104|httpsig)/' },
      to: { path: '^(src/(fetch|store|replay|report|pull)/|bin/)' }
    },
    {
      name: 'replay-knows-no-network',
      severity: 'error',
      from: { path: '^src/replay/' },
      to: { path: '^src/fetch/|^bin/' }
    },
    {
      name: 'fetch-stores-nothing',
      severity: 'error',
      from: { path: '^src/fetch/' },
      to: { path: '^src/store/|^bin/' }
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
      name: 'only-one-file-asks-over-graphql',
      severity: 'error',
      from: { path: '^(src|bin)/', pathNot: '^src/fetch/graphql' },
      to: { path: 'node_modules/(arweave-graphql|graphql|graphql-request)/' }
    },
    {
      name: 'network-packages-load-late',
      comment: 'the demo and audits of archives do not wait for them',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      to: { path: '^src/fetch/graphql|node_modules/arweave/', dynamic: false, dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'only-verification-seals',
      comment: 'a Signed is made where signatures are verified, nowhere else',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/verify/' },
      to: { path: '^src/verify/seal' }
    },
    {
      name: 'only-httpsig-covers',
      comment: 'what a signature covers is said where it is verified, nowhere else',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/httpsig/' },
      to: { path: '^src/httpsig/covered-seal' }
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
