// Silences as Alertmanager has them: matchers, a beginning, an end, who and why. They are made and ended by people with a
// key for it, and by nothing that an alert says. An ended silence is kept: what it held back names it.
import { z } from 'zod'
import { appendAudit } from '../../audit/log.ts'
import type { AuditTables } from '../../audit/tables.ts'
import { AppError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import {
  makeMatcher,
  type Matcher,
  matcherText,
  matchesEverything,
  parseMatcher,
  spellMatcher,
} from '../../core/label-matchers.ts'
import type { Db } from '../../db/connect.ts'
import { cleanText } from '../clean-text.ts'
import type { IncidentTables } from '../tables.ts'
import { mutedAndFiring, type SilenceRow } from './tables.ts'

type SilenceDb = Db<IncidentTables & AuditTables>

const MAX_ACTIVE = 1000
const LONGEST_MS = 366 * 86_400_000

/** As the API of Alertmanager writes a matcher. */
const matcherObject = z
  .strictObject({
    name: z.string().min(1).max(300),
    value: z.string().max(2000),
    isRegex: z.boolean().default(false),
    isEqual: z.boolean().default(true),
  })
  .transform(({ name, value, isRegex, isEqual }, context) => {
    try {
      return spellMatcher(makeMatcher(name, isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=', value))
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })

/** `POST /v1/silences`. The author is whoever holds the key. */
export const silenceBody = z
  .strictObject({
    matchers: z
      .array(z.union([matcherText, matcherObject]))
      .min(1)
      .max(50),
    /** Now, where it is absent. */
    startsAt: z.iso.datetime({ offset: true }).optional(),
    endsAt: z.iso.datetime({ offset: true }).optional(),
    /** Instead of `endsAt`. */
    durationSeconds: z
      .number()
      .positive()
      .max(LONGEST_MS / 1000)
      .optional(),
    comment: z.string().trim().min(1, 'say why: the next person who looks will ask').max(1000),
  })
  .refine(
    ({ endsAt, durationSeconds }) => (endsAt === undefined) !== (durationSeconds === undefined),
    'needs either endsAt or durationSeconds',
  )
  .refine(({ matchers }) => !matchesEverything(matchers.map(parseMatcher)), {
    path: ['matchers'],
    message: 'would silence every alert; name at least one label value',
  })
export type SilenceBody = z.output<typeof silenceBody>

export const silenceView = z.object({
  id: z.string(),
  state: z.enum(['pending', 'active', 'ended']),
  matchers: z.array(z.string()),
  startsAt: z.number(),
  endsAt: z.number(),
  author: z.string(),
  comment: z.string(),
  createdAt: z.number(),
  /** Firing alerts that it holds back now. */
  holdsBack: z.number().int(),
})
export type SilenceView = z.infer<typeof silenceView>
export const silenceList = z.object({ silences: z.array(silenceView), now: z.number() })

export interface Author {
  readonly tenant: string
  readonly name: string
}

/** Throws `malformed` when its times make no sense, `conflict` when there are too many. */
export async function createSilence(db: SilenceDb, body: SilenceBody, by: Author, nowMs: number): Promise<SilenceView> {
  const startsAt = body.startsAt === undefined ? nowMs : Date.parse(body.startsAt)
  const endsAt = body.endsAt === undefined ? startsAt + (body.durationSeconds ?? 0) * 1000 : Date.parse(body.endsAt)
  if (endsAt <= Math.max(startsAt, nowMs))
    throw new AppError('malformed', 'The silence would be over before it begins. Give an endsAt that lies ahead.')
  if (endsAt - startsAt > LONGEST_MS) throw new AppError('malformed', 'A silence lasts a year at most.')
  const row: SilenceRow = {
    id: newId('sil', nowMs),
    tenant: by.tenant,
    matchers: JSON.stringify(body.matchers),
    starts_at: startsAt,
    ends_at: endsAt,
    author: cleanText(by.name, 200),
    comment: cleanText(body.comment, 1000),
    created_at: nowMs,
  }
  await db.transaction().execute(async (trx) => {
    const { n } = await trx
      .selectFrom('silences')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .where('tenant', '=', by.tenant)
      .where('ends_at', '>', nowMs)
      .executeTakeFirstOrThrow()
    if (n >= MAX_ACTIVE) throw new AppError('conflict', `There are ${n} silences already. End some first.`)
    await trx.insertInto('silences').values(row).execute()
    const told = { matchers: body.matchers, startsAt, endsAt, comment: row.comment }
    await appendAudit(trx, [
      { tenant: by.tenant, at: nowMs, actor: by.name, kind: 'silence.created', subject: row.id, body: told },
    ])
  })
  return viewOf(row, 0, nowMs)
}

/** Ends it now. Ending what is over already changes nothing. Throws `not_found`. */
export async function endSilence(db: SilenceDb, id: string, by: Author, nowMs: number): Promise<SilenceView> {
  return await db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('silences')
      .selectAll()
      .where('id', '=', id)
      .where('tenant', '=', by.tenant)
      .executeTakeFirst()
    if (!row) throw new AppError('not_found', `There is no silence ${id}.`)
    if (row.ends_at <= nowMs) return viewOf(row, 0, nowMs)
    const starts_at = Math.min(row.starts_at, nowMs)
    await trx.updateTable('silences').set({ ends_at: nowMs, starts_at }).where('id', '=', id).execute()
    await appendAudit(trx, [
      { tenant: by.tenant, at: nowMs, actor: by.name, kind: 'silence.ended', subject: id, body: {} },
    ])
    return viewOf({ ...row, starts_at, ends_at: nowMs }, 0, nowMs)
  })
}

/** Those that are not over, the next to end first; with `all` also the latest that are. */
export async function listSilences(
  db: Db<IncidentTables>,
  tenant: string,
  all: boolean,
  nowMs: number,
): Promise<readonly SilenceView[]> {
  let query = db.selectFrom('silences').selectAll().where('tenant', '=', tenant)
  if (!all) query = query.where('ends_at', '>', nowMs)
  const rows = await query
    .orderBy('ends_at', all ? 'desc' : 'asc')
    .orderBy('id')
    .limit(MAX_ACTIVE)
    .execute()
  const held = await db
    .selectFrom('alerts')
    .select((eb) => ['muted_by', eb.fn.countAll<number>().as('n')])
    .where(mutedAndFiring)
    .where('tenant', '=', tenant)
    .groupBy('muted_by')
    .execute()
  return rows.map((row) => viewOf(row, held.find(({ muted_by }) => muted_by === `silence:${row.id}`)?.n ?? 0, nowMs))
}

export interface ActiveSilence {
  readonly id: string
  readonly matchers: readonly Matcher[]
  readonly endsAtMs: number
  readonly author: string
  readonly comment: string
}

/** Those that hold now, the one that holds longest first. */
export async function activeSilences(
  db: Db<IncidentTables>,
  tenant: string,
  nowMs: number,
): Promise<readonly ActiveSilence[]> {
  const rows = await db
    .selectFrom('silences')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('starts_at', '<=', nowMs)
    .where('ends_at', '>', nowMs)
    .orderBy('ends_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.flatMap((row) => {
    const matchers = readMatchers(row)
    return matchers ? [{ id: row.id, matchers, endsAtMs: row.ends_at, author: row.author, comment: row.comment }] : []
  })
}

/** What an earlier version took and this one refuses holds nothing back; it must not hold up the folding of all alerts. */
function readMatchers(row: SilenceRow): readonly Matcher[] | undefined {
  try {
    return matchersOf(row).map(parseMatcher)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const matchersOf = ({ matchers }: SilenceRow): string[] => z.array(z.string()).parse(JSON.parse(matchers))

const viewOf = (row: SilenceRow, holdsBack: number, nowMs: number): SilenceView => ({
  id: row.id,
  state: row.ends_at <= nowMs ? 'ended' : row.starts_at > nowMs ? 'pending' : 'active',
  matchers: matchersOf(row),
  startsAt: row.starts_at,
  endsAt: row.ends_at,
  author: row.author,
  comment: row.comment,
  createdAt: row.created_at,
  holdsBack,
})
