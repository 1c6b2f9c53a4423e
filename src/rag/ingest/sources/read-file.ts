// One file, read without being led elsewhere: by its real path, which the caller has found to be inside what was given,
// and never through a link, a pipe or a device that took its place since.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { AppError, describeError } from '../../../core/errors.ts'
import { MAX_DOCUMENT_BYTES } from '../source.ts'

/** Throws AppError that says why not. */
export async function readWhole(realPath: string): Promise<Buffer> {
  const file = await open(realPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw new AppError('not_found', `It cannot be read: ${reasonOf(error)}.`, { cause: error })
    },
  )
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new AppError('malformed', 'It is no file.')
    if (stat.size > MAX_DOCUMENT_BYTES) throw tooLarge(stat.size)
    const bytes = await file.readFile()
    // A file that grows while it is read.
    if (bytes.length > MAX_DOCUMENT_BYTES) throw tooLarge(bytes.length)
    return bytes
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('unavailable', `It cannot be read: ${reasonOf(error)}.`, { cause: error })
  } finally {
    await file.close()
  }
}

export const tooLarge = (sizeBytes: number): AppError =>
  new AppError(
    'too_large',
    `It is larger than a document may be (${Math.ceil(sizeBytes / 2 ** 20)} MB of ${MAX_DOCUMENT_BYTES / 2 ** 20} MB). Split it.`,
  )

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'it is not there',
  ELOOP: 'it is a link',
  ENOTDIR: 'a part of its path is no folder',
  EIO: 'the disk failed',
}

/** The reason that the system gave, for people. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return (code === undefined ? undefined : (REASONS[code] ?? code)) ?? describeError(error)
}
