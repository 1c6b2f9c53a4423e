// One incident in a made-up shop, with everything an investigation touches: a database, sources, a platform that carries
// out actions, a webhook, and a clock that is moved by hand. The investigator in it can be thrown away and made anew.
import { auditMigrations } from '../../../audit/tables.ts'
import { configSchema, type AgentConfig } from '../../../config/schema.ts'
import { ManualClock } from '../../../core/clock.ts'
import type { FaultKind } from '../../../core/fault-kinds.ts'
import type { LogSource, MetricSource } from '../../../core/telemetry.ts'
import { createActions } from '../../../actions/actions.ts'
import { connectSqlite, type Connection } from '../../../db/connect.ts'
import { migrate } from '../../../db/migrate.ts'
import { enqueue, type JobHandler, queueMigrations } from '../../../db/queue.ts'
import { makeCase } from '../../../diagnosis/testing/shop.ts'
import { silentLog } from '../../../observe/log.ts'
import { createMetrics, type Metrics } from '../../../observe/metrics.ts'
import { storeChanges, changesBody } from '../../changes.ts'
import { createIncidentFeed } from '../../feed.ts'
import { incidentMigrations } from '../../tables.ts'
import { createRouting } from '../../routing/routing.ts'
import type { Channel } from '../../telling/channel.ts'
import { channelsOf } from '../../telling/channels.ts'
import { createTelling } from '../../telling/telling.ts'
import { checkpointMigrations, type CheckpointTables } from '../checkpoint-tables.ts'
import type { InvestigationDb, InvestigationTables } from '../context.ts'
import { createInvestigator, type Investigator, type InvestigatorOptions } from '../investigator.ts'
import { accept, listen, platform, type Respond, type TestServer } from './servers.ts'
import { recordedLogs, recordedMetrics, type RecordedSource } from './sources.ts'

export const INCIDENT = 'inc_01TESTTESTTESTTESTTESTTEST'
const ALERT = 'alt_1'

export interface WorldOptions {
  readonly fault?: FaultKind
  readonly service?: string
  readonly seed?: number
  readonly platform?: Respond
  readonly webhook?: Respond
  /** In place of those of the configuration. */
  readonly channels?: readonly Channel[]
  /** Laid over the agent's configuration. */
  readonly agent?: Record<string, unknown>
  /** The catalogue, in place of the one entry of `actionConfig`. */
  readonly actions?: (platformUrl: string) => readonly Record<string, unknown>[]
  readonly metrics?: readonly MetricSource[]
  readonly logs?: readonly LogSource[]
}

export interface World {
  readonly db: InvestigationDb
  readonly clock: ManualClock
  readonly config: AgentConfig
  readonly platform: TestServer
  readonly webhook: TestServer
  readonly source: RecordedSource
  readonly metrics: Metrics
  /** The investigator of a process that has just started. */
  readonly start: (more?: Partial<InvestigatorOptions>) => Investigator
  /** Runs every job that is due, as the queue would, until none is left. Rethrows what a handler throws. */
  readonly work: (investigator: Investigator) => Promise<void>
  /** The alerts end, as a webhook would tell it. */
  readonly recover: () => Promise<void>
  readonly state: () => Promise<string>
  readonly events: () => Promise<string[]>
  readonly approvalId: () => Promise<string>
  readonly approve: (investigator: Investigator) => Promise<void>
  readonly close: () => Promise<void>
}

export const actionConfig = (platformUrl: string) => ({
  name: 'roll-back-release',
  does: 'roll-back',
  services: ['*'],
  fits: ['bad_deploy', 'bad_config', 'pool_exhausted'],
  title: 'Roll {service} back to {from}',
  expected: 'Errors return to normal.',
  undo: 'Deploy {to} again.',
  risk: 3,
  request: {
    url: `${platformUrl}/services/{service}/rollback`,
    headers: { authorization: 'Bearer token' },
    body: { to: '{from}', change: '{change}' },
  },
  check: { url: `${platformUrl}/runs/{run}` },
})

export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  const service = options.service ?? 'inventory'
  const recorded = makeCase({
    kind: options.fault ?? 'pool_exhausted',
    service,
    seed: options.seed ?? 3,
    quietSeconds: 300,
  })
  const nowMs = recorded.alertAtMs + 12_000
  const clock = new ManualClock(nowMs)
  const connection: Connection = connectSqlite(':memory:')
  await migrate(connection, [...incidentMigrations, ...queueMigrations, ...checkpointMigrations, ...auditMigrations])
  const db = connection.as<InvestigationTables>()
  const [actions, hook] = await Promise.all([listen(options.platform ?? platform), listen(options.webhook ?? accept)])
  const source = recordedMetrics('recorded', recorded.series, recorded.stepMs)
  const { agent: config } = configSchema.parse({
    agent: {
      diagnosis: { baselineSeconds: 320, stepSeconds: 2 },
      actions: options.actions?.(actions.url) ?? [actionConfig(actions.url)],
      notify: { webhook: { url: hook.url, secret: 'hush' } },
      verify: { withinSeconds: 60, everySeconds: 10 },
      ...options.agent,
    },
  })
  await insertIncident(db, nowMs, recorded.alertAtMs)
  const changes = recorded.changes.map((change) => ({ ...change, from: '7e10b', to: '8f2c1' }))
  await storeChanges(db, 'default', changesBody.parse({ changes }), nowMs)
  const metrics = createMetrics({ process: false })

  const start: World['start'] = (more) => {
    metrics.clear()
    return createInvestigator({
      db,
      checkpointDb: connection.as<CheckpointTables>(),
      sources: {
        metrics: options.metrics ?? [source],
        logs: options.logs ?? [recordedLogs('recorded logs', recorded.logs)],
      },
      config,
      chatModel: undefined,
      actions: createActions(),
      clock,
      log: silentLog(),
      metrics,
      feed: createIncidentFeed(),
      publicUrl: 'http://midwatch.example',
      wake: () => undefined,
      ...more,
    })
  }

  const approvalId: World['approvalId'] = async () =>
    (await db.selectFrom('approvals').select('id').orderBy('requested_at', 'desc').executeTakeFirstOrThrow()).id

  return {
    db,
    clock,
    config,
    platform: actions,
    webhook: hook,
    source,
    metrics,
    start,
    work: (investigator) => {
      const feed = createIncidentFeed()
      const routing = createRouting({
        db,
        config,
        metrics: options.metrics ?? [source],
        topology: () => investigator.topology(),
        clock,
        log: silentLog(),
        feed,
        wake: () => undefined,
      })
      const { spread, channels } = createTelling({
        db,
        targetsOf: routing.targetsOf,
        channels: options.channels ?? channelsOf(config),
        clock,
        feed,
        publicUrl: 'http://midwatch.example',
        confirmFromRisk: config.approval.confirmFromRisk,
      })
      return work(db, clock, { ...investigator.handlers, ...routing.handlers, ...channels, news: spread })
    },
    recover: async () => {
      await db
        .updateTable('alerts')
        .set({ status: 'resolved', ends_at: clock.now() })
        .where('incident_id', '=', INCIDENT)
        .execute()
      const key = `${INCIDENT}:${ALERT}:${clock.now()}`
      await enqueue(db, { kind: 'recovered', key, payload: { incidentId: INCIDENT }, runAtMs: clock.now() })
    },
    state: async () =>
      (await db.selectFrom('incidents').select('state').where('id', '=', INCIDENT).executeTakeFirstOrThrow()).state,
    events: async () =>
      (
        await db
          .selectFrom('incident_events')
          .select('kind')
          .where('incident_id', '=', INCIDENT)
          .orderBy('seq')
          .execute()
      ).map(({ kind }) => kind),
    approvalId,
    approve: async (investigator) => {
      const decision = { incidentId: INCIDENT, approvalId: await approvalId(), tenant: 'default', by: 'Ada' } as const
      await investigator.decide({ ...decision, decision: 'approve', confirmed: true })
    },
    close: async () => {
      await Promise.all([actions.close(), hook.close()])
      await connection.close()
    },
  }
}

async function work(
  db: InvestigationDb,
  clock: ManualClock,
  handlers: Readonly<Record<string, JobHandler>>,
): Promise<void> {
  for (let jobs = 0; jobs < 500; jobs++) {
    const job = await db
      .selectFrom('jobs')
      .selectAll()
      .where('state', '=', 'waiting')
      .where('run_at', '<=', clock.now())
      .orderBy('run_at')
      .orderBy('id')
      .executeTakeFirst()
    if (!job) return
    const handler = handlers[job.kind]
    if (!handler) throw new Error(`nothing handles ${job.kind}`)
    const payload = JSON.parse(job.payload) as unknown
    await handler({ id: job.id, kind: job.kind, key: job.key, payload, attempts: 1 }, new AbortController().signal)
    await db.updateTable('jobs').set({ state: 'done' }).where('id', '=', job.id).execute()
  }
  throw new Error('the jobs do not come to an end')
}

async function insertIncident(db: InvestigationDb, nowMs: number, alertAtMs: number): Promise<void> {
  await db
    .insertInto('deliveries')
    .values({
      id: 'dlv_1',
      tenant: 'default',
      source: 'alertmanager',
      body_hash: 'h',
      body: '{}',
      times: 1,
      first_at: nowMs,
      last_at: nowMs,
    })
    .execute()
  await db
    .insertInto('incidents')
    .values({
      id: INCIDENT,
      tenant: 'default',
      number: 7,
      state: 'open',
      outcome: null,
      severity: 'critical',
      title: 'Storefront errors',
      sentence: 'Storefront errors.',
      service: 'storefront',
      opened_at: nowMs,
      updated_at: nowMs,
      closed_at: null,
      report: null,
    })
    .execute()
  await db
    .insertInto('alerts')
    .values({
      id: ALERT,
      tenant: 'default',
      source: 'alertmanager',
      fingerprint: 'f',
      identity: 'f',
      name: 'StorefrontErrors',
      service: 'storefront',
      severity: 'critical',
      status: 'firing',
      starts_at: alertAtMs,
      ends_at: null,
      labels: '{}',
      annotations: '{}',
      url: null,
      delivery_id: 'dlv_1',
      times: 1,
      first_at: nowMs,
      last_at: nowMs,
      decision: 'opened',
      reason: null,
      incident_id: INCIDENT,
    })
    .execute()
  await enqueue(db, { kind: 'investigate', key: INCIDENT, payload: { incidentId: INCIDENT }, runAtMs: nowMs })
}
