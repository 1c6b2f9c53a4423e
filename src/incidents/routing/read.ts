// What was decided of an incident and who was woken for it, as people are shown it.
import { z } from 'zod'
import type { Db } from '../../db/connect.ts'
import type { QueueTables } from '../../db/queue.ts'
import type { IncidentRow, IncidentTables } from '../tables.ts'
import type { RoutingView } from '../view.ts'
import { stepKey } from './escalate.ts'
import { readRoutes } from './targets.ts'

const texts = z.array(z.string())

/** Of the latest opening; null before it is classified. */
export async function readRouting(db: Db<IncidentTables>, incident: IncidentRow): Promise<RoutingView | null> {
  const row = await db
    .selectFrom('incident_routing')
    .selectAll()
    .where('incident_id', '=', incident.id)
    .executeTakeFirst()
  if (!row) return null
  return {
    severity: { rule: row.severity_rule, reason: row.severity_reason },
    kind: { kind: row.kind, reason: row.kind_reason },
    owner: { owner: row.owner, reason: row.owner_reason },
    routes: readRoutes(row.routes).map(({ route, rule, team }) => ({ route, rule, team })),
    assessedAt: row.assessed_at,
    escalations: await readEscalations(db, incident, row.opening),
  }
}

async function readEscalations(
  db: Db<IncidentTables>,
  { id, state }: IncidentRow,
  opening: number,
): Promise<RoutingView['escalations']> {
  const ofOpening = { incident_id: id, opening }
  const escalations = await db
    .selectFrom('escalations')
    .selectAll()
    .where((eb) => eb.and(ofOpening))
    .orderBy('started_at')
    .orderBy('team')
    .execute()
  if (escalations.length === 0) return []
  const steps = await db
    .selectFrom('escalation_steps')
    .selectAll()
    .where((eb) => eb.and(ofOpening))
    .orderBy('step')
    .execute()
  const views: RoutingView['escalations'] = []
  for (const { team, by, ...escalation } of escalations) {
    const own = steps.filter((one) => one.team === team)
    // It is seen to end by its next step; people see at once that the incident is closed.
    const isOver = state === 'closed' && escalation.state === 'running'
    views.push({
      team,
      by,
      state: isOver ? 'ended' : escalation.state,
      steps: own.map(({ step, at, told, missing }) => ({
        step: step + 1,
        at,
        told: texts.parse(JSON.parse(told)),
        missing: texts.parse(JSON.parse(missing)),
      })),
      nextAt:
        escalation.state === 'running' && !isOver
          ? await dueAt(db, stepKey({ incidentId: id, opening, team, step: (own.at(-1)?.step ?? -1) + 1 }))
          : null,
    })
  }
  return views
}

async function dueAt(db: Db<IncidentTables>, key: string): Promise<number | null> {
  const job = await (db as unknown as Db<QueueTables>)
    .selectFrom('jobs')
    .select('run_at')
    .where('kind', '=', 'escalate')
    .where('key', '=', key)
    .where('state', 'in', ['waiting', 'leased'])
    .executeTakeFirst()
  return job?.run_at ?? null
}
