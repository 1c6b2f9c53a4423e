// Alerts as the API shows them, each with what was decided on it and why.
import { z } from 'zod'
import type { Db } from '../db/connect.ts'
import { placesOf } from './alert-service.ts'
import type { AlertRow, IncidentTables } from './tables.ts'
import type { AlertView, ListedAlert } from './view.ts'

const texts = z.record(z.string(), z.string())

export const alertViewOf = (row: AlertRow): AlertView => viewOf(row, textsIn(row.annotations))

const textsIn = (json: string) => texts.parse(JSON.parse(json))

function viewOf(row: AlertRow, annotations: z.output<typeof texts>): AlertView {
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
  readonly decision?: 'opened' | 'joined' | 'ignored' | 'muted' | 'not_understood' | 'waiting' | undefined
  /** The sender's name. */
  readonly source?: string | undefined
  readonly limit: number
}

/** The latest first. */
export async function listAlerts(
  db: Db<IncidentTables>,
  { tenant, decision, source, limit }: AlertFilter,
): Promise<readonly ListedAlert[]> {
  let query = db.selectFrom('alerts').selectAll().where('tenant', '=', tenant)
  if (source !== undefined) query = query.where('source', '=', source)
  if (decision === 'waiting') query = query.where('decision', 'is', null)
  else if (decision !== undefined) query = query.where('decision', '=', decision)
  const rows = await query.orderBy('first_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map(listed)
}

/** How many of a tenant's alerts nobody here could read since then. */
export async function countNotUnderstood(db: Db<IncidentTables>, tenant: string, sinceMs: number): Promise<number> {
  const { n } = await db
    .selectFrom('alerts')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('tenant', '=', tenant)
    .where('decision', '=', 'not_understood')
    .where('first_at', '>=', sinceMs)
    .executeTakeFirstOrThrow()
  return n
}

/** One alert with the body that first told of it, as it came. */
export async function findAlert(
  db: Db<IncidentTables>,
  tenant: string,
  id: string,
): Promise<(ListedAlert & { readonly raw: string }) | undefined> {
  const row = await db
    .selectFrom('alerts')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const { body } = await db
    .selectFrom('deliveries')
    .select('body')
    .where('id', '=', row.delivery_id)
    .executeTakeFirstOrThrow()
  return { ...listed(row), raw: body }
}

function listed(row: AlertRow): ListedAlert {
  const labels = textsIn(row.labels)
  const annotations = textsIn(row.annotations)
  const links = Object.entries(annotations).filter(([, text]) => /^https?:\/\/\S+$/i.test(text))
  return {
    ...viewOf(row, annotations),
    incidentId: row.incident_id,
    receivedAt: row.first_at,
    fingerprint: row.fingerprint,
    labels,
    hosts: [...placesOf(labels)],
    links: Object.fromEntries(row.url === null ? links : [['alert', row.url], ...links]),
  }
}
