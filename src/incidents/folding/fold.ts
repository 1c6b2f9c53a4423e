// One alert folded, inside the caller's transaction: the decision, and everything that follows from it, or nothing.
import { newId } from '../../core/ids.ts'
import type { Edge, Labels } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue, type QueueTables } from '../../db/queue.ts'
import { incidentNumbers, nextNumber } from '../counters.ts'
import { duration } from '../investigation/sentence.ts'
import { planLookAtNewAlerts } from '../investigation/second-look.ts'
import { isMilestone, mentionsSingly } from '../mention.ts'
import { firstSentence, mention, titleOf } from '../opening-words.ts'
import { planToClassify } from '../routing/plan.ts'
import { worseOf } from '../severity.ts'
import { addEvent } from '../store.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'
import type { FoldingConfig } from './config.ts'
import { decideAlone, decideAmong, type Decision, type FoldableAlert, keysToJoin, withSameAlert } from './decide.ts'
import { findFlapping, type Flapping, noteFlapping, spellFlapping } from './flapping.ts'
import { foldable } from './foldable.ts'
import { type Lesson, lessonsFor } from './lessons.ts'
import { mergeCollecting } from './merge.ts'
import type { FindMuting, Muting } from './mute.ts'
import { addToFold, beginFold, type Known, loadOpen, rebuildFold } from './open-incidents.ts'
import { type EarlierIncident, findEarlier, reopen } from './reopen.ts'
import type { Corrected, SenderClocks } from './sender-clocks.ts'

export type FoldTrx = Db<IncidentTables & QueueTables>

/** What the folding of a batch of alerts shares. */
export interface FoldContext {
  readonly config: FoldingConfig
  readonly topology: readonly Edge[]
  readonly clocks: SenderClocks
  readonly findMuting: FindMuting
  readonly nowMs: number
}

export interface Folded {
  readonly kind: Decision['kind']
  readonly source: string
  readonly incidentId: string | null
  /** Incidents that changed beside it. */
  readonly merged: readonly string[]
  /** Whether it made something to investigate. */
  readonly opened: boolean
}

interface Case {
  readonly row: AlertRow
  readonly alert: FoldableAlert
  readonly decision: Decision
  readonly open: readonly Known[]
  readonly lessons: readonly Lesson[]
  readonly earlier: EarlierIncident | undefined
  readonly flapping: Flapping | undefined
}

/** Decides on one waiting alert and writes down what follows. */
export async function foldAlert(trx: FoldTrx, row: AlertRow, context: FoldContext): Promise<Folded> {
  const { config, topology, nowMs } = context
  const labels = JSON.parse(row.labels) as Labels
  const corrected = context.clocks.correct(row)
  const alert = foldable(row, labels, config.groupBy, corrected.startsAtMs)
  const muting = await context.findMuting({ id: row.id, tenant: row.tenant, labels })
  const alone = decideAlone(alert, muting)
  const one: Case = alone
    ? { row, alert, decision: alone, open: [], lessons: [], earlier: undefined, flapping: undefined }
    : await lookAmong(trx, row, alert, context)
  const { decision, open, lessons, flapping } = one
  const { incidentId, note } = await follow(trx, one, context)
  const notes = [note, released(row, decision), returning(row), clockNote(corrected)]
  await trx
    .updateTable('alerts')
    .set({
      decision: decision.kind,
      reason: [`${decision.rule}: ${decision.reason}`, ...notes].filter(Boolean).join('; '),
      incident_id: incidentId,
      muted_by: decision.kind === 'muted' && muting ? muting.key : null,
    })
    .where('id', '=', row.id)
    .execute()
  if (incidentId !== null && flapping) await noteFlapping(trx, row, incidentId, flapping, config.flapping, nowMs)
  const merged =
    incidentId !== null && open.length > 0 && decision.rule !== 'fingerprint'
      ? await mergeCollecting(trx, incidentId, unlessTaught(open, lessons), topology, config, nowMs)
      : []
  const opened = decision.kind === 'opened' || (decision.kind === 'joined' && decision.rule === 'reopen')
  return { kind: decision.kind, source: row.source, incidentId, merged, opened }
}

/** Decides with what is open, and all else that bears on it. */
async function lookAmong(
  trx: FoldTrx,
  row: AlertRow,
  alert: FoldableAlert,
  { config, topology, nowMs }: FoldContext,
): Promise<Case> {
  const lessons = await lessonsFor(trx, row.tenant, row)
  const keys = [...keysToJoin(alert, topology), ...lessons.map(({ other }) => other)]
  const open = await loadOpen(trx, row.tenant, alert, keys, config.windowMs)
  const flapping = await findFlapping(trx, row, config.flapping)
  const earlier = withSameAlert(alert, open).length > 0 ? undefined : await findEarlier(trx, row)
  const decision = decideAmong(alert, open, topology, config, {
    flapping: flapping && spellFlapping(flapping, nowMs),
    lessons,
    recent: recentOf(earlier, config.reopenWithinMs, nowMs),
  })
  return { row, alert, decision, open, lessons, earlier, flapping }
}

/** What people took apart is not put together again by a rule. */
const unlessTaught = (open: readonly Known[], lessons: readonly Lesson[]): readonly Known[] =>
  open.filter(({ keys }) => !lessons.some(({ kind, other }) => kind === 'apart' && keys.has(other)))

function recentOf(earlier: EarlierIncident | undefined, withinMs: number, nowMs: number) {
  if (!earlier) return undefined
  const closedForMs = Math.max(0, nowMs - earlier.closedAtMs)
  return closedForMs <= withinMs && withinMs > 0 ? { ...earlier, closedForMs } : undefined
}

/** Why a life begins later than its sender says. */
const returning = ({ sent_starts_at }: AlertRow): string | undefined =>
  sent_starts_at === null ? undefined : 'it fires again after it had ended, with the beginning that it had before'

/** What was held back and is folded now. */
function released({ muted_by }: AlertRow, decision: Decision): string | undefined {
  if (muted_by === null || decision.kind === 'muted') return undefined
  const by = muted_by.split(':', 1)[0] as Muting['rule']
  return `it was held back by ${by === 'inhibition' ? 'an' : 'a'} ${by} until now`
}

const clockNote = ({ aheadMs }: Corrected): string | undefined =>
  aheadMs === 0
    ? undefined
    : `its sender's clock is ${duration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`

interface Followed {
  readonly incidentId: string | null
  readonly note?: string | undefined
}

async function follow(trx: FoldTrx, one: Case, context: FoldContext): Promise<Followed> {
  const { decision, open, row } = one
  switch (decision.kind) {
    case 'ignored':
    case 'muted':
      return { incidentId: null }
    case 'opened':
      return await openIncident(trx, one, context)
    case 'joined': {
      const why = `${decision.rule}: ${decision.reason}`
      if (decision.rule === 'reopen') return await joinReopened(trx, row, decision.incidentId, decision.reason, context)
      const incident = open.find(({ id }) => id === decision.incidentId)
      if (!incident) throw new Error(`decided to join ${decision.incidentId}, which is not among the open incidents`)
      await join(trx, one, incident, why, context)
      return { incidentId: incident.id }
    }
  }
}

async function openIncident(
  trx: FoldTrx,
  { row, alert, earlier }: Case,
  { config, nowMs }: FoldContext,
): Promise<Followed> {
  const id = newId('inc', nowMs)
  await trx
    .insertInto('incidents')
    .values({
      id,
      tenant: row.tenant,
      number: await nextNumber(trx, incidentNumbers(row.tenant)),
      state: 'open',
      outcome: null,
      severity: row.severity,
      title: titleOf(row.name, row.service),
      sentence: firstSentence(row.name, row.service, alert.atMs, nowMs),
      service: row.service,
      opened_at: nowMs,
      updated_at: nowMs,
      closed_at: null,
      report: null,
    })
    .execute()
  await beginFold(trx, id, row.tenant, alert)
  // What a person asks first when trouble returns: which incident it was the last time.
  const note = earlier && `the same alert was part of incident ${earlier.number}, which is closed`
  await addEvent(trx, id, {
    at: nowMs,
    kind: 'opened',
    text: `Opened by ${mention(row.name, row.service)}${note === undefined ? '' : `: ${note}`}.`,
    data: { alertId: row.id, ...(earlier ? { before: earlier.id } : {}) },
  })
  await enqueue(trx, { kind: 'investigate', key: id, payload: { incidentId: id }, runAtMs: nowMs + config.groupWaitMs })
  await planToClassify(trx, id, 'opened', nowMs + config.groupWaitMs)
  return { incidentId: id, note }
}

async function joinReopened(
  trx: FoldTrx,
  row: AlertRow,
  incidentId: string,
  why: string,
  { config, nowMs }: FoldContext,
): Promise<Followed> {
  await trx.updateTable('alerts').set({ incident_id: incidentId }).where('id', '=', row.id).execute()
  await reopen(trx, incidentId, row, why, config, nowMs)
  await rebuildFold(trx, incidentId, row.tenant, config.groupBy)
  return { incidentId }
}

async function join(
  trx: FoldTrx,
  { row, alert, flapping }: Case,
  incident: Known,
  why: string,
  { config, nowMs }: FoldContext,
): Promise<void> {
  const alerts = await addToFold(trx, incident, row.tenant, alert)
  const worse = worseOf(incident.severity, row.severity) !== incident.severity
  if (worse) {
    await trx.updateTable('incidents').set({ severity: row.severity }).where('id', '=', incident.id).execute()
    const waitMs = incident.state === 'open' ? config.groupWaitMs : 0
    await planToClassify(trx, incident.id, `alert ${row.id}`, nowMs + waitMs)
  }
  // Each turn of what flaps is not told.
  if (flapping?.known && !worse) return
  const told = mentionsSingly(alerts) || worse
  if (told) {
    const raised = worse ? ` The severity is now ${row.severity}.` : ''
    await addEvent(trx, incident.id, {
      at: nowMs,
      kind: 'alert',
      text: `${mention(row.name, row.service)} joined (${why}).${raised}`,
      data: { alertId: row.id },
    })
  } else if (isMilestone(alerts)) {
    await addEvent(trx, incident.id, { at: nowMs, kind: 'alert', text: `${alerts} alerts so far.`, data: { alerts } })
  }
  if ((told || isMilestone(alerts)) && incident.state !== 'open')
    await planLookAtNewAlerts(trx, incident.id, nowMs, config.groupIntervalMs)
}
