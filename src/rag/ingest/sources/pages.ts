// Pages named by their URLs. What a server says of a page's version is kept in a file beside the knowledge, and said back
// to it, so that an unchanged page is not sent again; the file may be lost at any time, and only costs that.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { Source, SourceItem } from '../source.ts'
import type { Fetcher } from './fetch-page.ts'

const remembered = z.record(
  z.string(),
  z.object({ contentHash: z.string(), etag: z.string().optional(), lastModified: z.string().optional() }),
)
type Remembered = z.output<typeof remembered>

/** All pages of a collection are one source; a URL that is not named any more is gone from it. */
export function createPagesSource(
  urls: readonly string[],
  options: { readonly fetcher: Fetcher; readonly memoryFile: string; readonly place?: string },
): Source {
  const memory = load(options.memoryFile)
  const next: Remembered = {}
  return {
    place: options.place ?? `url:${urls.join(' ')}`,
    list: async () => ({
      total: urls.length,
      items: urls.map((url): SourceItem => {
        const id = withoutCredentials(url)
        return {
          kind: 'document',
          id,
          // Nobody knows before it comes.
          sizeBytes: 1024 * 1024,
          read: async (known, signal) => {
            const before = memory[id]
            // Only what stands in the store may stay as it is.
            const { etag, lastModified } = before !== undefined && before.contentHash === known ? before : {}
            const said = {
              ...(etag === undefined ? {} : { etag }),
              ...(lastModified === undefined ? {} : { lastModified }),
            }
            const fetched = await options.fetcher.fetch(url, said, signal)
            if (fetched.kind === 'unchanged' && before) next[id] = before
            if (fetched.kind !== 'page') return fetched
            const { bytes, mediaType, validators } = fetched
            return {
              kind: 'read',
              document: { id, source: id, bytes, metadata: {}, ...(mediaType === undefined ? {} : { mediaType }) },
              stored: (contentHash) => {
                if (validators.etag ?? validators.lastModified) next[id] = { contentHash, ...validators }
              },
            }
          },
        }
      }),
    }),
    finish: async () => save(options.memoryFile, { ...load(options.memoryFile), ...next }),
  }
}

/** What lets us in is nothing for a citation. */
function withoutCredentials(text: string): string {
  const url = new URL(text)
  url.username = ''
  url.password = ''
  return url.href
}

function load(file: string): Remembered {
  try {
    const read = remembered.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return read.success ? read.data : {}
  } catch {
    return {}
  }
}

/** Whole or not at all: it is written beside and moved. */
function save(file: string, memory: Remembered): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const beside = `${file}.${process.pid}.tmp`
  writeFileSync(beside, JSON.stringify(memory), { mode: 0o600 })
  renameSync(beside, file)
}
