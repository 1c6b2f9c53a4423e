// How an action did so far: what its runs were judged to have done, over all incidents of a tenant. And which actions rest,
// because they were carried out a moment ago.
import type { ActionConfig } from '../../../config/action-schema.ts'
import type { Db } from '../../../db/connect.ts'
import { actionKey, proposedAction } from '../../report.ts'
import type { ActionRunRow, IncidentTables } from '../../tables.ts'

export interface ActionRecord {
  /** Runs that were judged afterwards. */
  readonly judged: number
  readonly worked: number
  /** Of those that did not work, the ones after which it was worse. */
  readonly worse: number
}

export const NO_RECORD: ActionRecord = { judged: 0, worked: 0, worse: 0 }

/** The latest count: what an action did years ago says little of the system of today. */
const MOST_RUNS = 500

/** By the catalogue's name. */
export const readRecords = async (db: Db<IncidentTables>, tenant: string): Promise<ReadonlyMap<string, ActionRecord>> =>
  recordsOf(await readJudgedRuns(db, tenant))

/** A run that was judged afterwards, by the catalogue's name of its action. */
export interface JudgedRun {
  readonly name: string
  readonly at: number
  readonly verdict: ActionRunRow['verdict']
}

/** The latest first. */
export async function readJudgedRuns(db: Db<IncidentTables>, tenant: string): Promise<readonly JudgedRun[]> {
  const runs = await db
    .selectFrom('action_runs')
    .innerJoin('incidents', 'incidents.id', 'action_runs.incident_id')
    .select(['action_runs.action', 'action_runs.verdict', 'action_runs.started_at as at'])
    .where('incidents.tenant', '=', tenant)
    .where('action_runs.verdict', 'is not', null)
    .orderBy('action_runs.started_at', 'desc')
    .limit(MOST_RUNS)
    .execute()
  return runs.map(({ action, ...run }) => ({ ...run, name: proposedAction.parse(JSON.parse(action)).name }))
}

export function recordsOf(runs: readonly JudgedRun[]): ReadonlyMap<string, ActionRecord> {
  const records = new Map<string, ActionRecord>()
  for (const { name, verdict } of runs) {
    const { judged, worked, worse } = records.get(name) ?? NO_RECORD
    records.set(name, {
      judged: judged + 1,
      worked: worked + (verdict === 'fixed' || verdict === 'numbers_back' ? 1 : 0),
      worse: worse + (verdict === 'worse' ? 1 : 0),
    })
  }
  return records
}

/** Actions that rest, each as `actionKey`, with the time until which they do. A run that failed did nothing to rest from. */
export async function readResting(
  db: Db<IncidentTables>,
  tenant: string,
  catalogue: readonly ActionConfig[],
  nowMs: number,
  /** This one's own run does not count. */
  but?: string,
): Promise<ReadonlyMap<string, number>> {
  const longest = Math.max(0, ...catalogue.map(({ cooldownSeconds }) => cooldownSeconds)) * 1000
  const resting = new Map<string, number>()
  if (longest === 0) return resting
  const runs = await db
    .selectFrom('action_runs')
    .innerJoin('incidents', 'incidents.id', 'action_runs.incident_id')
    .select(['action_runs.id', 'action_runs.action', 'action_runs.started_at', 'action_runs.finished_at'])
    .where('incidents.tenant', '=', tenant)
    .where('action_runs.state', '!=', 'failed')
    .where('action_runs.started_at', '>', nowMs - longest)
    .execute()
  for (const run of runs) {
    if (run.id === but) continue
    const { name, service } = proposedAction.parse(JSON.parse(run.action))
    const entry = catalogue.find((one) => one.name === name)
    const until = (run.finished_at ?? run.started_at) + (entry?.cooldownSeconds ?? 0) * 1000
    const key = actionKey({ name, service })
    if (until > nowMs) resting.set(key, Math.max(until, resting.get(key) ?? 0))
  }
  return resting
}
