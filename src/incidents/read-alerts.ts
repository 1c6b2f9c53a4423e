// Alerts as the API shows them, each with what was decided on it and why.
import { z } from 'zod'
import type { Db } from '../db/connect.ts'
import type { AlertRow, IncidentTables } from './tables.ts'
import type { AlertView } from './view.ts'

const texts = z.record(z.string(), z.string())

export function alertViewOf(row: AlertRow): AlertView {
  const annotations = texts.parse(JSON.parse(row.annotations))
  return {
    id: row.id,
    source: row.source,
    name: row.name,
    service: row.service,
    severity: row.severity,
    status: row.status,
    summary: annotations['summary'] ?? annotations['message'] ?? annotations['description'] ?? '',
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    times: row.times,
    decision: row.decision,
    reason: row.reason,
    url: row.url,
  }
}

export interface AlertFilter {
  readonly tenant: string
  /** `waiting`: not folded yet. All of them when absent. */
  readonly decision?: 'opened' | 'joined' | 'ignored' | 'waiting' | undefined
  readonly limit: number
}

/** The latest first, each with the incident it belongs to. */
export async function listAlerts(
  db: Db<IncidentTables>,
  { tenant, decision, limit }: AlertFilter,
): Promise<readonly (AlertView & { readonly incidentId: string | null; readonly receivedAt: number })[]> {
  let query = db.selectFrom('alerts').selectAll().where('tenant', '=', tenant)
  if (decision === 'waiting') query = query.where('decision', 'is', null)
  else if (decision !== undefined) query = query.where('decision', '=', decision)
  const rows = await query.orderBy('first_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map((row) => ({ ...alertViewOf(row), incidentId: row.incident_id, receivedAt: row.first_at }))
}
