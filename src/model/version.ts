/** The tool's own versions, for the report. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

function versionOf(packageFile: string): string {
  return (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version
}

/** The version of this package and of the loader it replays with. */
export function toolVersions(): { readonly version: string; readonly node: string; readonly loader: string } {
  return {
    version: versionOf(require.resolve('ao-audit/package.json')),
    node: process.versions.node,
    loader: versionOf(require.resolve('@permaweb/ao-loader').replace(/dist[\\/]index\.cjs$/, 'package.json'))
  }
}
