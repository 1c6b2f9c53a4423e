// A LogSource over Datadog's log search. Pages follow its cursor, the newest first.
import { z } from 'zod'
import { isAtLeast } from '../../core/log-level.ts'
import { msOfIso } from '../../core/read-time.ts'
import type { LogLevel, LogLine, LogQuery, LogSource } from '../../core/telemetry.ts'
import { guessLevel, readLevel } from '../log-level.ts'
import type { Datadog } from './api.ts'

const PAGE_SIZE = 1000
/** A read of ten thousand lines and a little. */
const MAX_PAGES = 12
const MAX_MESSAGE_CHARS = 8000
const PATH = '/api/v2/logs/events/search'

const event = z.object({
  id: z.string(),
  attributes: z.object({
    timestamp: z.string(),
    service: z.string().nullish(),
    host: z.string().nullish(),
    status: z.string().nullish(),
    message: z.string().nullish(),
    attributes: z.record(z.string(), z.unknown()).nullish(),
  }),
})
const answer = z.object({
  data: z.array(event).nullish(),
  meta: z
    .object({
      page: z.object({ after: z.string().nullish() }).nullish(),
      status: z.string().nullish(),
      warnings: z.array(z.object({ title: z.string().nullish(), detail: z.string().nullish() })).nullish(),
    })
    .nullish(),
})

export function createDatadogLogs(datadog: Datadog, filter: string): LogSource {
  const search = (
    query: string,
    fromMs: number,
    toMs: number,
    limit: number,
    cursor: string | undefined,
    signal: AbortSignal,
  ) =>
    datadog.ask(
      {
        path: PATH,
        body: {
          filter: { query, from: String(fromMs), to: String(toMs) },
          sort: '-timestamp',
          page: { limit, ...(cursor === undefined ? {} : { cursor }) },
        },
      },
      (json) => answer.parse(json),
      signal,
    )

  return {
    name: 'datadog',
    async read({ fromMs, toMs, services, minLevel, limit }, signal) {
      signal.throwIfAborted()
      const found = new Map<string, LogLine>()
      const problems = new Set<string>()
      let cursor: string | undefined
      let more = true
      for (let page = 0; more && found.size <= limit && page < MAX_PAGES; page++) {
        // Its `to` is left out; what is beside the window is left out here.
        const read = await search(
          queryFor(filter, services),
          Math.ceil(fromMs),
          Math.floor(toMs) + 1,
          PAGE_SIZE,
          cursor,
          signal,
        )
        for (const line of (read.data ?? []).flatMap(toLine))
          if (isWanted(line, { fromMs, toMs, services, minLevel })) found.set(line.ref, line)
        for (const { title, detail } of read.meta?.warnings ?? [])
          problems.add((title ?? detail ?? 'a warning').slice(0, 200))
        if (read.meta?.status === 'timeout') problems.add('the search ended before all was searched')
        const after = read.meta?.page?.after ?? undefined
        // The last page may have a cursor too, which leads to an empty one.
        more = after !== undefined && after !== cursor && (read.data ?? []).length > 0
        cursor = after
      }
      const lines = [...found.values()].sort((a, b) => a.at - b.at || (a.ref < b.ref ? -1 : 1))
      const kept = limit > 0 ? lines.slice(-limit) : []
      return {
        lines: kept,
        truncated: more || kept.length < lines.length,
        ...(problems.size === 0 ? {} : { problems: [...problems] }),
      }
    },
    async findLine(ref, signal) {
      signal.throwIfAborted()
      const [, at, id] = /^datadog\|(\d{1,15})\|([\w=+/-]{1,200})$/.exec(ref) ?? []
      if (at === undefined || id === undefined) return undefined
      // There is no search by its id: the moment is asked for.
      let cursor: string | undefined
      for (let page = 0; page < MAX_PAGES; page++) {
        const read = await search(queryFor(filter, undefined), Number(at), Number(at) + 1, PAGE_SIZE, cursor, signal)
        const line = (read.data ?? []).flatMap(toLine).find((one) => one.ref === ref)
        const after = read.meta?.page?.after ?? undefined
        if (line || after === undefined || after === cursor || (read.data ?? []).length === 0) return line
        cursor = after
      }
      return undefined
    },
  }
}

/** Names stand in quotes, in which only quotes and backslashes mean something. */
export function queryFor(filter: string, services: readonly string[] | undefined): string {
  const named =
    services === undefined
      ? ''
      : services.length === 0
        ? '-*:*'
        : `service:(${services.map((one) => `"${one.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(' OR ')})`
  return [filter === '' ? '' : `(${filter})`, named].filter((part) => part !== '').join(' ') || '*'
}

function toLine({ id, attributes }: z.output<typeof event>): LogLine[] {
  const at = msOfIso(attributes.timestamp)
  const message = (attributes.message ?? '').trimEnd()
  if (at === undefined || message === '') return []
  const more = attributes.attributes ?? {}
  const requestId = [more['trace_id'], more['dd.trace_id'], more['request_id']].find((one) => typeof one === 'string')
  return [
    {
      at: Math.floor(at),
      service: attributes.service ?? attributes.host ?? '',
      level: levelOf(attributes.status, message),
      message: message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)}…` : message,
      ...(requestId === undefined ? {} : { requestId }),
      ref: `datadog|${Math.floor(at)}|${id}`,
    },
  ]
}

const levelOf = (status: string | null | undefined, message: string): LogLevel =>
  (status === 'ok' ? 'info' : readLevel(status)) ?? guessLevel(message)

const isWanted = (line: LogLine, { fromMs, toMs, services, minLevel }: Omit<LogQuery, 'limit'>): boolean =>
  line.at >= fromMs &&
  line.at <= toMs &&
  (services === undefined || services.includes(line.service)) &&
  (minLevel === undefined || isAtLeast(line.level, minLevel))
