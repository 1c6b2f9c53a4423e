// A LogSource over the search of Elasticsearch or OpenSearch: the newest documents of the configured indices, read page by page
// by their time. It only ever searches.
import { z } from 'zod'
import { isAtLeast } from '../../core/log-level.ts'
import type { Secret } from '../../core/secret.ts'
import type { LogLine, LogSource } from '../../core/telemetry.ts'
import { type Answer, connectHttpApi, type Credentials, readAnswer } from '../http-api.ts'
import { type LogFields, readFields } from '../log-line.ts'
import { readNewestFirst } from '../newest-first.ts'
import { documentBody, searchBody } from './query.ts'

export interface ElasticsearchOptions extends Credentials {
  readonly url: string
  /** Indices, aliases, data streams; with `*`, several by commas. */
  readonly index: string
  /** An API key of Elasticsearch, encoded as it is given out. */
  readonly apiKey?: Secret | undefined
  /** Names of the fields; the first that a document has wins. Of `time` the first is searched by. */
  readonly fields: LogFields
  readonly timeoutMs?: number
  readonly maxBytes?: number
}

/** So many documents of any size are an answer that can be held. */
const PAGE_SIZE = 2000
const MAX_PAGES = 30

const hit = z.object({
  _index: z.string(),
  _id: z.string(),
  _source: z.record(z.string(), z.unknown()).default({}),
  sort: z.tuple([z.number()]).rest(z.unknown()),
})
const found = z.object({
  timed_out: z.boolean(),
  _shards: z.object({ total: z.number(), failed: z.number() }),
  hits: z.object({ hits: z.array(hit) }),
})
type Found = z.output<typeof found>

export function createElasticsearchSource(options: ElasticsearchOptions): LogSource {
  const { fields, index, apiKey } = options
  const timeField = fields.time[0] ?? '@timestamp'
  const api = connectHttpApi({
    ...options,
    kind: 'Elasticsearch',
    headers: apiKey ? { authorization: `ApiKey ${apiKey.reveal()}` } : {},
    timeoutMs: options.timeoutMs ?? 30_000,
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
  })
  const path = `/${index.split(',').map(encodeURIComponent).join(',')}/_search`

  const search = async (body: object, signal: AbortSignal): Promise<Found> => {
    const parameters = [['ignore_unavailable', 'true']] as const
    return readAnswer(api, await api.ask({ path, parameters, body }, signal), (json) => found.parse(json), refusalOf)
  }

  const toLine = ({ _index, _id, _source, sort }: z.output<typeof hit>): LogLine => {
    const said = readFields(_source, fields, () => JSON.stringify(_source))
    return {
      ...said,
      at: Math.floor(sort[0]),
      service: said.service ?? _index,
      message: said.message.trimEnd(),
      ref: printRef(_index, _id),
    }
  }

  return {
    name: 'elasticsearch',
    async read({ fromMs, toMs, services, minLevel, limit }, signal) {
      const told = new Set<string>()
      const read = await readNewestFirst({
        limit,
        maxPages: MAX_PAGES,
        newest: BigInt(Math.floor(toMs)),
        page: async (until) => {
          if (until < fromMs) return { lines: [], whole: false, oldest: until }
          const window = { fromMs: Math.ceil(fromMs), toMs: Number(until), services, minLevel }
          const answer = await search(searchBody({ ...window, fields, timeField, size: PAGE_SIZE }), signal)
          for (const problem of problemsOf(answer, index)) told.add(problem)
          const lines = answer.hits.hits
            .map(toLine)
            .filter(
              ({ level, service }) =>
                (!minLevel || isAtLeast(level, minLevel)) && (services?.includes(service) ?? true),
            )
          const oldest = Math.min(Number(until), ...answer.hits.hits.map(({ sort }) => Math.floor(sort[0])))
          return { lines, whole: answer.hits.hits.length >= PAGE_SIZE, oldest: BigInt(oldest) }
        },
      })
      const problems = [...(read.problems ?? []), ...told]
      return problems.length === 0 ? read : { ...read, problems }
    },
    async findLine(ref, signal) {
      const wanted = parseRef(ref)
      if (!wanted) return undefined
      const { hits } = await search(documentBody(timeField, wanted.index, wanted.id), signal)
      return hits.hits.map(toLine).find((line) => line.ref === ref)
    },
  }
}

/** What makes an answer incomplete although it is one. */
function problemsOf({ timed_out, _shards: { total, failed } }: Found, index: string): string[] {
  return [
    ...(total === 0 ? [`there is no index ${index}`] : []),
    ...(timed_out ? ['the search ended before all was searched'] : []),
    ...(failed > 0 ? [`${failed} of ${total} shards could not be searched`] : []),
  ]
}

const printRef = (index: string, id: string): string => `elasticsearch|${index}|${id}`

function parseRef(ref: string): { readonly index: string; readonly id: string } | undefined {
  const [, index, id] = /^elasticsearch\|([^|]+)\|(.+)$/s.exec(ref) ?? []
  return index === undefined || id === undefined ? undefined : { index, id }
}

const reason = z.object({ type: z.string(), reason: z.string().nullish() })
const refusal = z.object({
  error: z.union([z.string(), reason.extend({ root_cause: z.array(reason).default([]) })]),
})

/** The root cause where one is told: "all shards failed" says nothing. */
function refusalOf(json: Answer['json']): string | undefined {
  const error = refusal.safeParse(json).data?.error
  if (typeof error !== 'object') return error
  const { type, reason: said } = error.root_cause[0] ?? error
  return `${type}: ${said ?? ''}`
}
