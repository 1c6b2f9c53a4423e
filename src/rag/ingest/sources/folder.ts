// A folder with everything under it. Links are followed as long as they stay inside, each real folder once, so that
// neither a circle nor a link to /etc leads anywhere. A folder that cannot be opened makes a gap: nothing is taken for
// deleted that only could not be seen.
import type { BigIntStats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { AppError } from '../../../core/errors.ts'
import type { Metadata } from '../../document.ts'
import type { Listing, Source, SourceItem } from '../source.ts'
import { type FileChoice, isChosen, isPassedOver } from './file-choice.ts'
import { readWhole, reasonOf } from './read-file.ts'

export interface FolderOptions extends FileChoice {
  readonly path: string
  /** Where a reader opens a file; its own path where it is left out. */
  readonly sourceOf?: (relative: string) => string
  readonly place?: string
  readonly metadata?: Metadata
}

const MAX_DEPTH = 64

export function createFolderSource(options: FolderOptions): Source {
  return {
    place: options.place ?? `folder:${options.path}`,
    list: async (signal) => {
      const root = await realRoot(options.path)
      const walk = new Walk(root, options, signal)
      await walk.enter(root, '', 0)
      return walk.listing()
    },
  }
}

/** One file given by itself; its id is its name. */
export function createFileSource(path: string): Source {
  return {
    place: `file:${path}`,
    list: async () => {
      const root = await realRoot(join(path, '..'))
      const real = await realpath(path).catch(failsWith(path))
      const looks = await stat(real, { bigint: true }).catch(failsWith(path))
      if (!looks.isFile()) throw new AppError('malformed', `${path} is neither a file nor a folder.`)
      const name = path.slice(path.lastIndexOf(sep) + 1)
      return { total: 1, items: [itemOf(name, real, join(root, name), looks, {})] }
    },
  }
}

class Walk {
  readonly #root: string
  readonly #options: FolderOptions
  readonly #signal: AbortSignal
  readonly #seen = new Set<string>()
  readonly #items: SourceItem[] = []

  constructor(root: string, options: FolderOptions, signal: AbortSignal) {
    this.#root = root
    this.#options = options
    this.#signal = signal
  }

  listing(): Listing {
    return { total: this.#items.filter(({ kind }) => kind !== 'gap').length, items: this.#items }
  }

  async enter(real: string, relative: string, depth: number): Promise<void> {
    this.#signal.throwIfAborted()
    if (this.#seen.has(real)) return
    this.#seen.add(real)
    if (depth > MAX_DEPTH) return this.#gap(relative, `it is nested deeper than ${MAX_DEPTH} folders`)
    const entries = await readdir(real, { withFileTypes: true }).catch((error: unknown) => {
      if (depth === 0) throw new AppError('not_found', `${this.#options.path} cannot be read: ${reasonOf(error)}.`)
      this.#gap(relative, reasonOf(error))
      return []
    })
    // In one order wherever it runs, so that two readings are alike.
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`
      if (entry.isDirectory()) {
        if (!isPassedOver(path, this.#options)) await this.enter(join(real, entry.name), path, depth + 1)
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        await this.#take(join(real, entry.name), path, entry.isSymbolicLink(), depth)
      }
    }
  }

  async #take(at: string, path: string, isLink: boolean, depth: number): Promise<void> {
    const chosen = isChosen(path, this.#options) && !path.slice(path.lastIndexOf('/') + 1).startsWith('.')
    if (!isLink && !chosen) return
    const real = isLink ? await realpath(at).catch(() => undefined) : at
    // A link to nowhere, or out of the folder.
    if (real === undefined || !this.#isInside(real))
      return this.#bad(path, chosen, 'it is a link that leads out of the folder, or nowhere')
    let looks: BigIntStats
    try {
      looks = await stat(real, { bigint: true })
    } catch (error) {
      return this.#bad(path, chosen, reasonOf(error))
    }
    if (looks.isDirectory()) {
      if (!isPassedOver(path, this.#options)) await this.enter(real, path, depth + 1)
    } else if (chosen && looks.isFile()) {
      const { sourceOf, metadata = {} } = this.#options
      this.#items.push(itemOf(path, real, sourceOf?.(path) ?? join(this.#root, path), looks, metadata))
    }
  }

  #isInside(real: string): boolean {
    return real === this.#root || real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)
  }

  #bad(id: string, chosen: boolean, reason: string): void {
    if (chosen) this.#items.push({ kind: 'bad', id, reason })
  }

  #gap(path: string, reason: string): void {
    this.#items.push({ kind: 'gap', reason: `${path}: ${reason}` })
  }
}

function itemOf(id: string, real: string, source: string, looks: BigIntStats, metadata: Metadata): SourceItem {
  const { dev, ino, size, mtimeNs, ctimeNs } = looks
  return {
    kind: 'document',
    id,
    sizeBytes: Number(size),
    looks: `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`,
    read: async () => ({ kind: 'read', document: { id, source, bytes: await readWhole(real), metadata } }),
  }
}

async function realRoot(path: string): Promise<string> {
  return realpath(path).catch(failsWith(path))
}

const failsWith =
  (path: string) =>
  (error: unknown): never => {
    throw new AppError('not_found', `${path} cannot be read: ${reasonOf(error)}.`, { cause: error })
  }
