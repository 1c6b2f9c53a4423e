// One investigation by itself: the same graph over a database that lives in memory, from its alerts to its report, where nobody
// is told and nobody approves. For a terminal, for replays of what was recorded, and for measuring.
import { createActions } from '../../actions/actions.ts'
import { auditMigrations } from '../../audit/tables.ts'
import { verifyAudit } from '../../audit/verify.ts'
import type { AgentConfig } from '../../config/schema.ts'
import { DEFAULT_TENANT } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import { connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { queueMigrations } from '../../db/queue.ts'
import type { Log } from '../../observe/log.ts'
import { createMetrics } from '../../observe/metrics.ts'
import { createIncidentFeed } from '../feed.ts'
import type { Report } from '../report.ts'
import { incidentMigrations } from '../tables.ts'
import { actionOf } from './approvals.ts'
import { checkpointMigrations, type CheckpointTables } from './checkpoint-tables.ts'
import type { InvestigationContext, InvestigationDb, InvestigationTables } from './context.ts'
import type { RecordedAlert, RecordedEvidence } from './evidence.ts'
import { getIncident, reportOf } from './incident.ts'
import { createInvestigator } from './investigator.ts'
import { recordedLogSource, recordedMetricSource } from './recorded.ts'

type Given = 'chatModel' | 'retriever' | 'callRecords' | 'diagnose'

export interface OnceInput extends Partial<Pick<InvestigationContext, Given>> {
  readonly alerts: readonly RecordedAlert[]
  readonly sources: InvestigationContext['sources']
  readonly changes: InvestigationContext['changes']
  readonly config: AgentConfig
  readonly clock: Clock
  readonly log: Log
}

export interface OnceResult {
  readonly report: Report
  /** `roll-back-release inventory`: what would wait for a person. With an empty catalogue none. */
  readonly proposals: readonly string[]
  /** Entries of its audit log, which is whole. */
  readonly audited: number
}

/** Throws AppError when there is no alert to begin with. */
export async function investigateOnce(input: OnceInput, signal: AbortSignal): Promise<OnceResult> {
  const { alerts, clock, log } = input
  if (alerts.length === 0) throw new AppError('malformed', 'There is no alert to investigate.')
  const connection = connectSqlite(':memory:')
  try {
    await migrate(connection, [...incidentMigrations, ...queueMigrations, ...checkpointMigrations, ...auditMigrations])
    const db = connection.as<InvestigationTables>()
    const incidentId = await insertIncident(db, alerts, clock.now())
    const investigator = createInvestigator({
      ...input,
      db,
      checkpointDb: connection.as<CheckpointTables>(),
      chatModel: input.chatModel,
      actions: createActions(),
      wake: () => undefined,
      metrics: createMetrics({ process: false }),
      feed: createIncidentFeed(),
      publicUrl: 'http://localhost',
      log,
    })
    const job = { id: 'once', kind: 'investigate', key: incidentId, payload: { incidentId }, attempts: 1 }
    await investigator.handlers.investigate(job, signal)
    const report = reportOf(await getIncident(db, incidentId))
    if (!report) throw new AppError('internal', 'The investigation ended without a report.')
    const proposed = await db.selectFrom('approvals').selectAll().execute()
    const proposals = proposed.map(actionOf).map(({ name, service }) => `${name} ${service}`)
    const chain = await verifyAudit(db)
    if (chain.kind === 'broken') throw new AppError('internal', `The audit log broke: ${chain.reason}.`)
    return { report, proposals, audited: chain.entries }
  } finally {
    await connection.close()
  }
}

async function insertIncident(db: InvestigationDb, alerts: readonly RecordedAlert[], now: number): Promise<string> {
  const incidentId = newId('inc', now)
  const [first] = alerts
  const common = { tenant: DEFAULT_TENANT, source: 'once' }
  const delivery = {
    id: newId('dlv', now),
    ...common,
    body_hash: incidentId,
    body: '{}',
    times: 1,
    first_at: now,
    last_at: now,
  }
  await db.insertInto('deliveries').values(delivery).execute()
  await db
    .insertInto('incidents')
    .values({
      id: incidentId,
      tenant: DEFAULT_TENANT,
      number: 1,
      state: 'open',
      outcome: null,
      severity: first?.severity ?? 'warning',
      title: first?.name ?? 'alert',
      sentence: first?.name ?? 'alert',
      service: first?.service ?? null,
      opened_at: now,
      updated_at: now,
      closed_at: null,
      report: null,
    })
    .execute()
  for (const [i, alert] of alerts.entries()) {
    await db
      .insertInto('alerts')
      .values({
        id: `${incidentId}:${i}`,
        ...common,
        fingerprint: String(i),
        identity: String(i),
        name: alert.name,
        service: alert.service,
        severity: alert.severity,
        status: alert.status,
        starts_at: alert.startsAt,
        ends_at: null,
        labels: JSON.stringify(alert.labels),
        annotations: JSON.stringify(alert.annotations),
        url: null,
        delivery_id: delivery.id,
        times: 1,
        first_at: now,
        last_at: now,
        decision: 'opened',
        reason: null,
        incident_id: incidentId,
      })
      .execute()
  }
  return incidentId
}

/** What was recorded, as the input of an investigation by the code of today. `clock` is the real one. */
export function fromEvidence(evidence: RecordedEvidence, config: AgentConfig, clock: Clock): Omit<OnceInput, 'log'> {
  const services: Record<string, { dependsOn: string[] }> = {}
  for (const { caller, callee } of evidence.topology) (services[caller] ??= { dependsOn: [] }).dependsOn.push(callee)
  const { baselineSeconds, stepSeconds } = evidence
  const beganMs = clock.now()
  return {
    alerts: evidence.alerts,
    sources: {
      metrics: [recordedMetricSource('recorded metrics', evidence.series)],
      logs: [recordedLogSource('recorded logs', evidence.logs)],
    },
    changes: async ({ fromMs, toMs }) => evidence.changes.filter(({ at }) => at >= fromMs && at <= toMs),
    config: { ...config, actions: [], services, diagnosis: { ...config.diagnosis, baselineSeconds, stepSeconds } },
    // The clock goes on from when it was read.
    clock: { now: () => evidence.at + (clock.now() - beganMs), sleep: (ms, signal) => clock.sleep(ms, signal) },
  }
}
