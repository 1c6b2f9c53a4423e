// The record of each action, which enters the risk of its next proposal: told in the words in which the risk is told
// (investigation/risk.ts), and taken back by judging its runs no more. Their timelines still say what came of them.
import type { Db } from '../../db/connect.ts'
import { byChunks } from '../by-chunks.ts'
import { type ActionRecord, readJudgedRuns, recordsOf } from '../investigation/acting/record.ts'
import { weighRisk } from '../investigation/risk.ts'
import { proposedAction } from '../report.ts'
import type { IncidentTables } from '../tables.ts'
import type { LessonView } from './view.ts'

const named = proposedAction.pick({ name: true })

export async function actionLessons(db: Db<IncidentTables>, tenant: string): Promise<readonly LessonView[]> {
  const runs = await readJudgedRuns(db, tenant)
  return [...recordsOf(runs)].map(([name, record]) =>
    ofRecord(name, record, runs.find((run) => run.name === name)?.at ?? 0),
  )
}

/** Also of runs that are too old to count now, for they would be the latest again. Returns how many are not judged any more. */
export async function forgetRecord(db: Db<IncidentTables>, tenant: string, action: string): Promise<number> {
  const runs = await db
    .selectFrom('action_runs')
    .innerJoin('incidents', 'incidents.id', 'action_runs.incident_id')
    .select(['action_runs.id', 'action_runs.action'])
    .where('incidents.tenant', '=', tenant)
    .where('action_runs.verdict', 'is not', null)
    .execute()
  const ids = runs.filter((run) => named.parse(JSON.parse(run.action)).name === action).map(({ id }) => id)
  await byChunks(ids, (some) => db.updateTable('action_runs').set({ verdict: null }).where('id', 'in', some).execute())
  return ids.length
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
