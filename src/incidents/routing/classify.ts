// How bad an incident is, of which kind, whose it is and where it goes: a job of its own, beside the investigation, so that
// neither waits for the other. It reads outside of a transaction and decides inside of one; run again it finds what it decided.
import { z } from 'zod'
import { withDeadline } from '../../core/deadline.ts'
import { describeError } from '../../core/errors.ts'
import { mapParallel } from '../../core/parallel.ts'
import type { Job } from '../../db/queue.ts'
import { getIncident } from '../investigation/incident.ts'
import { addEvent } from '../store.ts'
import { planNews } from '../telling/news.ts'
import type { IncidentRoutingRow } from './tables.ts'
import type { IncidentRow } from '../tables.ts'
import { openingOf } from '../investigation/incident.ts'
import { acknowledgedBy, lockIncident, type RoutingContext, type RoutingDb } from './context.ts'
import { planStepJob } from './escalate.ts'
import { type Facts, hurtServices, readFacts } from './facts.ts'
import { measureObjective } from './measure.ts'
import { planToClassify } from './plan.ts'
import { keyOfTarget, type Routed, routeFor } from './route.ts'
import { readRoutes } from './targets.ts'
import { type HurtService, type ImpactDecision, severityOfImpact } from './severity-of-impact.ts'

/** For all objectives of an incident together. */
const MEASURE_DEADLINE_MS = 15_000
const MEASURED_AT_ONCE = 4
const MOST_OBJECTIVES = 20
/** After it was first classified: it may get worse, and what hurts nobody may be told so. */
const LOOK_AGAIN_AFTER_MINUTES = [1, 3, 6, 10, 20, 30, 60, 120]

const about = z.object({ incidentId: z.string() })

/** Handles a `classify` job. */
export async function classify(context: RoutingContext, job: Job, signal: AbortSignal): Promise<void> {
  const { db, config, topology, feed } = context
  const { incidentId } = about.parse(job.payload)
  const incident = await getIncident(db, incidentId)
  if (incident.state === 'closed') return
  const facts = await readFacts(db, incident, config.services)
  const services = await measure(context, hurtServices(facts.services, config.services, topology()), signal)
  const changed = await db.transaction().execute((trx: RoutingDb) => decide(context, trx, incidentId, facts, services))
  if (!changed) return
  feed.publish(incidentId)
  context.wake()
}

async function measure(
  { config, metrics, clock, log }: RoutingContext,
  hurt: readonly Omit<HurtService, 'objectives'>[],
  signal: AbortSignal,
): Promise<readonly HurtService[]> {
  const wanted = hurt
    .flatMap(({ service }) =>
      (Object.hasOwn(config.services, service) ? (config.services[service]?.objectives ?? []) : []).map(
        (objective) => ({
          service,
          objective,
        }),
      ),
    )
    .slice(0, MOST_OBJECTIVES)
  const nowMs = clock.now()
  const left = (): number => Math.max(1, nowMs + MEASURE_DEADLINE_MS - clock.now())
  const measured = await mapParallel(wanted, MEASURED_AT_ONCE, async ({ service, objective }) => {
    const { name, target, windowDays } = objective
    try {
      const found = await withDeadline(clock, left(), signal, (inner) =>
        measureObjective(metrics, service, objective, nowMs, inner),
      )
      return { service, objective: found }
    } catch (error) {
      signal.throwIfAborted()
      log.warn({ err: error, service, objective: name }, 'an objective could not be measured')
      return {
        service,
        objective: { name, target, windowDays, burns: [], unknown: describeError(error).slice(0, 300) },
      }
    }
  })
  return hurt.map((one) => ({
    ...one,
    objectives: measured.flatMap(({ service, objective }) => (service === one.service ? [objective] : [])),
  }))
}

/** Returns whether anything changed that is seen. */
async function decide(
  context: RoutingContext,
  trx: RoutingDb,
  incidentId: string,
  facts: Facts,
  services: readonly HurtService[],
): Promise<boolean> {
  const { config, clock } = context
  const incident = await lockIncident(trx, incidentId)
  if (!incident || incident.state === 'closed') return false
  const opening = await openingOf(trx, incidentId)
  const before = await trx
    .selectFrom('incident_routing')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .where('opening', '=', opening)
    .executeTakeFirst()
  const impact = severityOfImpact({
    label: facts.label,
    current: incident.severity,
    harmedBefore: before?.harmed === 1,
    symptom: facts.kind.kind,
    services,
  })
  const at = clock.now()
  const hasMoved = impact.severity !== incident.severity
  if (hasMoved) await tellSeverity(trx, incident, impact, at)
  const routed = routeFor(context.routes, { ...facts.labels, severity: impact.severity }, config.teams)
  await keep(trx, { incident, opening, facts, impact, routed, at, harmed: impact.harmed || before?.harmed === 1 })
  const told = before === undefined ? undefined : readRoutes(before.routes)
  const isRerouted = await tellRoutes(context, trx, incident, opening, routed, told, at)
  const woken = await beginEscalations(context, trx, incident, opening, routed, impact.severity, at)
  if (!before && services.some(({ objectives }) => objectives.length > 0))
    for (const minutes of LOOK_AGAIN_AFTER_MINUTES)
      await planToClassify(trx, incidentId, `${opening}:again ${minutes}`, at + minutes * 60_000)
  return hasMoved || isRerouted || woken || !before
}

async function tellSeverity(
  trx: RoutingDb,
  incident: IncidentRow,
  { severity, rule, reason }: ImpactDecision,
  at: number,
): Promise<void> {
  await trx.updateTable('incidents').set({ severity }).where('id', '=', incident.id).execute()
  const data = { from: incident.severity, to: severity, rule }
  await addEvent(trx, incident.id, { at, kind: 'severity', text: `The severity is now ${severity}: ${reason}.`, data })
}

interface Kept {
  readonly incident: IncidentRow
  readonly opening: number
  readonly facts: Facts
  readonly impact: ImpactDecision
  readonly routed: readonly Routed[]
  readonly harmed: boolean
  readonly at: number
}

async function keep(trx: RoutingDb, { incident, opening, facts, impact, routed, harmed, at }: Kept): Promise<void> {
  const row: Omit<IncidentRoutingRow, 'incident_id'> = {
    tenant: incident.tenant,
    opening,
    severity_rule: impact.rule,
    severity_reason: `${impact.severity}: ${impact.reason}`,
    harmed: harmed ? 1 : 0,
    kind: facts.kind.kind,
    kind_reason: facts.kind.reason,
    owner: facts.owner.owner,
    owner_reason: facts.owner.reason,
    routes: JSON.stringify(routed),
    assessed_at: at,
  }
  await trx
    .insertInto('incident_routing')
    .values({ incident_id: incident.id, ...row })
    .onConflict((conflict) => conflict.column('incident_id').doUpdateSet(row))
    .execute()
}

/** Where nothing is said of routes there is nothing to tell. Who is new to it hears of it now. */
async function tellRoutes(
  { config, routes }: RoutingContext,
  trx: RoutingDb,
  { id, severity }: IncidentRow,
  opening: number,
  routed: readonly Routed[],
  before: readonly Routed[] | undefined,
  at: number,
): Promise<boolean> {
  if (routes.length === 0 && Object.keys(config.teams).length === 0) return false
  const spelled = (all: readonly Routed[]): string => all.map(({ route }) => route).join(' ')
  if (before && spelled(before) === spelled(routed)) return false
  const text = routed.map(({ route, rule, team }) => `${team ?? 'every channel'} (${route}: ${rule})`).join('; ')
  await addEvent(trx, id, {
    at,
    kind: 'routed',
    text: `Goes to ${text}.`,
    data: { routes: routed.map(({ route }) => route) },
  })
  if (!before) return true
  const known = new Set(before.flatMap(({ targets }) => (targets ?? []).map(keyOfTarget)))
  const fresh = routed.flatMap(({ targets }) => targets ?? []).filter((target) => !known.has(keyOfTarget(target)))
  if (fresh.length > 0 && before.every(({ targets }) => targets !== null)) {
    const details = { text, targets: fresh }
    await planNews(trx, id, { kind: 'escalated', at, details, once: `${opening}:route ${spelled(routed)} ${severity}` })
  }
  return true
}

/** One a team and opening, however often the route is decided. */
async function beginEscalations(
  { config }: RoutingContext,
  trx: RoutingDb,
  { id, tenant }: IncidentRow,
  opening: number,
  routed: readonly Routed[],
  severity: string,
  at: number,
): Promise<boolean> {
  if ((await acknowledgedBy(trx, id)) !== undefined) return false
  let began = false
  for (const team of new Set(routed.flatMap((one) => one.team ?? []))) {
    const policy = Object.hasOwn(config.teams, team) ? config.teams[team]?.escalation : undefined
    const first = policy?.steps[0]
    if (!policy || !first || !policy.severities.some((one) => one === severity)) continue
    const inserted = await trx
      .insertInto('escalations')
      .values({ incident_id: id, opening, team, tenant, state: 'running', started_at: at, ended_at: null, by: null })
      .onConflict((conflict) => conflict.columns(['incident_id', 'opening', 'team']).doNothing())
      .executeTakeFirst()
    if (inserted.numInsertedOrUpdatedRows === 0n) continue
    await planStepJob(trx, { incidentId: id, opening, team, step: 0 }, at + first.afterSeconds * 1000)
    began = true
  }
  return began
}
