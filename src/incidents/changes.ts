// What someone changed in the running system: deploys, settings, flags. The first thing a person asks about when
// something breaks. Reported by whoever changes; the same id again changes nothing.
import { z } from 'zod'
import { CHANGE_KINDS, type Change, type ChangeKind } from '../core/telemetry.ts'
import type { Db } from '../db/connect.ts'
import { parseTime } from './alert-times.ts'
import { cleanText } from './clean-text.ts'
import type { ChangeRow, IncidentTables } from './tables.ts'

const MAX_CHANGES = 1000
const MAX_SUMMARY = 2000
const MAX_VALUE = 2000

/** 1990: a smaller number was meant as seconds. */
const EARLIEST_MS = Date.UTC(1990, 0, 1)

const AT = 'expected a time such as 2026-11-23T03:12:40Z, or milliseconds since 1970'
/** A time as a reporter or a query string may give it, in ms. */
export const changeTime = z.union([z.number(), z.string()], AT).transform((given, context) => {
  const ms = typeof given === 'number' || /^\d+$/.test(given) ? Number(given) : parseTime(given)
  if (ms !== undefined && Number.isFinite(ms) && ms >= EARLIEST_MS && ms <= 8.64e15) return Math.round(ms)
  const seconds = ms !== undefined && ms > 0 && ms < EARLIEST_MS ? `; ${given} looks like seconds` : ''
  context.addIssue({ code: 'custom', message: AT + seconds })
  return z.NEVER
})

const text = (max: number) => z.string().transform((value) => cleanText(value, max))
const name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .transform((value) => cleanText(value, 200))
const value = z
  .union([z.string(), z.number(), z.boolean()])
  .transform((given) => cleanText(String(given), MAX_VALUE))
  .nullish()

const change = z.object(
  {
    id: name,
    at: changeTime,
    service: name,
    kind: z.enum(CHANGE_KINDS, `expected one of ${CHANGE_KINDS.join(', ')}`),
    summary: text(MAX_SUMMARY),
    from: value,
    to: value,
    author: z
      .string()
      .transform((given) => cleanText(given, 200))
      .nullish(),
  },
  'expected a change: {id, at, service, kind, summary, from?, to?, author?}',
)
export type IncomingChange = z.output<typeof change>

const many = z.object({
  changes: z.array(change).min(1, 'holds no change').max(MAX_CHANGES, `holds more than ${MAX_CHANGES} changes`),
})

/** One change, or `{changes: […]}`. Told apart first, so that an error names the field that is at fault. */
export const changesBody = z
  .record(z.string(), z.unknown(), 'expected one change, {id, at, service, kind, summary}, or {"changes": […]}')
  .transform((given, context): readonly IncomingChange[] => {
    const parsed = Object.hasOwn(given, 'changes') ? many.safeParse(given) : change.safeParse(given)
    if (parsed.success) return 'changes' in parsed.data ? parsed.data.changes : [parsed.data]
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message })
    return z.NEVER
  })

/** Stores changes, all or none; those whose id is known stay as they were. Returns how many were new. */
export async function storeChanges(
  db: Db<IncidentTables>,
  tenant: string,
  changes: readonly IncomingChange[],
  nowMs: number,
): Promise<number> {
  const rows = changes.map(({ id, at, service, kind, summary, from, to, author }): ChangeRow => ({
    id,
    tenant,
    at,
    service,
    kind,
    summary,
    from_value: from ?? null,
    to_value: to ?? null,
    author: author ?? null,
    received_at: nowMs,
  }))
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('changes')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
    .executeTakeFirstOrThrow()
  return Number(numInsertedOrUpdatedRows ?? 0n)
}

export interface ChangeRange {
  readonly tenant: string
  /** Both ends included. */
  readonly fromMs: number
  readonly toMs: number
  /** The newest are kept; 1000 unless told. */
  readonly limit?: number
}

/** Changes of a tenant in a range of time, in order of time. */
export async function listChanges<Tables extends IncidentTables>(
  db: Db<Tables>,
  { tenant, fromMs, toMs, limit = 1000 }: ChangeRange,
): Promise<readonly Change[]> {
  const rows = await (db as unknown as Db<IncidentTables>)
    .selectFrom('changes')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('at', '>=', fromMs)
    .where('at', '<=', toMs)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.reverse().map((row) => ({
    id: row.id,
    at: row.at,
    service: row.service,
    kind: row.kind as ChangeKind,
    summary: row.summary,
    ...(row.from_value === null ? {} : { from: row.from_value }),
    ...(row.to_value === null ? {} : { to: row.to_value }),
    ...(row.author === null ? {} : { author: row.author }),
  }))
}
