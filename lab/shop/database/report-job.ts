// The sales report: a real query over the past orders. Normally small and rare; a large one that somebody ordered is
// kept in the database until it is cancelled, so a restart does not get rid of it: only the flag stops it.
import type { DatabaseSync } from 'node:sqlite'

const USUAL = { queryMs: 8, everyMs: 15_000 }
const INNER_ROWS = 1500
const LOOK_AGAIN_MS = 500

export interface ReportJob {
  /** The flag: off stops reports until it is on again. */
  allow(on: boolean): void
  order(size: { readonly queryMs: number; readonly busyShare: number }): void
  cancel(): void
}

export function createReportJob(db: DatabaseSync, done: (seconds: number) => void): ReportJob {
  db.exec('CREATE TABLE IF NOT EXISTS report_orders (id INTEGER PRIMARY KEY, query_ms REAL, busy_share REAL)')
  const chew = db.prepare(
    `SELECT count(*) AS pairs, sum(a.amount * b.amount % 97) AS sold
     FROM (SELECT amount FROM order_lines LIMIT ?) a JOIN (SELECT amount FROM order_lines LIMIT ${INNER_ROWS}) b`,
  )
  const ordered = db.prepare('SELECT query_ms AS queryMs, busy_share AS busyShare FROM report_orders LIMIT 1')
  let allowed = false
  let outerRows = 20
  let timer: NodeJS.Timeout | undefined

  /** The same work takes longer on a slower machine: the size follows the time it should take. */
  const runOnce = (queryMs: number) => {
    const startedMs = performance.now()
    chew.all(Math.round(outerRows))
    const tookMs = Math.max(0.05, performance.now() - startedMs)
    outerRows = Math.min(30_000, Math.max(1, outerRows * Math.min(4, queryMs / tookMs)))
    done(tookMs / 1000)
    return tookMs
  }
  const next = () => {
    const heavy = ordered.get() as { queryMs: number; busyShare: number } | undefined
    const tookMs = runOnce(heavy?.queryMs ?? USUAL.queryMs)
    const waitMs = heavy ? tookMs * (1 / heavy.busyShare - 1) : USUAL.everyMs
    timer = setTimeout(next, waitMs)
  }
  const soon = () => {
    clearTimeout(timer)
    timer = allowed ? setTimeout(next, LOOK_AGAIN_MS) : undefined
  }
  return {
    allow: (on) => {
      allowed = on
      soon()
    },
    order: ({ queryMs, busyShare }) => {
      db.prepare('INSERT INTO report_orders (query_ms, busy_share) VALUES (?, ?)').run(queryMs, busyShare)
      soon()
    },
    cancel: () => {
      db.exec('DELETE FROM report_orders')
      soon()
    },
  }
}
