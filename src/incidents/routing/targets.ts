// Whom a news goes to, by the routes: where the incident's routes lead, and whoever was woken for it. A step of an escalation
// goes to whom that step tells, and to nobody else.
import { z } from 'zod'
import type { Db } from '../../db/connect.ts'
import { getIncident } from '../investigation/incident.ts'
import type { IncidentTables } from '../tables.ts'
import type { Target } from '../telling/channel.ts'
import type { TargetsOf } from '../telling/targets.ts'
import type { RoutingContext } from './context.ts'
import { readFacts } from './facts.ts'
import { distinctTargets, type Routed, routeFor, targetsOfRoutes } from './route.ts'

const targets = z.array(z.object({ channel: z.string(), to: z.string().nullable() }))
const routes = z.array(
  z.object({ route: z.string(), rule: z.string(), team: z.string().nullable(), targets: targets.nullable() }),
)
const ofStep = z.object({ targets })

export const readRoutes = (json: string): readonly Routed[] => routes.parse(JSON.parse(json))

const readTargets = (json: string): readonly Target[] => targets.parse(JSON.parse(json))

export const targetsByRoute =
  ({ config, routes: tree }: Pick<RoutingContext, 'config' | 'routes'>): TargetsOf =>
  async (trx, news, channels) => {
    if (news.kind === 'escalated') return ofStep.parse(news.details).targets
    const names = channels.map(({ name }) => name)
    const kept = await trx
      .selectFrom('incident_routing')
      .select('routes')
      .where('incident_id', '=', news.incidentId)
      .executeTakeFirst()
    const routed = kept ? readRoutes(kept.routes) : await routeNow(trx, news.incidentId)
    return distinctTargets([...targetsOfRoutes(routed, names), ...(await wokenFor(trx, news.incidentId))])

    /** The first news may come before the classification. */
    async function routeNow(db: Db<IncidentTables>, incidentId: string): Promise<readonly Routed[]> {
      const incident = await getIncident(db, incidentId)
      const facts = await readFacts(db, incident, config.services)
      return routeFor(tree, { ...facts.labels, severity: incident.severity }, config.teams)
    }
  }

/** Who was woken goes on being told: that it is diagnosed, that somebody looks after it, that it is over. */
async function wokenFor(trx: Db<IncidentTables>, incidentId: string): Promise<readonly Target[]> {
  const steps = await trx
    .selectFrom('escalation_steps as s')
    .select('s.targets')
    .where('s.incident_id', '=', incidentId)
    .where('s.opening', '=', (eb) =>
      eb
        .selectFrom('escalation_steps')
        .select((of) => of.fn.max('opening').as('latest'))
        .where('incident_id', '=', incidentId),
    )
    .orderBy('s.at')
    .execute()
  return steps.flatMap((step) => readTargets(step.targets))
}
