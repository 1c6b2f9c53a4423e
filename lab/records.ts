// What Midwatch has stored, read straight from its database and never written: the judge must not depend on what the
// judged one says of itself.
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { fingerprint } from './alerting/fingerprint.ts'

const labels = z.record(z.string(), z.string())

export interface StoredAlert {
  /** As Alertmanager computes it. */
  readonly fingerprint: string
  readonly startsAtMs: number
  readonly status: 'firing' | 'resolved'
  /** null until it is folded. */
  readonly decision: string | null
  readonly incidentId: string | null
  readonly firstAtMs: number
}

/** Every alert that Midwatch has accepted. */
export function readAlerts(databaseFile: string): readonly StoredAlert[] {
  const sql = 'SELECT labels, starts_at, status, decision, incident_id, first_at FROM alerts'
  return read(databaseFile, sql).map((row) => ({
    fingerprint: fingerprint(labels.parse(JSON.parse(String(row['labels'])))),
    startsAtMs: Number(row['starts_at']),
    status: row['status'] === 'resolved' ? 'resolved' : 'firing',
    decision: row['decision'] === null ? null : String(row['decision']),
    incidentId: row['incident_id'] === null ? null : String(row['incident_id']),
    firstAtMs: Number(row['first_at']),
  }))
}

/** The ids of the runs of actions that Midwatch has written down. */
export const readActionRuns = (databaseFile: string): readonly string[] =>
  read(databaseFile, 'SELECT id FROM action_runs').map((row) => String(row['id']))

function read(databaseFile: string, sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(databaseFile, { readOnly: true, timeout: 5000 })
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}
