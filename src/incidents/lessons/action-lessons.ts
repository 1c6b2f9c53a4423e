// The record of each action, which enters the risk of its next proposal: told in the words in which the risk is told
// (investigation/risk.ts), and taken back by judging its runs no more. Their timelines still say what came of them.
import type { Db } from '../../db/connect.ts'
import { type ActionRecord, readRecords } from '../investigation/acting/record.ts'
import { weighRisk } from '../investigation/risk.ts'
import { proposedAction } from '../report.ts'
import type { IncidentTables } from '../tables.ts'
import type { LessonView } from './view.ts'

/** Values in one question. */
const CHUNK = 300
const named = proposedAction.pick({ name: true })

export async function actionLessons(db: Db<IncidentTables>, tenant: string): Promise<readonly LessonView[]> {
  const records = await readRecords(db, tenant)
  if (records.size === 0) return []
  const latest = new Map<string, number>()
  for (const { name, at } of await judgedRuns(db, tenant)) latest.set(name, Math.max(at, latest.get(name) ?? 0))
  return [...records].map(([name, record]) => ofRecord(name, record, latest.get(name) ?? 0))
}

/** Returns how many runs are not judged any more. */
export async function forgetRecord(db: Db<IncidentTables>, tenant: string, action: string): Promise<number> {
  const ids = (await judgedRuns(db, tenant)).filter(({ name }) => name === action).map(({ id }) => id)
  for (let at = 0; at < ids.length; at += CHUNK)
    await db
      .updateTable('action_runs')
      .set({ verdict: null })
      .where('id', 'in', ids.slice(at, at + CHUNK))
      .execute()
  return ids.length
}

async function judgedRuns(db: Db<IncidentTables>, tenant: string) {
  const runs = await db
    .selectFrom('action_runs')
    .innerJoin('incidents', 'incidents.id', 'action_runs.incident_id')
    .select(['action_runs.id', 'action_runs.action', 'action_runs.started_at'])
    .where('incidents.tenant', '=', tenant)
    .where('action_runs.verdict', 'is not', null)
    .execute()
  return runs.map(({ id, action, started_at }) => ({ id, at: started_at, name: named.parse(JSON.parse(action)).name }))
}

function ofRecord(name: string, record: ActionRecord, at: number): LessonView {
  const { reasons } = weighRisk({ base: 0, service: '', topology: [], confidence: null, record })
  const parts = reasons.filter((reason) => !reason.startsWith('base '))
  const { judged, worked, worse } = record
  return {
    id: `action-${name}`,
    kind: 'action',
    at,
    by: null,
    incident: null,
    says: `Of ${judged} judged runs of ${name}, ${worked} worked; after ${worse} it was worse.`,
    effect:
      parts.length === 0
        ? 'None: too little to change its risk.'
        : `The risk of its next proposal: ${parts.join('; ')}.`,
    takeBack: { command: `midwatch lessons forget action-${name}`, scope: 'admin', final: true },
  }
}
