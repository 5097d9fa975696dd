/** The default folder of the store. */
import path from 'node:path'

/**
 * The user's cache folder for this tool. A relative path in the environment is ignored, as the XDG Base Directory Specification
 * requires.
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
  const on = platform === 'win32' ? path.win32 : path.posix
  const given = env['XDG_CACHE_HOME']
  if (given !== undefined && on.isAbsolute(given)) return on.join(given, 'ao-audit')
  if (platform === 'darwin') return on.join(home, 'Library', 'Caches', 'ao-audit')
  if (platform !== 'win32') return on.join(home, '.cache', 'ao-audit')
  const local = env['LOCALAPPDATA']
  const base = local !== undefined && on.isAbsolute(local) ? local : on.join(home, 'AppData', 'Local')
  return on.join(base, 'ao-audit', 'cache')
}
