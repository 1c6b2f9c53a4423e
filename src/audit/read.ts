// The audit log as it is read: newest first, page by page, one tenant's entries.
import type { Db } from '../db/connect.ts'
import type { AuditTables } from './tables.ts'

export interface AuditQuery {
  readonly tenant: string
  readonly subject?: string | undefined
  readonly kind?: string | undefined
  /** Entries before this number. */
  readonly before?: number | undefined
  readonly limit: number
}

export interface AuditView {
  readonly seq: number
  readonly at: number
  readonly actor: string
  readonly kind: string
  readonly subject: string
  readonly body: unknown
  readonly hash: string
}

export async function listAudit(db: Db<AuditTables>, query: AuditQuery): Promise<readonly AuditView[]> {
  let select = db
    .selectFrom('audit_log')
    .selectAll()
    .where('tenant', '=', query.tenant)
    .orderBy('seq', 'desc')
    .limit(query.limit)
  if (query.subject !== undefined) select = select.where('subject', '=', query.subject)
  if (query.kind !== undefined) select = select.where('kind', '=', query.kind)
  if (query.before !== undefined) select = select.where('seq', '<', query.before)
  return (await select.execute()).map(({ seq, at, actor, kind, subject, body, hash }) => ({
    seq,
    at,
    actor,
    kind,
    subject,
    body: JSON.parse(body) as unknown,
    hash,
  }))
}
