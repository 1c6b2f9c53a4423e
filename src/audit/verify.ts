// Walks the audit log from its first entry to its head and tells the first place where it is not what was written: an
// entry that was edited, taken out, put in or moved, and an end that was cut off.
import type { Db } from '../db/connect.ts'
import { hashOf } from './log.ts'
import { type AuditTables, NOTHING_BEFORE } from './tables.ts'

export type AuditVerdict =
  /** `head` is the hash of the last entry: whoever keeps it elsewhere can prove later that nothing before it changed. */
  | { readonly kind: 'whole'; readonly entries: number; readonly head: string }
  | { readonly kind: 'broken'; readonly seq: number; readonly reason: string }

const AT_ONCE = 500

/** `expected` is the head of an earlier check: it has to be in the chain still. */
export async function verifyAudit(db: Db<AuditTables>, expected?: string): Promise<AuditVerdict> {
  // The head first: entries that come while it is walked are behind it.
  const head = await db.selectFrom('audit_head').selectAll().where('id', '=', 1).executeTakeFirst()
  if (!head) return broken(0, 'the head of the log is gone')
  const last = head.seq
  let before = NOTHING_BEFORE
  let seen = expected === undefined || expected === NOTHING_BEFORE
  let seq = 0
  while (seq < last) {
    const rows = await db
      .selectFrom('audit_log')
      .selectAll()
      .where('seq', '>', seq)
      .where('seq', '<=', last)
      .orderBy('seq')
      .limit(AT_ONCE)
      .execute()
    if (rows.length === 0) return broken(seq + 1, `entries ${seq + 1} to ${last} are gone`)
    for (const row of rows) {
      const at = row.seq
      if (at !== seq + 1) return broken(seq + 1, `entry ${seq + 1} is gone`)
      if (row.previous_hash !== before) return broken(at, `entry ${at} does not follow on the one before it`)
      if (hashOf(row) !== row.hash) return broken(at, `entry ${at} is not what was written`)
      before = row.hash
      seen ||= row.hash === expected
      seq = at
    }
  }
  if (before !== head.hash) return broken(last, 'the last entry is not the one that the head names')
  const first = (await seqAtEnd(db, 'asc')) ?? 1
  if (first < 1) return broken(first, 'an entry stands before the first')
  // More than the head knew may have come while this walked: then the head knows them by now.
  const furthest = (await seqAtEnd(db, 'desc')) ?? 0
  if (furthest > last && furthest > (await headSeq(db))) return broken(furthest, 'an entry stands behind the head')
  if (!seen) return broken(last, `no entry has the hash ${expected}: the log was written anew, or this is another one`)
  return { kind: 'whole', entries: last, head: head.hash }
}

const seqAtEnd = async (db: Db<AuditTables>, order: 'asc' | 'desc'): Promise<number | undefined> =>
  (await db.selectFrom('audit_log').select('seq').orderBy('seq', order).limit(1).executeTakeFirst())?.seq

const headSeq = async (db: Db<AuditTables>): Promise<number> =>
  (await db.selectFrom('audit_head').select('seq').where('id', '=', 1).executeTakeFirst())?.seq ?? 0

const broken = (seq: number, reason: string): AuditVerdict => ({ kind: 'broken', seq, reason })
