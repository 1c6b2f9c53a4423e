// Which files there are to read: the configured files, and all logs inside the configured folders, looked up anew each
// time so that new and rotated ones are found. Only what is listed here can ever be opened, by whatever name.
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { describeError } from '../../core/errors.ts'

export interface LogFile {
  readonly path: string
  /** Relative to its folder, with `/`: what a `ref` calls it. */
  readonly name: string
}

export interface Listing {
  readonly files: readonly LogFile[]
  /** In words: what is configured and cannot be read. */
  readonly problems: readonly string[]
}

const LOG_NAME = /\.(?:log|jsonl|json|ndjson)(?:[.-]\d+)?$/

export async function listLogFiles(paths: readonly string[]): Promise<Listing> {
  const files: LogFile[] = []
  const problems: string[] = []
  for (const path of paths) {
    try {
      const kind = await stat(path)
      if (kind.isFile()) files.push({ path, name: basename(path) })
      else if (!kind.isDirectory()) problems.push(`${path} cannot be read: it is neither a file nor a folder`)
      if (!kind.isDirectory()) continue
      const folders = [path]
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        for (const entry of await entriesOf(folder, problems)) {
          const full = join(folder, entry.name)
          if (entry.isDirectory()) folders.push(full)
          if (!LOG_NAME.test(entry.name) || !(entry.isFile() || entry.isSymbolicLink())) continue
          files.push({ path: full, name: relative(path, full).split(sep).join('/') })
        }
      }
    } catch (error) {
      problems.push(`${path} cannot be read: ${reasonOf(error)}`)
    }
  }
  return { files: files.sort((a, b) => (a.name < b.name ? -1 : 1)), problems }
}

/** One folder that cannot be read hides nothing but itself. */
async function entriesOf(folder: string, problems: string[]): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    problems.push(`${folder} cannot be read: ${reasonOf(error)}`)
    return []
  }
}

export function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'it does not exist'
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    default:
      return describeError(error)
  }
}
