// Documents of a collection over HTTP: sent as JSON (text) or as a form (files of any format), listed, opened at a place,
// removed, and erased with everything of a user's.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import { parseAs, QUERY } from '../../core/parse.ts'
import type { RawDocument } from '../../rag/document.ts'
import type { OpenKnowledge } from '../../rag/knowledge.ts'
import type { Collection, StoredDocument } from '../../rag/store/store.ts'
import { type Exchange, ok, type Reply, type Route } from '../exchange.ts'
import { collectionName, getReadable, recordOf } from './rag-access.ts'
import { Intake } from './rag-intake.ts'
import { MAX_FILE_BYTES, readUpload, sizeOf, type Upload, withinTime } from './rag-upload.ts'

export type Documents = Pick<OpenKnowledge, 'store' | 'put'>

const MAX_BODY_BYTES = 16 * 1024 * 1024

const documentId = z
  .string()
  .min(1)
  .max(1000)
  // oxlint-disable-next-line no-control-regex -- they are what must not be in it
  .regex(/^[^\u0000-\u001f\u007f]+$/, 'must have no control characters')
  // No client asks for them as they are: it resolves them in the address.
  .refine((id) => id !== '.' && id !== '..', 'must not be "." or ".."')
  // As it is stored, so that what is answered can be asked for.
  .transform((id) => id.toWellFormed())
const metadata = recordOf(
  z
    .record(z.string().min(1).max(100), z.union([z.string().max(10_000), z.number(), z.boolean()]))
    .refine((all) => Object.keys(all).length <= 64, 'has more than 64 keys'),
)
const owner = z.string().min(1).max(200)

const newDocument = z.strictObject({
  collection: collectionName,
  /** Made of the text where it is left out. */
  id: documentId.optional(),
  title: z.string().max(1000).optional(),
  text: z.string().refine((text) => text.trim() !== '', 'is empty'),
  /** Where a reader opens it. */
  source: z.string().max(2000).optional(),
  media_type: z.string().max(200).default('text/markdown'),
  metadata: metadata.default({}),
  /** The user whose data it is, for erasure. */
  owner: owner.optional(),
})

const form = z.strictObject({
  collection: collectionName,
  /** Of a form with one file; else each has its file's name. */
  id: documentId.optional(),
  title: z.string().max(1000).optional(),
  source: z.string().max(2000).optional(),
  metadata: z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown
      } catch {
        context.addIssue({ code: 'custom', message: 'must be a JSON object' })
        return z.NEVER
      }
    })
    .pipe(metadata)
    .default({}),
  owner: owner.optional(),
})

const listQuery = z.strictObject({
  collection: collectionName,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(1000).optional(),
  prefix: z.string().max(1000).optional(),
})
const place = z.coerce.number().int().min(0)
const oneQuery = z.strictObject({ collection: collectionName, start: place.optional(), end: place.optional() })

export function ragDocumentRoutes({ open }: { readonly open: () => Promise<Documents> }): Route[] {
  const intake = new Intake()
  const collectionOf = async ({ caller }: Exchange, name: string): Promise<Documents & { collection: Collection }> => {
    const { store, put } = await open()
    return { store, put, collection: await getReadable(store, caller, name) }
  }
  const opened = async (exchange: Exchange) => {
    const { collection: name, start, end } = query(exchange, oneQuery)
    const { store, collection } = await collectionOf(exchange, name)
    return { store, collection, start, end, id: exchange.params['*'] ?? '' }
  }
  return [
    {
      method: 'POST',
      path: '/v1/rag/documents',
      scope: 'rag:write',
      maxBodyBytes: MAX_BODY_BYTES,
      longBody: true,
      handle: (exchange) => take(exchange, intake, collectionOf),
    },
    {
      method: 'GET',
      path: '/v1/rag/documents',
      scope: 'rag:read',
      handle: async (exchange) => {
        const { collection: name, limit, ...page } = query(exchange, listQuery)
        const { store, collection } = await collectionOf(exchange, name)
        // One more than is shown says whether there are more.
        const rows = await store.listDocuments(collection.id, { ...defined(page), limit: limit + 1 })
        const documents = rows.slice(0, limit)
        return ok({
          documents: documents.map((document) => view(document, name)),
          next: rows.length > limit ? (documents.at(-1)?.id ?? null) : null,
        })
      },
    },
    {
      method: 'GET',
      path: '/v1/rag/documents/*',
      scope: 'rag:read',
      handle: async (exchange) => {
        const { store, collection, id, start, end } = await opened(exchange)
        const document = await store.findDocument(collection.id, id)
        if (!document) throw noDocument(id, collection.name)
        return ok({
          ...view(document, collection.name),
          text: document.text,
          highlight: start === undefined && end === undefined ? null : highlight(document.text, start ?? 0, end),
        })
      },
    },
    {
      method: 'DELETE',
      path: '/v1/rag/documents',
      scope: 'rag:write',
      handle: async (exchange) => {
        const { owner: user } = query(exchange, z.strictObject({ owner }))
        const { tenant, team, name } = exchange.caller
        if (team !== undefined) {
          throw new AppError(
            'forbidden',
            `A user's data is erased in every collection of the tenant: the key "${name}", of the team ${team}, may not.`,
          )
        }
        const { store } = await open()
        return ok({ owner: user, erased: await store.eraseOwner(tenant, user) })
      },
    },
    {
      method: 'DELETE',
      path: '/v1/rag/documents/*',
      scope: 'rag:write',
      handle: async (exchange) => {
        const { store, collection, id } = await opened(exchange)
        if (!(await store.removeDocument(collection.id, id))) throw noDocument(id, collection.name)
        return ok({ id, collection: collection.name, deleted: true })
      },
    },
  ]
}

const query = <T extends z.ZodType>(exchange: Exchange, schema: T): z.output<T> =>
  parseAs(schema, Object.fromEntries(exchange.url.searchParams), QUERY)

const noDocument = (id: string, collection: string): AppError =>
  new AppError('not_found', `There is no document ${id} in ${collection}.`)

type CollectionOf = (exchange: Exchange, name: string) => Promise<Documents & { readonly collection: Collection }>

function take(exchange: Exchange, intake: Intake, collectionOf: CollectionOf): Promise<Reply> {
  const { headers, signal } = exchange
  const { tenant } = exchange.caller
  if (/^multipart\//i.test(headers['content-type'] ?? ''))
    return intake.take(
      { tenant, sizeBytes: sizeOf(exchange, MAX_FILE_BYTES), signal },
      () => readUpload(exchange),
      (upload) => takeFiles(exchange, upload, collectionOf),
    )
  return intake.take(
    { tenant, sizeBytes: sizeOf(exchange, MAX_BODY_BYTES), signal },
    () => withinTime(exchange.raw.request, () => exchange.json(newDocument)),
    (body) => takeText(exchange, body, collectionOf),
  )
}

async function takeText(
  exchange: Exchange,
  body: z.output<typeof newDocument>,
  collectionOf: CollectionOf,
): Promise<Reply> {
  const bytes = Buffer.from(body.text)
  const { collection, put } = await collectionOf(exchange, body.collection)
  const id = body.id ?? `text-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
  const result = await put(collection, rawOf({ ...body, id, mediaType: body.media_type }, bytes), exchange.signal)
  return made([{ id, collection: collection.name, ...told(result) }], [])
}

async function takeFiles(exchange: Exchange, { fields, files }: Upload, collectionOf: CollectionOf): Promise<Reply> {
  const wanted = parseAs(form, fields)
  if (files.length === 0)
    throw new AppError('malformed', 'The form holds no file. Send it in the field file.', { field: 'file' })
  const { collection, put } = await collectionOf(exchange, wanted.collection)
  const documents: Taken[] = []
  const failed: { readonly id: string; readonly reason: string }[] = []
  for (const { name, mediaType, bytes } of files) {
    const id = files.length === 1 ? (wanted.id ?? name) : name
    try {
      const given = files.length === 1 ? wanted : { ...wanted, title: undefined, source: undefined }
      const result = await put(collection, rawOf({ ...given, id, mediaType }, bytes), exchange.signal)
      documents.push({ id, collection: collection.name, ...told(result) })
    } catch (error) {
      // One bad file among several costs the others nothing.
      if (!(error instanceof AppError) || error.code !== 'malformed' || files.length === 1) throw error
      failed.push({ id, reason: error.message })
    }
  }
  return made(documents, failed)
}

interface Taken {
  readonly id: string
  readonly collection: string
  readonly kind: 'stored' | 'unchanged'
  readonly passages?: number
}

const made = (documents: readonly Taken[], failed: readonly unknown[]): Reply => ({
  status: documents.some(({ kind }) => kind === 'stored') ? 201 : 200,
  json: { documents, failed },
})

const told = (result: Awaited<ReturnType<Documents['put']>>) =>
  result.kind === 'stored' ? { kind: result.kind, passages: result.passages } : { kind: result.kind }

interface Given {
  readonly id: string
  readonly title?: string | undefined
  readonly source?: string | undefined
  readonly mediaType: string | undefined
  readonly metadata: RawDocument['metadata']
  readonly owner?: string | undefined
}

const rawOf = (
  { id, title, source, mediaType, metadata: about, owner: user }: Given,
  bytes: Uint8Array,
): RawDocument => ({
  id,
  source: source ?? null,
  bytes,
  metadata: about,
  ...defined({ title, mediaType, owner: user }),
})

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
const defined = <T extends object>(of: T): Defined<T> =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Defined<T>

const view = (document: StoredDocument, collection: string) => ({
  id: document.id,
  collection,
  title: document.title,
  source: document.source,
  metadata: document.metadata,
  owner: document.owner,
  passages: document.passages,
  ingested_at: new Date(document.ingestedAt).toISOString(),
})

/** Throws `malformed` for a place that is not in the text. Lines and columns count from 1. */
function highlight(text: string, start: number, end = text.length) {
  if (start >= end || end > text.length) {
    throw new AppError('malformed', `The text has ${text.length} characters: ${start} to ${end} is no place in it.`, {
      field: 'start',
    })
  }
  const before = text.slice(0, start)
  return {
    start,
    end,
    text: text.slice(start, end),
    line: before.split('\n').length,
    column: start - before.lastIndexOf('\n'),
  }
}
