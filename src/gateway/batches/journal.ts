// The answers of a batch while it runs: two files that only grow, one line an answer, in the form in which they will be
// handed out. What a crash cut off in the middle of a line is taken away when the files are opened again, and the rest
// tells which requests are answered: none is answered twice.
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { z } from 'zod'
import { linesOf } from './lines.ts'

export type Verdict = 'completed' | 'failed'

const answered = z.looseObject({ custom_id: z.string() })

export class Journal {
  readonly #files: Readonly<Record<Verdict, FileHandle>>
  readonly #paths: Readonly<Record<Verdict, string>>
  readonly #answered: Set<string>
  readonly counts: Record<Verdict, number>
  #writing: Promise<void> = Promise.resolve()

  private constructor(
    files: Readonly<Record<Verdict, FileHandle>>,
    paths: Readonly<Record<Verdict, string>>,
    answered: Set<string>,
    counts: Record<Verdict, number>,
  ) {
    this.#files = files
    this.#paths = paths
    this.#answered = answered
    this.counts = counts
  }

  static async open(path: string): Promise<Journal> {
    const paths = { completed: `${path}.output`, failed: `${path}.errors` }
    const seen = new Set<string>()
    const counts = { completed: 0, failed: 0 }
    const completed = await reopen(paths.completed, seen)
    counts.completed = seen.size
    const failed = await reopen(paths.failed, seen)
    counts.failed = seen.size - counts.completed
    return new Journal({ completed, failed }, paths, seen, counts)
  }

  has(customId: string): boolean {
    return this.#answered.has(customId)
  }

  /** Resolves when it is in the file; a second answer to the same request is left away. */
  add(verdict: Verdict, customId: string, line: Buffer): Promise<void> {
    if (this.#answered.has(customId)) return Promise.resolve()
    this.#answered.add(customId)
    this.counts[verdict]++
    // One after the other, so that no line ends up within another.
    const written = this.#writing.then(() => this.#files[verdict].appendFile(line))
    this.#writing = written.catch(() => undefined)
    return written
  }

  /** Everything is on the platter then. */
  async close(): Promise<void> {
    await this.#writing
    for (const file of Object.values(this.#files)) {
      await file.sync()
      await file.close()
    }
  }

  /** Where the answers of that verdict stand. */
  path(verdict: Verdict): string {
    return this.#paths[verdict]
  }
}

/** Opens for appending behind the last whole line, and adds to `seen` whom the lines answer. */
async function reopen(path: string, seen: Set<string>): Promise<FileHandle> {
  const file = await open(path, 'a', 0o600)
  let end = 0
  for await (const { bytes, endsAt, whole } of linesOf(createReadStream(path), Infinity)) {
    if (!whole || bytes === 'too long') break
    const line = answered.safeParse(parsed(bytes))
    // A line that is none can only come from a crash of the machine: from there on nothing can be trusted.
    if (!line.success) break
    seen.add(line.data.custom_id)
    end = endsAt
  }
  await file.truncate(end)
  return file
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

/** Moves what a journal wrote to where it stays. undefined: nothing was written. Done before, it changes nothing. */
export async function settleFile(from: string, to: string): Promise<number | undefined> {
  const written = await sizeOf(from)
  if (written === 0) {
    await rm(from)
    return undefined
  }
  if (written !== undefined) await rename(from, to)
  return sizeOf(to)
}

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
