// What Midwatch has stored, read straight from its database and never written: the judge must not depend on what the
// judged one says of itself.
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { fingerprint } from './alerting/fingerprint.ts'

export interface StoredAlert {
  /** As Alertmanager computes it. */
  readonly fingerprint: string
  readonly startsAtMs: number
  readonly status: 'firing' | 'resolved'
  /** null until it is folded. */
  readonly decision: string | null
  readonly firstAtMs: number
}

const alertRow = z.object({
  labels: z.string(),
  starts_at: z.number(),
  status: z.enum(['firing', 'resolved']),
  decision: z.string().nullable(),
  first_at: z.number(),
})
const runRow = z.object({ id: z.string() })
const labels = z.record(z.string(), z.string())

/** Every alert that Midwatch has accepted. */
export const readAlerts = (databaseFile: string): readonly StoredAlert[] =>
  read(databaseFile, 'SELECT labels, starts_at, status, decision, first_at FROM alerts', alertRow).map((row) => ({
    fingerprint: fingerprint(labels.parse(JSON.parse(row.labels))),
    startsAtMs: row.starts_at,
    status: row.status,
    decision: row.decision,
    firstAtMs: row.first_at,
  }))

/** The ids of the runs of actions that Midwatch has written down. */
export const readActionRuns = (databaseFile: string): readonly string[] =>
  read(databaseFile, 'SELECT id FROM action_runs', runRow).map(({ id }) => id)

function read<T extends z.ZodType>(databaseFile: string, sql: string, row: T): readonly z.output<T>[] {
  const database = new DatabaseSync(databaseFile, { readOnly: true, timeout: 5000 })
  try {
    return z.array(row).parse(database.prepare(sql).all())
  } finally {
    database.close()
  }
}
