// Who stands in for whom on a schedule, from one time to another. Made and ended by people with a key for it, kept in the
// audit log; an ended one stays as a row that says what was so.
import { z } from 'zod'
import { appendAudit } from '../../audit/log.ts'
import type { AuditTables } from '../../audit/tables.ts'
import type { TeamConfig } from '../../config/routing-schema.ts'
import { AppError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import type { Db } from '../../db/connect.ts'
import { cleanText } from '../clean-text.ts'
import type { IncidentTables } from '../tables.ts'
import type { OverridesOf } from './escalation.ts'
import type { Override } from './schedule.ts'
import type { OncallOverrideRow } from './tables.ts'

type OverrideDb = Db<IncidentTables & AuditTables>

const MOST = 1000
const LONGEST_MS = 366 * 86_400_000

/** `POST /v1/oncall/overrides` */
export const overrideBody = z
  .strictObject({
    team: z.string().min(1).max(64),
    schedule: z.string().min(1).max(64),
    person: z.string().min(1).max(64),
    /** Now, where it is absent. */
    from: z.iso.datetime({ offset: true }).optional(),
    to: z.iso.datetime({ offset: true }).optional(),
    /** Instead of `to`. */
    durationSeconds: z
      .number()
      .positive()
      .max(LONGEST_MS / 1000)
      .optional(),
    reason: z.string().trim().min(1, 'say why').max(1000),
  })
  .refine(
    ({ to, durationSeconds }) => (to === undefined) !== (durationSeconds === undefined),
    'needs either to or durationSeconds',
  )
export type OverrideBody = z.output<typeof overrideBody>

export const overrideView = z.object({
  id: z.string(),
  team: z.string(),
  schedule: z.string(),
  person: z.string(),
  from: z.number(),
  to: z.number(),
  reason: z.string(),
  by: z.string(),
})
export type OverrideView = z.infer<typeof overrideView>

interface By {
  readonly tenant: string
  readonly name: string
}

/** Throws `malformed` for what is not in the config or makes no sense as a time, `conflict` when there are too many. */
export async function createOverride(
  db: OverrideDb,
  teams: Readonly<Record<string, TeamConfig>>,
  body: OverrideBody,
  by: By,
  nowMs: number,
): Promise<OverrideView> {
  const team = Object.hasOwn(teams, body.team) ? teams[body.team] : undefined
  if (!team)
    throw new AppError('malformed', `There is no team ${body.team}; there is ${known(teams)}.`, { field: 'team' })
  if (!Object.hasOwn(team.schedules, body.schedule))
    throw new AppError('malformed', `${body.team} has no schedule ${body.schedule}; it has ${known(team.schedules)}.`, {
      field: 'schedule',
    })
  if (!Object.hasOwn(team.people, body.person))
    throw new AppError('malformed', `${body.person} is not among the people of ${body.team}: ${known(team.people)}.`, {
      field: 'person',
    })
  const from = body.from === undefined ? nowMs : Date.parse(body.from)
  const to = body.to === undefined ? from + (body.durationSeconds ?? 0) * 1000 : Date.parse(body.to)
  if (to <= Math.max(from, nowMs))
    throw new AppError('malformed', 'It would be over before it begins. Give a to that lies ahead.')
  if (to - from > LONGEST_MS) throw new AppError('malformed', 'An override lasts a year at most.')
  const row: OncallOverrideRow = {
    id: newId('ovr', nowMs),
    tenant: by.tenant,
    team: body.team,
    schedule: body.schedule,
    person: body.person,
    from_at: from,
    to_at: to,
    reason: cleanText(body.reason, 1000),
    by: cleanText(by.name, 200),
    created_at: nowMs,
  }
  await db.transaction().execute(async (trx: OverrideDb) => {
    const { n } = await trx
      .selectFrom('oncall_overrides')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .where('tenant', '=', by.tenant)
      .where('to_at', '>', nowMs)
      .executeTakeFirstOrThrow()
    if (n >= MOST) throw new AppError('conflict', `There are ${n} overrides already. End some first.`)
    await trx.insertInto('oncall_overrides').values(row).execute()
    const { team: of, schedule, person, reason } = row
    const told = { team: of, schedule, person, from, to, reason }
    await appendAudit(trx, [
      { tenant: by.tenant, at: nowMs, actor: by.name, kind: 'oncall.override.created', subject: row.id, body: told },
    ])
  })
  return viewOf(row)
}

const known = (all: object): string => Object.keys(all).join(', ') || 'none yet (agent.teams in the config)'

/** Ends it now; one that has not begun never was. Ending what is over changes nothing. Throws `not_found`. */
export async function endOverride(db: OverrideDb, id: string, by: By, nowMs: number): Promise<OverrideView> {
  return await db.transaction().execute(async (trx: OverrideDb) => {
    const row = await trx
      .selectFrom('oncall_overrides')
      .selectAll()
      .where('id', '=', id)
      .where('tenant', '=', by.tenant)
      .executeTakeFirst()
    if (!row) throw new AppError('not_found', `There is no override ${id}.`)
    if (row.to_at <= nowMs) return viewOf(row)
    const times = { from_at: Math.min(row.from_at, nowMs), to_at: nowMs }
    await trx.updateTable('oncall_overrides').set(times).where('id', '=', id).execute()
    await appendAudit(trx, [
      { tenant: by.tenant, at: nowMs, actor: by.name, kind: 'oncall.override.ended', subject: id, body: {} },
    ])
    return viewOf({ ...row, ...times })
  })
}

/** Those that are not over at that time, the next to begin first. */
export async function overridesFrom(
  db: Db<IncidentTables>,
  tenant: string,
  atMs: number,
): Promise<readonly OncallOverrideRow[]> {
  return await db
    .selectFrom('oncall_overrides')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('to_at', '>', atMs)
    .orderBy('from_at')
    .orderBy('id')
    .limit(MOST)
    .execute()
}

export async function overridesAt(db: Db<IncidentTables>, tenant: string, atMs: number): Promise<OverridesOf> {
  return overridesAmong(await overridesFrom(db, tenant, atMs))
}

export const overridesAmong =
  (rows: readonly OncallOverrideRow[]): OverridesOf =>
  (team, schedule) =>
    rows
      .filter((row) => row.team === team && row.schedule === schedule)
      .map(({ id, person, from_at, to_at, created_at }): Override => ({
        id,
        person,
        fromMs: from_at,
        toMs: to_at,
        createdAtMs: created_at,
      }))

export const viewOf = ({
  id,
  team,
  schedule,
  person,
  from_at,
  to_at,
  reason,
  by,
}: OncallOverrideRow): OverrideView => ({
  id,
  team,
  schedule,
  person,
  from: from_at,
  to: to_at,
  reason,
  by,
})
