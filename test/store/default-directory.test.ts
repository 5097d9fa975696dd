import { expect, it } from 'vitest'
import { defaultStoreDirectory } from '../../src/store/default-directory.ts'

it.each([
  [{}, 'linux', '/home/u', '/home/u/.cache/ao-audit'],
  [{ XDG_CACHE_HOME: '/c' }, 'linux', '/home/u', '/c/ao-audit'],
  [{ XDG_CACHE_HOME: 'relative' }, 'linux', '/home/u', '/home/u/.cache/ao-audit'],
  [{ XDG_CACHE_HOME: '' }, 'linux', '/home/u', '/home/u/.cache/ao-audit'],
  [{}, 'darwin', '/Users/u', '/Users/u/Library/Caches/ao-audit'],
  [{ LOCALAPPDATA: 'D:\\Local' }, 'win32', 'C:\\Users\\u', 'D:\\Local\\ao-audit\\cache'],
  [{ LOCALAPPDATA: '' }, 'win32', 'C:\\Users\\u', 'C:\\Users\\u\\AppData\\Local\\ao-audit\\cache'],
  [{}, 'win32', 'C:\\Users\\u', 'C:\\Users\\u\\AppData\\Local\\ao-audit\\cache']
])('with the environment %j on %s and the home %s the store is in %s', (env, platform, home, expected) => {
  expect(defaultStoreDirectory(env, platform, home)).toBe(expected)
})
