/** Where the store lies where nobody says. */
import path from 'node:path'

/**
 * The user's cache folder for this tool.
 *
 * @param env the environment, `process.env`
 * @param platform `process.platform`
 * @param home the user's home folder
 */
export function defaultStoreDirectory(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
  home: string
): string {
  const given = env['XDG_CACHE_HOME']
  if (given !== undefined && path.isAbsolute(given)) return path.join(given, 'ao-audit')
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches', 'ao-audit')
  if (platform === 'win32') return path.join(env['LOCALAPPDATA'] ?? path.join(home, 'AppData', 'Local'), 'ao-audit', 'cache')
  return path.join(home, '.cache', 'ao-audit')
}
