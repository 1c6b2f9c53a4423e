// Adds to the audit log. The head is touched first, which also locks it: two writers cannot give the same number, and an
// entry is there exactly when the transaction that it was written in is.
import { canonicalJson, sha256Hex } from '../core/hash.ts'
import type { Db } from '../db/connect.ts'
import type { AuditRow, AuditTables } from './tables.ts'

export interface AuditEntry {
  readonly tenant: string
  /** ms since the epoch. */
  readonly at: number
  readonly actor: string
  readonly kind: string
  readonly subject: string
  /** Kept as JSON. Secrets and personal data have to be out of it already. */
  readonly body: Readonly<Record<string, unknown>>
}

/** In the caller's transaction, which has to be one: the numbers of entries would otherwise not be those of their rows. */
export async function appendAudit<Tables extends AuditTables>(
  trx: Db<Tables>,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return
  const db = trx as unknown as Db<AuditTables>
  const head = await db
    .updateTable('audit_head')
    .set((eb) => ({ seq: eb('seq', '+', entries.length) }))
    .where('id', '=', 1)
    .returning(['seq', 'hash'])
    .executeTakeFirstOrThrow()
  let seq = head.seq - entries.length
  let previous = head.hash
  const rows = entries.map(({ body, ...entry }): AuditRow => {
    const row = { ...entry, seq: ++seq, body: JSON.stringify(body), previous_hash: previous }
    previous = hashOf(row)
    return { ...row, hash: previous }
  })
  for (const row of rows) await db.insertInto('audit_log').values(row).execute()
  await db.updateTable('audit_head').set({ hash: previous }).where('id', '=', 1).execute()
}

/** What an entry is hashed by: every column but the hash itself. */
export const hashOf = ({
  seq,
  tenant,
  at,
  actor,
  kind,
  subject,
  body,
  previous_hash,
}: Omit<AuditRow, 'hash'>): string =>
  sha256Hex(canonicalJson([seq, tenant, at, actor, kind, subject, body, previous_hash]))
