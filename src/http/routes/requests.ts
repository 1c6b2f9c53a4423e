// `GET /v1/requests` and `/v1/requests/:id`: what became of model calls, and why. An admin sees the whole tenant, anybody
// else what the own key asked.
import { z } from 'zod'
import { type Caller, mayDo } from '../../core/caller.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { findRequest, listRequests, type Place } from '../../gateway/request-log.ts'
import type { GatewayTables } from '../../gateway/tables.ts'
import { ok, type Route } from '../exchange.ts'

const DAY_MS = 86_400_000

/** A day in UTC, or a moment. `end`: a day is meant up to its end. */
const moment = (end: boolean) =>
  z.union(
    [
      z.iso.date().transform((text) => Date.parse(text) + (end ? DAY_MS : 0)),
      z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    ],
    { error: 'must be a day such as 2026-11-23 or a moment such as 2026-11-23T03:12:00Z' },
  )

const question = z.strictObject({
  model: z.string().min(1).max(500).optional(),
  outcome: z.enum(['served', 'refused', 'failed', 'abandoned', 'under-way']).optional(),
  keyId: z.string().min(1).max(200).optional(),
  /** The first day or moment, and the last day (included) or the moment before which. */
  from: moment(false).optional(),
  to: moment(true).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  /** `next` of the page before. */
  after: z
    .string()
    .regex(/^\d{1,16}\.[\w-]{1,100}$/, 'must be the `next` of another page')
    .transform(parsePlace)
    .optional(),
})

export interface RequestRouteDeps {
  readonly db: Db<GatewayTables>
  /** Resolves when what has ended is in the database. */
  readonly flush: () => Promise<void>
}

export function requestRoutes({ db, flush }: RequestRouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/requests',
      scope: 'llm:chat',
      handle: async (exchange) => {
        const { after, limit, from, to, ...filter } = exchange.query(question)
        await flush()
        const { requests, next } = await listRequests(db, viewerOf(exchange.caller), {
          filter: { ...filter, fromMs: from, toMs: to },
          after,
          limit,
        })
        return ok({ requests, next: next && formatPlace(next) })
      },
    },
    {
      method: 'GET',
      path: '/v1/requests/:id',
      scope: 'llm:chat',
      handle: async ({ caller, params }) => {
        const id = params['id'] ?? ''
        await flush()
        const request = await findRequest(db, viewerOf(caller), id)
        if (!request) throw new AppError('not_found', `There is no request ${id}.`)
        return ok(request)
      },
    },
  ]
}

const viewerOf = (caller: Caller) => ({
  tenant: caller.tenant,
  keyId: mayDo(caller, 'admin') ? undefined : caller.keyId,
})

const formatPlace = ({ at, id }: Place): string => `${at}.${id}`

function parsePlace(text: string): Place {
  const dot = text.indexOf('.')
  return { at: Number(text.slice(0, dot)), id: text.slice(dot + 1) }
}
