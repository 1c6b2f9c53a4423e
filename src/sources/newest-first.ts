// Pages of lines from a store that gives the newest first and ends a page wherever it likes. The next page begins at the time
// of the oldest line, which is therefore read again, so that lines of one moment are not lost where a page ended between them.
import type { LogLine } from '../core/telemetry.ts'

export interface Page {
  /** In any order; those that are not wanted are left out already. */
  readonly lines: readonly LogLine[]
  /** Whether the store gave as many as it gives at once, so that there may be more. */
  readonly whole: boolean
  /** The oldest time of what it gave, wanted or not, in the store's own unit. */
  readonly oldest: bigint
}

export interface PagedRead {
  readonly limit: number
  readonly maxPages: number
  /** The newest time wanted, in the store's unit. */
  readonly newest: bigint
  /** Lines not newer than `until`, the newest first. */
  readonly page: (until: bigint) => Promise<Page>
}

export interface ReadLines {
  readonly lines: readonly LogLine[]
  readonly truncated: boolean
  readonly problems?: readonly string[]
}

/** At most `limit` lines, the newest, in order of time. `truncated` when there are, or may be, more. */
export async function readNewestFirst({ limit, maxPages, newest, page }: PagedRead): Promise<ReadLines> {
  const found = new Map<string, LogLine>()
  const problems: string[] = []
  let until = newest
  let more = true
  for (let pages = 0; more && found.size <= limit && pages < maxPages; pages++) {
    const { lines, whole, oldest } = await page(until)
    for (const line of lines) found.set(line.ref, line)
    more = whole
    if (more && oldest >= until) {
      problems.push('more lines at one moment than are given at once: some of them were not read')
      until = oldest - 1n
    } else until = oldest
  }
  const lines = [...found.values()].sort((a, b) => a.at - b.at || (a.ref < b.ref ? -1 : 1))
  const kept = limit > 0 ? lines.slice(-limit) : []
  const truncated = more || kept.length < lines.length || problems.length > 0
  return { lines: kept, truncated, ...(problems.length === 0 ? {} : { problems }) }
}
