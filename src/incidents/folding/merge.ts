// Two incidents that are one. The alerts of the one become alerts of the other, which is looked at anew; the one that is
// empty closes and says where they went. Nothing is closed while something of ours is being carried out in it.
import { AppError } from '../../core/errors.ts'
import type { Edge } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue, type QueueTables } from '../../db/queue.ts'
import { voidPending } from '../investigation/acting/void-pending.ts'
import { countFiring, countLooks } from '../investigation/incident.ts'
import { lookAnew, planLookAtNewAlerts } from '../investigation/second-look.ts'
import { planToClassify } from '../routing/plan.ts'
import { worseOf } from '../severity.ts'
import { addEvent, moveIncident } from '../store.ts'
import { planNews } from '../telling/news.ts'
import type { IncidentRow, IncidentTables } from '../tables.ts'
import type { FoldingConfig } from './config.ts'
import { rebuildFold } from './open-incidents.ts'
import { haveOneCause } from './relate.ts'

type Trx = Db<IncidentTables & QueueTables>
type Config = Pick<FoldingConfig, 'groupBy' | 'groupIntervalMs'>

export interface Merger {
  /** A person, or the rule. */
  readonly by: string
  readonly why: string
}

/** Inside the caller's transaction. Throws `conflict` when the one to be emptied is being acted on. */
export async function mergeIncidents(
  trx: Trx,
  from: IncidentRow,
  into: IncidentRow,
  { by, why }: Merger,
  config: Config,
  nowMs: number,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('alerts')
    .set({ incident_id: into.id })
    .where('incident_id', '=', from.id)
    .executeTakeFirstOrThrow()
  await trx.updateTable('alert_flaps').set({ incident_id: into.id }).where('incident_id', '=', from.id).execute()
  await voidPending(trx, from.id, `Merged into incident ${into.number} before it was decided.`, nowMs)
  const gone = {
    at: nowMs,
    kind: 'merged',
    text: `Merged into incident ${into.number} by ${by}: ${why}.`,
    data: { into: into.id },
  }
  const { moved } = await moveIncident(trx, from.id, 'closed', { outcome: null }, gone)
  if (!moved)
    throw new AppError(
      'conflict',
      `Incident ${from.number} is ${from.state.replaceAll('_', ' ')}. Merge it when that is done.`,
    )
  await trx.insertInto('incident_merges').values({ incident_id: from.id, into_id: into.id, by, at: nowMs }).execute()
  // A page that nobody resolves would go on waking people, and a ticket would stay open.
  if (await wasTold(trx, from))
    await planNews(trx, from.id, {
      kind: 'closed',
      at: nowMs,
      details: { outcome: null, into: into.number },
      once: 'merged',
    })
  const alerts = `${numUpdatedRows} ${numUpdatedRows === 1n ? 'alert' : 'alerts'}`
  await addEvent(trx, into.id, {
    at: nowMs,
    kind: 'merged',
    text: `Incident ${from.number} was merged into this one by ${by}, with ${alerts}: ${why}.`,
    data: { from: from.id },
  })
  const severity = worseOf(into.severity, from.severity)
  await trx.updateTable('incidents').set({ severity }).where('id', '=', into.id).execute()
  await rebuildFold(trx, into.id, into.tenant, config.groupBy)
  await planToClassify(trx, into.id, `merged ${from.id}`, nowMs)
  await lookAtChanged(trx, into.id, `with the alerts of incident ${from.number}`, config, nowMs)
}

/** While it collects alerts for the first time, nobody has heard of it, unless somebody was woken for it. */
async function wasTold(trx: Trx, { id, state }: IncidentRow): Promise<boolean> {
  if (state !== 'open') return true
  const news = await trx
    .selectFrom('jobs')
    .select('id')
    .where('kind', '=', 'news')
    .where('key', '>=', `${id}:`)
    .where('key', '<', `${id};`)
    .limit(1)
    .executeTakeFirst()
  return news !== undefined
}

/** After its alerts changed: a look at it begins as soon as one may, and it closes when none of them fires. */
export async function lookAtChanged(
  trx: Trx,
  incidentId: string,
  what: string,
  config: Config,
  nowMs: number,
): Promise<void> {
  const look = await countLooks(trx, incidentId)
  const began = await lookAnew(trx, incidentId, look, nowMs, {
    text: `Looking again ${what}.`,
    reason: 'The incident was merged or split before it was decided.',
  })
  if (!began && look > 0) await planLookAtNewAlerts(trx, incidentId, nowMs, config.groupIntervalMs)
  if ((await countFiring(trx, incidentId)) > 0) return
  const key = `${incidentId}:changed:${nowMs}`
  await enqueue(trx, { kind: 'recovered', key, payload: { incidentId }, runAtMs: nowMs })
}

/** An alert can show that two incidents have one cause. While both only collect alerts, nobody has to be asked. Returns both. */
export async function mergeCollecting(
  trx: Trx,
  incidentId: string,
  related: readonly {
    readonly id: string
    readonly state: string
    readonly firstAtMs: number
    readonly lastAtMs: number
  }[],
  topology: readonly Edge[],
  config: Config & Pick<FoldingConfig, 'windowMs'>,
  nowMs: number,
): Promise<readonly string[]> {
  const others = related.filter(({ id, state }) => id !== incidentId && state === 'open')
  const own = others.length === 0 ? undefined : await loadCollecting(trx, incidentId)
  if (!own) return []
  for (const { id, firstAtMs, lastAtMs } of others) {
    const other = await loadCollecting(trx, id)
    if (!other || firstAtMs - own.lastAtMs > config.windowMs || own.firstAtMs - lastAtMs > config.windowMs) continue
    const services = [...new Set([...own.services, ...other.services])]
    if (own.services.length === 0 || other.services.length === 0 || !haveOneCause(services, topology)) continue
    const [into, from] = own.row.number < other.row.number ? [own, other] : [other, own]
    await mergeIncidents(
      trx,
      from.row,
      into.row,
      { by: 'the rule dependency', why: 'one cause explains both' },
      config,
      nowMs,
    )
    // Which of the two is left has changed: the next alert looks on.
    return [into.row.id, from.row.id]
  }
  return []
}

async function loadCollecting(trx: Trx, id: string) {
  const row = await trx
    .selectFrom('incidents')
    .selectAll()
    .where('id', '=', id)
    .where('state', '=', 'open')
    .executeTakeFirst()
  const fold = await trx.selectFrom('incident_folds').selectAll().where('incident_id', '=', id).executeTakeFirst()
  if (!row || !fold) return undefined
  const services = await trx
    .selectFrom('incident_fold_services')
    .select('service')
    .where('incident_id', '=', id)
    .limit(200)
    .execute()
  return { row, firstAtMs: fold.first_at, lastAtMs: fold.last_at, services: services.map(({ service }) => service) }
}
