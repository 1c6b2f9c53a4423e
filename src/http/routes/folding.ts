// What people do to incidents as such: look after one, make one of two or two of one.
import { appendAudit } from '../../audit/log.ts'
import type { AuditTables } from '../../audit/tables.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { QueueTables } from '../../db/queue.ts'
import { acknowledge } from '../../incidents/acknowledge.ts'
import type { IncidentFeed } from '../../incidents/feed.ts'
import type { FoldingConfig } from '../../incidents/folding/config.ts'
import { learn } from '../../incidents/folding/lessons.ts'
import { mergeIncidents } from '../../incidents/folding/merge.ts'
import { splitIncident } from '../../incidents/folding/split.ts'
import { findIncident } from '../../incidents/read.ts'
import type { IncidentRow, IncidentTables } from '../../incidents/tables.ts'
import { mergeBody, splitBody } from '../../incidents/view.ts'
import { ok, type Route } from '../exchange.ts'

type Tables = IncidentTables & QueueTables & AuditTables

export interface FoldingRouteDeps {
  readonly db: Db<Tables>
  readonly feed: IncidentFeed
  readonly clock: Clock
  readonly config: Pick<FoldingConfig, 'groupBy' | 'groupIntervalMs'>
  /** There is something to investigate anew. */
  readonly onWork: () => void
}

/**
 * `POST /v1/incidents/:id/merge` (`{incident, reason}`: that one's alerts become this one's), `POST /v1/incidents/:id/split`
 * (`{alerts, reason}`), `POST /v1/incidents/:id/ack`.
 */
export function foldingRoutes({ db, feed, clock, config, onWork }: FoldingRouteDeps): Route[] {
  const tell = (...incidents: readonly IncidentRow[]): void => {
    for (const { id } of incidents) feed.publish(id)
    onWork()
  }
  return [
    {
      method: 'POST',
      path: '/v1/incidents/:id/merge',
      scope: 'incidents:approve',
      handle: async (exchange) => {
        const { tenant, name: by } = exchange.caller
        const body = await exchange.json(mergeBody)
        const nowMs = clock.now()
        const [into, from] = await db.transaction().execute(async (trx: Db<Tables>) => {
          const target = await getOpen(trx, tenant, exchange.params['id'] ?? '')
          const other = await getOpen(trx, tenant, body.incident)
          if (target.id === other.id) throw new AppError('malformed', 'Name two incidents.')
          const first = await firstAlerts(trx, target.id, other.id)
          await mergeIncidents(trx, other, target, { by, why: body.reason }, config, nowMs)
          const reason = `${by} merged incident ${other.number} into ${target.number}`
          if (first) await learn(trx, tenant, 'together', first[0], [first[1]], { by, reason }, nowMs)
          const told = { into: target.id, reason: body.reason }
          await appendAudit(trx, [
            { tenant, at: nowMs, actor: by, kind: 'incident.merged', subject: other.id, body: told },
          ])
          return [target, other]
        })
        tell(into, from)
        return ok({ incident: into.number, merged: from.number })
      },
    },
    {
      method: 'POST',
      path: '/v1/incidents/:id/split',
      scope: 'incidents:approve',
      handle: async (exchange) => {
        const { tenant, name: by } = exchange.caller
        const body = await exchange.json(splitBody)
        const nowMs = clock.now()
        const [from, incident] = await db.transaction().execute(async (trx: Db<Tables>) => {
          const whole = await getOpen(trx, tenant, exchange.params['id'] ?? '')
          const split = await splitIncident(trx, whole, body.alerts, { by, why: body.reason }, config, nowMs)
          const reason = `${by} took incident ${split.incident.number} out of ${whole.number}`
          await learn(trx, tenant, 'apart', split.stays, split.moved, { by, reason }, nowMs)
          const told = { into: split.incident.id, alerts: body.alerts, reason: body.reason }
          await appendAudit(trx, [
            { tenant, at: nowMs, actor: by, kind: 'incident.split', subject: whole.id, body: told },
          ])
          return [whole, split.incident]
        })
        tell(from, incident)
        return { status: 201, json: { incident: from.number, split: incident.number } }
      },
    },
    {
      method: 'POST',
      path: '/v1/incidents/:id/ack',
      scope: 'incidents:approve',
      handle: async (exchange) => {
        const { tenant, name: by } = exchange.caller
        const nowMs = clock.now()
        const incident = await db.transaction().execute(async (trx: Db<Tables>) => {
          const row = await getOpen(trx, tenant, exchange.params['id'] ?? '')
          await acknowledge(trx, row, by, nowMs)
          return row
        })
        tell(incident)
        return ok({ incident: incident.number, by })
      },
    },
  ]
}

async function getOpen(trx: Db<Tables>, tenant: string, given: string): Promise<IncidentRow> {
  const row = await findIncident(trx, tenant, given)
  if (!row) throw new AppError('not_found', `There is no incident ${given}.`)
  if (row.state === 'closed') throw new AppError('conflict', `Incident ${row.number} is closed.`)
  return row
}

async function firstAlerts(trx: Db<Tables>, a: string, b: string) {
  const first = (id: string) =>
    trx
      .selectFrom('alerts')
      .selectAll()
      .where('incident_id', '=', id)
      .orderBy('first_at')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
  const [one, other] = [await first(a), await first(b)]
  return one && other ? ([one, other] as const) : undefined
}
