/** Where relative paths begin; undefined where that folder was removed meanwhile. */
export function currentFolder(): string | undefined {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}
