// Which targets there are right now: those of the config, and those of the files, each read again when it changes.
// A file that cannot be understood keeps what it said before; a file that is gone has no targets.
import { readFile, stat } from 'node:fs/promises'
import { describeError } from '../../core/errors.ts'
import type { SourceLog } from '../log.ts'
import { parseTargetFile, staticTarget, type StaticTarget, type Target } from './target.ts'

interface WatchedFile {
  readonly path: string
  /** Modification time and size when it was last read. */
  version: string
  targets: readonly Target[]
  /** The last complaint, told once. */
  problem: string
}

export class Discovery {
  readonly #fixed: readonly Target[]
  readonly #files: readonly WatchedFile[]
  readonly #log: SourceLog

  constructor(options: { targets: readonly StaticTarget[]; targetFiles: readonly string[]; log: SourceLog }) {
    this.#fixed = options.targets.map(staticTarget)
    this.#files = options.targetFiles.map((path) => ({ path, version: '', targets: [], problem: '' }))
    this.#log = options.log
  }

  /** Every target once, by key. */
  async targets(): Promise<ReadonlyMap<string, Target>> {
    for (const file of this.#files) await this.#refresh(file)
    return new Map([...this.#fixed, ...this.#files.flatMap(({ targets }) => targets)].map((each) => [each.key, each]))
  }

  async #refresh(file: WatchedFile): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(file.path)
      const version = `${mtimeMs}:${size}:${ino}`
      if (version === file.version) return
      const read = parseTargetFile(await readFile(file.path, 'utf8'))
      file.version = version
      if (read.ok) {
        file.targets = read.targets
        file.problem = ''
      } else this.#complain(file, read.reason)
    } catch (error) {
      file.version = ''
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') file.targets = []
      this.#complain(file, describeError(error))
    }
  }

  #complain(file: WatchedFile, problem: string): void {
    if (problem !== file.problem) this.#log.warn({ file: file.path, reason: problem }, 'target file not usable')
    file.problem = problem
  }
}
