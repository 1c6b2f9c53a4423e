// A server that answers searches as Elasticsearch and OpenSearch do, over documents in memory: the filters that are used here
// (range, terms, term, ids, bool), sort by time, size. Strings are keywords beneath, text above, as they are mapped by default.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export interface Document {
  readonly index: string
  readonly id: string
  readonly source: Readonly<Record<string, unknown>>
}

export interface ElasticsearchServer {
  readonly url: string
  readonly server: Server
  readonly asked: {
    readonly path: string
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: unknown
  }[]
}

interface Search {
  readonly size: number
  readonly sort: readonly Readonly<Record<string, unknown>>[]
  readonly query: Filter
}
type Filter = Readonly<Record<string, Readonly<Record<string, never>>>>

const MAX_RESULT_WINDOW = 10_000

export async function startElasticsearchServer(documents: readonly Document[]): Promise<ElasticsearchServer> {
  const asked: ElasticsearchServer['asked'] = []
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '', 'http://es')
      const body = (await json(request)) as Search
      asked.push({ path: url.pathname, headers: request.headers, body })
      const answer = (status: number, value: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      const [, indices = '', verb] = url.pathname.split('/').map(decodeURIComponent)
      if (verb !== '_search')
        return answer(405, { error: `Incorrect HTTP method for uri [${url.pathname}]`, status: 405 })
      if (body.size > MAX_RESULT_WINDOW) {
        const error = { type: 'illegal_argument_exception', reason: 'Result window is too large' }
        return answer(400, { error: { root_cause: [error], ...error }, status: 400 })
      }
      const [sort = {}] = body.sort
      const timeField = Object.keys(sort)[0] ?? ''
      const wanted = indices
        .split(',')
        .map((one) => new RegExp(`^${one.replaceAll('.', '\\.').replaceAll('*', '.*')}$`))
      const hits = documents
        .filter((one) => wanted.some((index) => index.test(one.index)) && holds(one, body.query))
        .map((one) => ({ ...one, at: timeOf(one, timeField) }))
        .sort((a, b) => b.at - a.at)
        .slice(0, body.size)
        .map(({ index, id, source, at }) => ({ _index: index, _id: id, _score: null, _source: source, sort: [at] }))
      const shards = { total: 1, successful: 1, skipped: 0, failed: 0 }
      return answer(200, { took: 1, timed_out: false, _shards: shards, hits: { max_score: null, hits } })
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, asked }
}

const timeOf = ({ source }: Document, field: string): number => Date.parse(String(source[field]))

function holds(document: Document, filter: Filter): boolean {
  const [[kind, of]] = Object.entries(filter) as [[string, Readonly<Record<string, never>>]]
  const [[field, value]] = Object.entries(of) as [[string, never]]
  switch (kind) {
    case 'bool': {
      const { filter: all = [], should = [], must_not: none = [] } = of as Readonly<Record<string, readonly Filter[]>>
      return (
        all.every((one) => holds(document, one)) &&
        (should.length === 0 || should.some((one) => holds(document, one))) &&
        !none.some((one) => holds(document, one))
      )
    }
    case 'range': {
      const { gte, lte } = value as { gte: number; lte: number }
      return timeOf(document, field) >= gte && timeOf(document, field) <= lte
    }
    case 'ids':
      return (of as unknown as { values: string[] }).values.includes(document.id)
    case 'term':
      return field === '_index' && document.index === value
    case 'terms':
      return (value as readonly string[]).some((term) => termsOf(document, field).includes(term))
    default:
      throw new Error(`The server knows no ${kind}.`)
  }
}

/** `x.keyword` is the whole value, `x` its words in lower case. */
function termsOf({ source }: Document, field: string): string[] {
  const whole = source[field.replace(/\.keyword$/, '')]
  if (typeof whole !== 'string') return []
  return field.endsWith('.keyword') ? [whole] : whole.toLowerCase().split(/[^\p{L}\p{N}_]+/u)
}
