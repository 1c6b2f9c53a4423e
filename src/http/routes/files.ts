// OpenAI's files, as far as batches need them: uploaded as JSON lines, read by a batch, and written by one.
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import type { Scope } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { parseAs } from '../../core/parse.ts'
import type { Draft, FileStore } from '../../gateway/batches/file-store.ts'
import type { FileRow } from '../../gateway/batches/tables.ts'
import { fileView } from '../../gateway/batches/view.ts'
import { type Exchange, ok, type Reply, type Route } from '../exchange.ts'
import { readMultipart } from '../multipart.ts'

const MAX_FILE_BYTES = 200 * 1024 * 1024
const MAX_FIELD_BYTES = 64 * 1024
/** An upload that stands still for so long is given up, and so is one that is not done after the other. */
const IDLE_MS = 30_000
const LONGEST_MS = 30 * 60_000

export const BATCH_SCOPES: readonly Scope[] = ['llm:chat', 'llm:embed']
const shared = { scope: BATCH_SCOPES, dialect: 'openai' } as const

export function fileRoutes(files: FileStore, clock: Clock): Route[] {
  const find = async ({ caller, params }: Exchange): Promise<FileRow> => {
    const id = params['id'] ?? ''
    const row = await files.find(caller.tenant, id)
    if (!row) throw new AppError('not_found', `There is no file ${id}.`)
    return row
  }
  return [
    {
      ...shared,
      method: 'POST',
      path: '/v1/files',
      longBody: true,
      handle: async (exchange) => ok(fileView(await upload(files, clock, exchange))),
    },
    {
      ...shared,
      method: 'GET',
      path: '/v1/files',
      handle: async (exchange) => {
        const { limit, after, order, purpose } = exchange.query(listQuery)
        const rows = await files.list(exchange.caller.tenant, { limit, after, order }, purpose)
        return ok(pageOf(rows, limit, fileView))
      },
    },
    { ...shared, method: 'GET', path: '/v1/files/:id', handle: async (exchange) => ok(fileView(await find(exchange))) },
    {
      ...shared,
      method: 'GET',
      path: '/v1/files/:id/content',
      handle: async (exchange) => content(files, await find(exchange), exchange),
    },
    {
      ...shared,
      method: 'DELETE',
      path: '/v1/files/:id',
      handle: async (exchange) => {
        const { id } = await find(exchange)
        return ok({ id, object: 'file', deleted: await files.delete(exchange.caller.tenant, id) })
      },
    },
  ]
}

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(10_000).default(10_000),
  after: z.string().optional(),
  order: z.enum(['asc', 'desc']).default('desc'),
  purpose: z.string().optional(),
})

/** `rows` has one more than the limit where there are more. */
export function pageOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => unknown,
): Readonly<Record<string, unknown>> {
  const page = rows.slice(0, limit)
  return {
    object: 'list',
    data: page.map(view),
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: rows.length > limit,
  }
}

const form = z.object({
  purpose: z.literal('batch', { error: 'files are kept for batches only, so it must be batch' }),
  'expires_after[anchor]': z.literal('created_at').optional(),
  'expires_after[seconds]': z.coerce.number().int().min(3600).max(2_592_000).optional(),
})

async function upload(files: FileStore, clock: Clock, exchange: Exchange): Promise<FileRow> {
  const { request } = exchange.raw
  if (Number(request.headers['content-length'] ?? 0) > MAX_FILE_BYTES + MAX_FIELD_BYTES) {
    throw new AppError('too_large', `A file may have ${MAX_FILE_BYTES / 1024 ** 2} MiB at most.`)
  }
  const fields: Record<string, string> = {}
  let draft: Draft | undefined
  let filename = ''
  try {
    for await (const part of readMultipart(bytesOf(request), request.headers['content-type'])) {
      if (part.name !== 'file') fields[part.name] = await textOf(part.body)
      else if (draft) throw new AppError('malformed', 'The form holds two files. Send one.', { field: 'file' })
      else {
        filename = cleanName(part.filename)
        draft = await files.draft(exchange.caller.tenant, part.body, MAX_FILE_BYTES)
      }
    }
    if (!draft) throw new AppError('malformed', 'The form holds no file. Send it in the field file.', { field: 'file' })
    const { 'expires_after[seconds]': seconds } = parseAs(form, fields)
    const expiresAt = seconds === undefined ? null : clock.now() + seconds * 1000
    return await draft.keep({ caller: exchange.caller, filename, expiresAt })
  } catch (error) {
    await draft?.discard()
    throw error
  }
}

/** Throws `client_gone` when the client hangs up in the middle. */
async function* bytesOf(request: Exchange['raw']['request']): AsyncGenerator<Buffer, void, undefined> {
  const giveUp = (): void => void request.destroy()
  const limit = setTimeout(giveUp, LONGEST_MS)
  request.setTimeout(IDLE_MS, giveUp)
  try {
    // What is left of a refused body is read by the server, so that the client gets to see why.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Buffer
  } catch (error) {
    throw new AppError('client_gone', undefined, { cause: error })
  } finally {
    clearTimeout(limit)
    request.setTimeout(0)
    request.off('timeout', giveUp)
  }
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > MAX_FIELD_BYTES) throw new AppError('too_large', 'A field of the form is larger than 64 KiB.')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** For people to read only: on the disk a file has the name of its id. */
const cleanName = (name: string | undefined): string =>
  // oxlint-disable-next-line no-control-regex -- they are what must not be in it
  (name ?? '').replaceAll(/[\u0000-\u001f\u007f]/g, '').slice(0, 255) || 'file.jsonl'

async function content(
  files: FileStore,
  { id, bytes }: FileRow,
  { raw, signal, ownHeaders }: Exchange,
): Promise<Reply> {
  raw.response.writeHead(200, {
    ...ownHeaders,
    'content-type': 'application/octet-stream',
    'content-length': bytes,
    'x-content-type-options': 'nosniff',
  })
  if (raw.request.method === 'HEAD') raw.response.end()
  else await pipeline(files.read(id), raw.response, { signal })
  return 'streamed'
}
