// Keeps what an investigation read, whole, so that later code can go through the same evidence: `midwatch investigate
// --replay`. Written after the report is out, so that nobody waits for it; that it could not be written fails nothing.
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { z } from 'zod'
import { CHANGE_KINDS } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import { report, type Report } from '../report.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'
import type { InvestigationContext } from './context.ts'
import type { Readings } from './read.ts'
import type { InvestigationState } from './state.ts'

const alert = z.object({
  name: z.string(),
  service: z.string().nullable(),
  severity: z.string(),
  status: z.enum(['firing', 'resolved']),
  startsAt: z.number(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
})
export type RecordedAlert = z.infer<typeof alert>

const recordedEvidence = z.object({
  /** When it was read, and the step in which. */
  at: z.number(),
  baselineSeconds: z.number(),
  stepSeconds: z.number(),
  alerts: z.array(alert),
  series: z.array(
    z.object({
      service: z.string(),
      metric: z.string(),
      as: z.enum(['value', 'rate', 'mean', 'quantile']),
      labels: z.record(z.string(), z.string()),
      query: z.string(),
      points: z.array(z.tuple([z.number(), z.number()])),
    }),
  ),
  logs: z.array(
    z.object({
      at: z.number(),
      service: z.string(),
      level: z.enum(['debug', 'info', 'warn', 'error', 'fatal']),
      message: z.string(),
      requestId: z.string().optional(),
      ref: z.string(),
    }),
  ),
  changes: z.array(
    z.object({
      id: z.string(),
      at: z.number(),
      service: z.string(),
      kind: z.enum(CHANGE_KINDS),
      summary: z.string(),
      from: z.string().optional(),
      to: z.string().optional(),
      author: z.string().optional(),
    }),
  ),
  topology: z.array(z.object({ caller: z.string(), callee: z.string() })),
  /** What was made of it then. */
  report,
})
export type RecordedEvidence = z.infer<typeof recordedEvidence>

/** Larger than this it is not kept: the replay of one incident is not worth the room of a hundred. */
const MAX_CHARACTERS = 48_000_000
/** Of a tenant, the newest. */
const KEEP = 200

const zip = promisify(gzip)
const unzip = promisify(gunzip)

const texts = z.record(z.string(), z.string()).catch({})

export const recordAlert = (
  row: Pick<AlertRow, 'name' | 'service' | 'severity' | 'status' | 'starts_at' | 'labels' | 'annotations'>,
): RecordedAlert => ({
  name: row.name,
  service: row.service,
  severity: row.severity,
  status: row.status,
  startsAt: row.starts_at,
  labels: texts.parse(JSON.parse(row.labels)),
  annotations: texts.parse(JSON.parse(row.annotations)),
})

export async function keepEvidence(
  { db, clock, config, log }: Pick<InvestigationContext, 'db' | 'clock' | 'config' | 'log'>,
  { incidentId, look, window }: InvestigationState,
  tenant: string,
  alerts: readonly AlertRow[],
  readings: Readings,
  written: Report,
): Promise<void> {
  try {
    const { baselineSeconds, stepSeconds } = config.diagnosis
    const evidence = {
      at: window.toMs,
      baselineSeconds,
      stepSeconds,
      alerts: alerts.map(recordAlert),
      series: readings.series,
      logs: readings.logs,
      changes: readings.changes,
      topology: readings.topology,
      report: written,
    }
    const text = JSON.stringify(evidence)
    if (text.length > MAX_CHARACTERS) {
      log.warn({ incident: incidentId, characters: text.length }, 'the evidence is too large to be kept')
      return
    }
    const body = (await zip(text, { level: 1 })).toString('base64')
    await db
      .insertInto('investigation_evidence')
      .values({ incident_id: incidentId, look, tenant, at: clock.now(), body })
      .onConflict((conflict) => conflict.columns(['incident_id', 'look']).doNothing())
      .execute()
    await forgetOld(db, tenant)
  } catch (error) {
    log.warn({ err: error, incident: incidentId }, 'the evidence could not be kept: the incident cannot be replayed')
  }
}

async function forgetOld(db: Db<IncidentTables>, tenant: string): Promise<void> {
  const oldest = await db
    .selectFrom('investigation_evidence')
    .select('at')
    .where('tenant', '=', tenant)
    .orderBy('at', 'desc')
    .offset(KEEP - 1)
    .limit(1)
    .executeTakeFirst()
  if (!oldest) return
  await db.deleteFrom('investigation_evidence').where('tenant', '=', tenant).where('at', '<', oldest.at).execute()
  // What tools answered goes with it, also that of looks of which no evidence was kept.
  await db
    .deleteFrom('tool_outputs')
    .where('at', '<', oldest.at)
    .where('incident_id', 'in', (eb) => eb.selectFrom('incidents').select('id').where('tenant', '=', tenant))
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('investigation_evidence as kept')
            .select('kept.look')
            .whereRef('kept.incident_id', '=', 'tool_outputs.incident_id')
            .whereRef('kept.look', '=', 'tool_outputs.look'),
        ),
      ),
    )
    .execute()
}

/** Of the latest look, or undefined when nothing was kept of the incident. */
export async function findEvidence(db: Db<IncidentTables>, incidentId: string): Promise<RecordedEvidence | undefined> {
  const found = await db
    .selectFrom('investigation_evidence')
    .select('body')
    .where('incident_id', '=', incidentId)
    .orderBy('look', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!found) return undefined
  return recordedEvidence.parse(JSON.parse((await unzip(Buffer.from(found.body, 'base64'))).toString('utf8')))
}
