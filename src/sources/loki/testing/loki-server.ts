// A server that speaks Loki's query_range as its documentation has it, over lines in memory: stream selectors with the four
// matchers, ends of the window, limit and direction, and refusals. What it is not asked for it does not know.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Stream {
  readonly labels: Readonly<Record<string, string>>
  /** `[ns, line]`. */
  readonly values: readonly (readonly [bigint, string])[]
}

export interface LokiServer {
  readonly url: string
  readonly server: Server
  /** Each request's query and headers. */
  readonly asked: { readonly query: URLSearchParams; readonly headers: Readonly<Record<string, unknown>> }[]
}

export async function startLokiServer(streams: readonly Stream[], maxEntries = 5000): Promise<LokiServer> {
  const asked: LokiServer['asked'] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://loki')
    const query = url.searchParams
    asked.push({ query, headers: request.headers })
    if (request.method !== 'GET' || url.pathname !== '/loki/api/v1/query_range')
      return response.writeHead(404).end('404 page not found')
    const limit = Number(query.get('limit') ?? 100)
    const matches = parseSelector(query.get('query') ?? '')
    // Refusals are plain text.
    if (!matches) return response.writeHead(400).end('parse error at line 1, col 1: syntax error')
    if (limit > maxEntries) {
      const said = `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ${maxEntries})`
      return response.writeHead(400).end(said)
    }
    const [start, end] = [BigInt(query.get('start') ?? 0), BigInt(query.get('end') ?? 0)]
    const entries = streams
      .filter(({ labels }) => matches(labels))
      .flatMap(({ labels, values }) => values.map(([ns, line]) => ({ labels, ns, line })))
      .filter(({ ns }) => ns >= start && ns < end)
      .sort((a, b) => (a.ns === b.ns ? 0 : a.ns > b.ns === (query.get('direction') !== 'forward') ? -1 : 1))
      .slice(0, limit)
    const result = [...Map.groupBy(entries, ({ labels }) => labels)].map(([stream, its]) => ({
      stream,
      values: its.map(({ ns, line }) => [String(ns), line]),
    }))
    response.setHeader('content-type', 'application/json; charset=UTF-8')
    return response.end(JSON.stringify({ status: 'success', data: { resultType: 'streams', result, stats: {} } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, asked }
}

type Matches = (labels: Readonly<Record<string, string>>) => boolean

/** Undefined for what is no selector. */
function parseSelector(text: string): Matches | undefined {
  const inner = /^\{(.*)\}$/s.exec(text)?.[1]
  if (inner === undefined) return undefined
  const matchers: Matches[] = []
  const matcher = /\s*([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")\s*(?:,|$)/sy
  while (matcher.lastIndex < inner.length) {
    const match = matcher.exec(inner)
    if (!match) return undefined
    const [, name = '', operator = '', quoted = '""'] = match
    const value = JSON.parse(quoted) as string
    // Matchers are anchored.
    const regex = operator.includes('~') ? new RegExp(`^(?:${value})$`, 's') : undefined
    const is = (given: string) => (regex ? regex.test(given) : given === value)
    matchers.push((labels) => is(labels[name] ?? '') !== operator.startsWith('!'))
  }
  return matchers.length === 0 ? undefined : (labels) => matchers.every((matches) => matches(labels))
}
