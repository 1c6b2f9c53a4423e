// `GET /v1/audit`: what the agent asked of models and tools and what people decided, newest first; `?verify=true` looks
// through the whole chain as well.
import { z } from 'zod'
import { listAudit } from '../../audit/read.ts'
import type { AuditTables } from '../../audit/tables.ts'
import { verifyAudit } from '../../audit/verify.ts'
import type { Db } from '../../db/connect.ts'
import { ok, type Route } from '../exchange.ts'

const question = z.strictObject({
  /** An incident's id. */
  subject: z.string().min(1).max(200).optional(),
  kind: z.string().min(1).max(100).optional(),
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  verify: z.stringbool().default(false),
})

export const auditRoutes = ({ db }: { readonly db: Db<AuditTables> }): Route[] => [
  {
    method: 'GET',
    path: '/v1/audit',
    scope: 'admin',
    handle: async (exchange) => {
      const { verify, ...query } = exchange.query(question)
      const entries = await listAudit(db, { tenant: exchange.caller.tenant, ...query })
      const next = entries.length === query.limit ? (entries.at(-1)?.seq ?? null) : null
      return ok({ entries, next, ...(verify ? { chain: await verifyAudit(db) } : {}) })
    },
  },
]
