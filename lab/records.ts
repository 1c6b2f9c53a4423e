// What Midwatch has stored, read straight from its database and never written: the judge must not depend on what the
// judged one says of itself.
import { DatabaseSync } from 'node:sqlite'

export interface StoredAlert {
  readonly fingerprint: string
  readonly startsAtMs: number
  readonly status: 'firing' | 'resolved'
  readonly incidentId: string | null
  readonly firstAtMs: number
}

/** Every alert that Midwatch has accepted. */
export function readAlerts(databaseFile: string): readonly StoredAlert[] {
  return read(databaseFile, 'SELECT fingerprint, starts_at, status, incident_id, first_at FROM alerts').map((row) => ({
    fingerprint: String(row['fingerprint']),
    startsAtMs: Number(row['starts_at']),
    status: row['status'] === 'resolved' ? 'resolved' : 'firing',
    incidentId: row['incident_id'] === null ? null : String(row['incident_id']),
    firstAtMs: Number(row['first_at']),
  }))
}

function read(databaseFile: string, sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(databaseFile, { readOnly: true, timeout: 5000 })
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}
