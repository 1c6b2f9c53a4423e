// OpenAI's batches: many calls in one file, made when there is room for them.
import { z } from 'zod'
import type { Batches } from '../../gateway/batches/batches.ts'
import { batchView } from '../../gateway/batches/view.ts'
import { ok, type Route } from '../exchange.ts'
import { BATCH_SCOPES, pageOf } from './files.ts'

const shared = { scope: BATCH_SCOPES, dialect: 'openai' } as const

const newBatch = z.object({
  input_file_id: z.string().min(1),
  endpoint: z.string().min(1),
  completion_window: z.literal('24h'),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((metadata) => Object.keys(metadata).length <= 16, 'has more than 16 keys')
    .nullish(),
  output_expires_after: z
    .object({ anchor: z.literal('created_at'), seconds: z.int().min(3600).max(2_592_000) })
    .nullish(),
})

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional(),
})

export function batchRoutes(batches: Batches): Route[] {
  return [
    {
      ...shared,
      method: 'POST',
      path: '/v1/batches',
      handle: async (exchange) => {
        const wanted = await exchange.json(newBatch)
        const row = await batches.create(exchange.caller, {
          endpoint: wanted.endpoint,
          inputFileId: wanted.input_file_id,
          completionWindow: wanted.completion_window,
          metadata: wanted.metadata ?? null,
          outputExpiresAfterS: wanted.output_expires_after?.seconds ?? null,
        })
        return ok(batchView(row))
      },
    },
    {
      ...shared,
      method: 'GET',
      path: '/v1/batches',
      handle: async (exchange) => {
        const { limit, after } = exchange.query(listQuery)
        return ok(pageOf(await batches.list(exchange.caller.tenant, { limit, after }), limit, batchView))
      },
    },
    {
      ...shared,
      method: 'GET',
      path: '/v1/batches/:id',
      handle: async ({ caller, params }) => ok(batchView(await batches.get(caller.tenant, params['id'] ?? ''))),
    },
    {
      ...shared,
      method: 'POST',
      path: '/v1/batches/:id/cancel',
      handle: async ({ caller, params }) => ok(batchView(await batches.cancel(caller.tenant, params['id'] ?? ''))),
    },
  ]
}
