// A stand-in for Datadog's log search: `service:(…)` of a query, the window (whose end is left out), the newest first, its cursor,
// and its two keys.
import { startAnswering, type AnsweringServer } from '../../testing/answering-server.ts'

export interface HeldLog {
  readonly id: string
  readonly atMs: number
  readonly attributes: Readonly<Record<string, unknown>>
}

interface Body {
  readonly filter: { readonly query: string; readonly from: string; readonly to: string }
  readonly page: { readonly limit: number; readonly cursor?: string }
}

export function startDatadogServer(held: readonly HeldLog[], most = 1000): Promise<AnsweringServer> {
  const newest = held.toSorted((a, b) => b.atMs - a.atMs || (a.id < b.id ? 1 : -1))
  return startAnswering(({ url, method, headers, body }, response) => {
    const refuse = (status: number, message: string) => {
      response.statusCode = status
      return { errors: [message] }
    }
    if (headers['dd-api-key'] !== 'api' || headers['dd-application-key'] !== 'app') return refuse(403, 'Forbidden')
    if (method !== 'POST' || url.pathname !== '/api/v2/logs/events/search') return refuse(404, 'Not found')
    const { filter, page } = JSON.parse(body) as Body
    const services = servicesIn(filter.query)
    const from = Number(page.cursor ?? 0)
    const found = newest.filter(
      ({ atMs, attributes }) =>
        atMs >= Number(filter.from) &&
        atMs < Number(filter.to) &&
        (services === undefined || services.includes(String(attributes['service']))),
    )
    const size = Math.min(page.limit, most)
    return {
      data: found.slice(from, from + size).map(({ id, atMs, attributes }) => ({
        type: 'log',
        id,
        attributes: { ...attributes, timestamp: new Date(atMs).toISOString() },
      })),
      meta: { elapsed: 7, status: 'done', page: from + size < found.length ? { after: String(from + size) } : {} },
    }
  })
}

function servicesIn(query: string): string[] | undefined {
  if (query.includes('-*:*')) return []
  const names = /service:\((.*)\)$/.exec(query)?.[1]
  if (names === undefined) return undefined
  return [...names.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, name = '']) => name.replaceAll(/\\(.)/g, '$1'))
}
