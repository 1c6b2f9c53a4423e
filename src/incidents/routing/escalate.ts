// One step of an escalation, at most once: its record, its news, its line in the timeline and the next step's job are one
// transaction, in which it is also seen that nobody has answered and that the incident is still the same. A job that runs
// again, or in two processes at once, finds the record.
import { z } from 'zod'
import { enqueue, type Job } from '../../db/queue.ts'
import type { Db } from '../../db/connect.ts'
import { addEvent } from '../store.ts'
import type { IncidentTables } from '../tables.ts'
import { planNews } from '../telling/news.ts'
import { openingOf } from '../investigation/incident.ts'
import { acknowledgedBy, lockIncident, type RoutingContext, type RoutingDb } from './context.ts'
import { type PlannedStep, planStep } from './escalation.ts'
import { overridesAt } from './overrides.ts'
import type { EscalationRow } from './tables.ts'

const aboutStep = z.object({
  incidentId: z.string(),
  opening: z.number().int(),
  team: z.string(),
  step: z.number().int(),
})
type AboutStep = z.output<typeof aboutStep>

export const stepKey = ({ incidentId, opening, team, step }: AboutStep): string =>
  `${incidentId}:${opening}:${team}:${step}`

export const planStepJob = (trx: RoutingDb, about: AboutStep, runAtMs: number): Promise<void> =>
  enqueue(trx, { kind: 'escalate', key: stepKey(about), payload: about, runAtMs })

/** Handles an `escalate` job. */
export async function escalate(context: RoutingContext, job: Job): Promise<void> {
  const { db, feed, wake } = context
  const about = aboutStep.parse(job.payload)
  const told = await db.transaction().execute((trx: RoutingDb) => takeStep(context, trx, about))
  if (!told) return
  feed.publish(about.incidentId)
  wake()
}

async function takeStep({ config, clock }: RoutingContext, trx: RoutingDb, about: AboutStep): Promise<boolean> {
  const { incidentId, opening, team, step } = about
  const incident = await lockIncident(trx, incidentId)
  const at = clock.now()
  if (!incident || (await findRunning(trx, about)) === undefined) return false
  if (incident.state === 'closed' || (await openingOf(trx, incidentId)) !== opening) {
    await end(trx, about, 'ended', null, at)
    return false
  }
  const by = await acknowledgedBy(trx, incidentId)
  if (by !== undefined) {
    await end(trx, about, 'acknowledged', by, at)
    return false
  }
  const before = await trx
    .selectFrom('escalation_steps')
    .select('at')
    .where((eb) => eb.and({ incident_id: incidentId, opening, team, step }))
    .executeTakeFirst()
  if (before) return false
  const overrides = await overridesAt(trx, incident.tenant, at)
  const plan = planStep(config.teams, team, step, (of, schedule) => overrides(of, schedule), at)
  if (!plan) {
    // The configuration has changed since: there is no such step any more.
    await end(trx, about, 'exhausted', null, at)
    return false
  }
  const { targets, told, missing } = plan
  await trx
    .insertInto('escalation_steps')
    .values({
      incident_id: incidentId,
      opening,
      team,
      step,
      at,
      told: JSON.stringify(told),
      missing: JSON.stringify(missing),
      targets: JSON.stringify(targets),
    })
    .execute()
  const steps = config.teams[team]?.escalation?.steps ?? []
  const next = steps[step + 1]
  const text = say(about, steps.length, plan, next !== undefined)
  await addEvent(trx, incidentId, { at, kind: 'escalated', text, data: { team, step, opening } })
  if (targets.length > 0) {
    const details = { team, step: step + 1, steps: steps.length, told, text, targets }
    await planNews(trx, incidentId, { kind: 'escalated', at, details, once: `${opening}:${team}:${step}` })
  }
  if (!next) {
    await end(trx, about, 'exhausted', null, at)
    return true
  }
  // From now, not from the beginning: after an outage of ours nobody is passed over for want of time to answer.
  const waitMs = (next.afterSeconds - (steps[step]?.afterSeconds ?? 0)) * 1000
  await planStepJob(trx, { ...about, step: step + 1 }, targets.length === 0 ? at : at + waitMs)
  return true
}

const findRunning = (trx: RoutingDb, { incidentId, opening, team }: AboutStep): Promise<EscalationRow | undefined> =>
  trx
    .selectFrom('escalations')
    .selectAll()
    .where((eb) => eb.and({ incident_id: incidentId, opening, team, state: 'running' }))
    .executeTakeFirst()

async function end(
  trx: RoutingDb,
  { incidentId, opening, team }: AboutStep,
  state: EscalationRow['state'],
  by: string | null,
  at: number,
): Promise<void> {
  await trx
    .updateTable('escalations')
    .set({ state, by, ended_at: at })
    .where((eb) => eb.and({ incident_id: incidentId, opening, team, state: 'running' }))
    .execute()
}

function say({ team, step }: AboutStep, steps: number, { told, missing }: PlannedStep, goesOn: boolean): string {
  const who = told.length === 0 ? 'nobody could be told' : `told ${told.join(', ')}`
  const lacking = missing.length === 0 ? '' : ` But ${missing.join('; ')}.`
  const then = goesOn ? (told.length === 0 ? ' The next step follows at once.' : '') : ' This was the last step.'
  return `Escalation of ${team}, step ${step + 1} of ${steps}: ${who}.${lacking}${then}`
}

/** Inside the transaction that acknowledges. Returns the teams whose escalation ends with it. */
export async function stopEscalations(
  trx: Db<IncidentTables>,
  incidentId: string,
  by: string,
  at: number,
): Promise<readonly string[]> {
  const stopped = await trx
    .updateTable('escalations')
    .set({ state: 'acknowledged', by, ended_at: at })
    .where('incident_id', '=', incidentId)
    .where('state', '=', 'running')
    .returning('team')
    .execute()
  return stopped.map(({ team }) => team)
}
