// Incidents to read: the list, one with everything about it, and what happens as it happens.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { IncidentFeed } from '../../incidents/feed.ts'
import { findStop } from '../../incidents/investigation/acting/stop.ts'
import { eventsAfter, incidentStates, latestPosition } from '../../incidents/live.ts'
import { eraseCases } from '../../incidents/memory/erase.ts'
import { offerRunbook } from '../../incidents/memory/offer-runbook.ts'
import { findIncident, listIncidents, readIncident } from '../../incidents/read.ts'
import { writePostmortem } from '../../incidents/reports/postmortem.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import {
  erasureBody,
  type erasureView,
  type IncidentList,
  type IncidentView,
  type postmortemView,
  type runbookView,
} from '../../incidents/view.ts'
import { countMuted } from '../../incidents/folding/mute.ts'
import { countNotUnderstood } from '../../incidents/read-alerts.ts'
import { countWaiting } from '../../incidents/folding/waiting-alerts.ts'
import { lastEventId, type OutgoingEvent, streamEvents } from '../event-stream.ts'
import { type Exchange, ok, type Reply, type Route } from '../exchange.ts'

export interface IncidentRouteDeps {
  readonly db: Db<IncidentTables>
  readonly feed: IncidentFeed
  readonly clock: Clock
  /** From this risk on, an approval is asked for a second time. */
  readonly confirmFromRisk: number
}

const listQuery = z.strictObject({
  state: z.enum(['open', 'closed', 'all']).default('all'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z.coerce.number().int().positive().optional(),
})

/**
 * `GET /v1/incidents`, `/v1/incidents/events`, `/v1/incidents/:id` (an id or a number), `/v1/incidents/:id/events`,
 * `/v1/incidents/:id/runbook`, `/v1/incidents/:id/postmortem`; `POST /v1/incidents/cases/erasures`.
 */
export function incidentRoutes(deps: IncidentRouteDeps): Route[] {
  const { db, clock, confirmFromRisk } = deps
  return [
    {
      method: 'GET',
      path: '/v1/incidents',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const { tenant } = exchange.caller
        const incidents = await listIncidents(db, { tenant, ...exchange.query(listQuery) })
        const waiting = await countWaiting(db, tenant)
        const muted = await countMuted(db, tenant)
        const now = clock.now()
        const notUnderstood = await countNotUnderstood(db, tenant, now - DAY_MS)
        const stopped = (await findStop(db, tenant)) ?? null
        return ok({ incidents: [...incidents], waiting, muted, notUnderstood, now, stopped } satisfies IncidentList)
      },
    },
    {
      method: 'GET',
      path: '/v1/incidents/events',
      scope: 'incidents:read',
      handle: (exchange) => streamTimeline(exchange, deps, undefined),
    },
    {
      method: 'GET',
      path: '/v1/incidents/:id',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const id = exchange.params['id'] ?? ''
        const incident = await readIncident(db, id, { tenant: exchange.caller.tenant, confirmFromRisk })
        if (!incident) throw noIncident(id)
        return ok(incident satisfies IncidentView)
      },
    },
    {
      method: 'GET',
      path: '/v1/incidents/:id/runbook',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const id = exchange.params['id'] ?? ''
        const incident = await findIncident(db, exchange.caller.tenant, id)
        if (!incident) throw noIncident(id)
        const { markdown, cases } = await offerRunbook(db, incident)
        return ok({ markdown, cases: [...cases] } satisfies z.infer<typeof runbookView>)
      },
    },
    {
      method: 'GET',
      path: '/v1/incidents/:id/postmortem',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const id = exchange.params['id'] ?? ''
        const incident = await readIncident(db, id, { tenant: exchange.caller.tenant, confirmFromRisk })
        if (!incident) throw noIncident(id)
        return ok({ markdown: writePostmortem(incident) } satisfies z.infer<typeof postmortemView>)
      },
    },
    {
      method: 'POST',
      path: '/v1/incidents/cases/erasures',
      scope: 'admin',
      handle: async (exchange) => {
        const { tenant } = exchange.caller
        const body = await exchange.json(erasureBody)
        const incident = 'incident' in body ? await findIncident(db, tenant, body.incident) : undefined
        if ('incident' in body && !incident) throw noIncident(body.incident)
        const erasure = 'mentions' in body ? { mentions: body.mentions } : { incidentId: incident?.id ?? '' }
        const erased = await eraseCases(db, tenant, erasure, clock.now())
        return ok({ erased: [...erased] } satisfies z.infer<typeof erasureView>)
      },
    },
    {
      method: 'GET',
      path: '/v1/incidents/:id/events',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const id = exchange.params['id'] ?? ''
        const incident = await findIncident(db, exchange.caller.tenant, id)
        if (!incident) throw noIncident(id)
        return await streamTimeline(exchange, deps, incident.id)
      },
    },
  ]
}

const noIncident = (id: string): AppError => new AppError('not_found', `There is no incident ${id}.`)

const DAY_MS = 86_400_000
const EVENTS_A_READ = 200
/** Incidents that changed while the client was busy; beyond that it learns of them by its next load of the list. */
const MAX_CHANGED = 500

/**
 * Live events. Of one incident: its whole timeline, then what comes. Of all: what comes from now on. With
 * Last-Event-ID: what came since. A change that is no event (a count, a report) is told as `{kind: "changed"}`.
 */
async function streamTimeline(
  exchange: Exchange,
  { db, feed, clock }: IncidentRouteDeps,
  incidentId: string | undefined,
): Promise<Reply> {
  const { tenant } = exchange.caller
  const latest = await latestPosition(db, tenant)
  // An id from before the database was replaced would otherwise wait for numbers that are far away.
  let after = Math.min(lastEventId(exchange) ?? (incidentId === undefined ? latest : 0), latest)
  const changed = new Set<string>()

  const next = async (): Promise<readonly OutgoingEvent[]> => {
    const ids = [...changed]
    changed.clear()
    const events = await eventsAfter(db, { tenant, incidentId, after, limit: EVENTS_A_READ })
    after = events.at(-1)?.position ?? after
    const told = new Set(events.map((event) => event.incidentId))
    const others = await incidentStates(
      db,
      tenant,
      ids.filter((id) => !told.has(id)),
    )
    return [
      ...events.map(({ position, ...event }) => ({ id: position, data: event })),
      ...others.map((incident) => ({ data: { ...incident, at: clock.now(), kind: 'changed' } })),
    ]
  }

  return await streamEvents(exchange, {
    clock,
    next,
    subscribe: (wake) =>
      feed.subscribe((id) => {
        if (incidentId !== undefined && id !== incidentId) return
        if (changed.size < MAX_CHANGED) changed.add(id)
        wake()
      }),
  })
}
