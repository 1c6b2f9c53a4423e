// Asks other systems about an incident, as the config has it, and keeps their answers beside it as quotes. They are no
// evidence and support no claim; the diagnosis neither waits for them nor reads them, so that a server which hangs or lies
// can at most fail to help. A job of its own, begun with each investigation.
import { z } from 'zod'
import { appendAudit } from '../../audit/log.ts'
import type { AuditTables } from '../../audit/tables.ts'
import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { AppError, describeError } from '../../core/errors.ts'
import { sha256Hex } from '../../core/hash.ts'
import { newId } from '../../core/ids.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue, type JobHandler, type QueueTables } from '../../db/queue.ts'
import type { ToolSource } from '../../llm/tool.ts'
import type { Log } from '../../observe/log.ts'
import { cleanText } from '../clean-text.ts'
import type { IncidentFeed } from '../feed.ts'
import { alertsOf, getIncident } from '../investigation/incident.ts'
import { hidePrivate, hideSecrets } from '../investigation/model/hide.ts'
import { visibleText } from '../investigation/model/screen.ts'
import { addEvent } from '../store.ts'
import type { IncidentTables } from '../tables.ts'
import { type Ask, type Question, questionsOf } from './questions.ts'

export interface AskedSource {
  readonly source: ToolSource
  readonly asks: readonly Ask[]
}

export interface ContextDeps {
  readonly db: Db<IncidentTables & QueueTables & AuditTables>
  readonly clock: Clock
  readonly log: Log
  readonly feed: IncidentFeed
  readonly wake: () => void
  readonly sources: readonly AskedSource[]
}

export interface ContextAsking {
  readonly handlers: { readonly context: JobHandler }
  /** The same handler of `investigate` jobs, with the questions asked beside it. */
  beside(investigate: JobHandler): JobHandler
}

/** For all questions of an incident: nobody is helped by what comes later. */
const DEADLINE_MS = 45_000
const MAX_TEXT = 20_000

const aboutLook = z.object({ incidentId: z.string(), look: z.number().int().default(1) })
type Look = z.output<typeof aboutLook>

export function createContextAsking(deps: ContextDeps): ContextAsking {
  const { db, clock, wake, sources } = deps
  return {
    handlers: { context: (job, signal) => askAll(deps, aboutLook.parse(job.payload), signal) },
    beside: (investigate) => async (job, signal) => {
      if (sources.length > 0) {
        const { incidentId, look } = aboutLook.parse(job.payload)
        await enqueue(db, {
          kind: 'context',
          key: `${incidentId}:${look}`,
          payload: { incidentId, look },
          runAtMs: clock.now(),
        })
        wake()
      }
      await investigate(job, signal)
    },
  }
}

async function askAll(deps: ContextDeps, look: Look, signal: AbortSignal): Promise<void> {
  const { db, clock, feed, sources } = deps
  const alerts = await alertsOf(db, look.incidentId)
  const within = withDeadline(clock, DEADLINE_MS, signal, (inner) =>
    Promise.all(
      sources.map(async ({ source, asks }) => {
        // Of one source in turn: it takes them in turn anyway.
        for (const question of questionsOf(asks, alerts)) {
          if (inner.aborted) return
          await askOne(deps, look, source, question, inner)
        }
      }),
    ),
  )
  await within.catch((error: unknown) => {
    signal.throwIfAborted()
    if (!(error instanceof AppError && error.code === 'deadline')) throw error
  })
  const told = await db.transaction().execute((trx: ContextDeps['db']) => tell(trx, look, clock.now()))
  if (told) feed.publish(look.incidentId)
}

async function askOne(
  { db, clock, log }: ContextDeps,
  { incidentId, look }: Look,
  source: ToolSource,
  { tool, arguments: input, key }: Question,
  signal: AbortSignal,
): Promise<void> {
  const row = { incident_id: incidentId, look, source: source.name, tool, arguments: key }
  const known = await db
    .selectFrom('incident_context')
    .select('id')
    .where((eb) => eb.and(row))
    .executeTakeFirst()
  if (known) return
  const answer = await source.call(tool, input, signal).catch((error: unknown) => {
    signal.throwIfAborted()
    log.warn(
      { err: error, incident: incidentId, source: source.name, tool },
      'a question about an incident was not answered',
    )
    const why = error instanceof AppError ? error.message : describeError(error)
    return { text: '', truncated: false, failed: false, failure: cleanText(why, 300) }
  })
  const failure = 'failure' in answer ? answer.failure : answer.failed ? 'The tool itself says that it failed.' : null
  const now = clock.now()
  // People read it, and so may whatever reads the incident.
  const text = hideSecrets(visibleText(answer.text, MAX_TEXT))
  const truncated = answer.truncated || answer.text.length > MAX_TEXT ? 1 : 0
  await db.transaction().execute(async (trx: ContextDeps['db']) => {
    const { tenant } = await getIncident(trx, incidentId)
    await trx
      .insertInto('incident_context')
      .values({ id: newId('ctx', now), ...row, at: now, text, truncated, failure })
      .onConflict((conflict) => conflict.columns(['incident_id', 'look', 'source', 'tool', 'arguments']).doNothing())
      .execute()
    const told = { source: source.name, tool, arguments: hidePrivate(key), answer: sha256Hex(text), failure }
    await appendAudit(trx, [
      { tenant, at: now, actor: 'agent', kind: 'tool.call', subject: incidentId, body: { step: 'context', ...told } },
    ])
  })
}

/** One line of the timeline a look. What was answered does not stand in it. */
async function tell(trx: ContextDeps['db'], { incidentId, look }: Look, now: number): Promise<boolean> {
  const rows = await trx
    .selectFrom('incident_context')
    .select(['source', 'tool', 'failure'])
    .where('incident_id', '=', incidentId)
    .where('look', '=', look)
    .execute()
  if (rows.length === 0) return false
  const answered = rows.filter(({ failure }) => failure === null)
  const names = [...new Set(rows.map(({ source, tool }) => `${tool} of ${source}`))].slice(0, 5).join(', ')
  const text = `Asked ${names}: ${answered.length} of ${rows.length} questions answered. The answers are quoted; no claim rests on them.`
  const events = await trx
    .selectFrom('incident_events')
    .select('data')
    .where('incident_id', '=', incidentId)
    .where('kind', '=', 'context')
    .execute()
  // Told already, before a crash.
  if (events.some(({ data }) => data === JSON.stringify({ look }))) return false
  await addEvent(trx, incidentId, { at: now, kind: 'context', text, data: { look } })
  return true
}
