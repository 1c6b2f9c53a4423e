// A LogSource over Loki's HTTP API (query_range). It asks for streams by their service label and reads the newest lines first;
// how bad a line is, is told by the stream's labels where they say, else by the line, as in a file.
import { z } from 'zod'
import { sha256Hex } from '../../core/hash.ts'
import { AppError } from '../../core/errors.ts'
import type { LogLevel, LogLine, LogSource } from '../../core/telemetry.ts'
import { connectHttpApi, type Credentials, readAnswer } from '../http-api.ts'
import { isAtLeast } from '../../core/log-level.ts'
import { readLevel } from '../log-level.ts'
import { type LogFields, parseLine } from '../log-line.ts'
import { readNewestFirst } from '../newest-first.ts'
import { LABEL_NAME } from '../promql.ts'
import { printSelector, readBase } from './logql.ts'

export interface LokiOptions extends Credentials {
  readonly url: string
  /** Matchers that every stream has to meet: `{cluster="eu"}`. */
  readonly selector?: string | undefined
  /** The label that names the service. */
  readonly serviceLabel: string
  /** The X-Scope-OrgID, where Loki serves several tenants. */
  readonly tenant?: string | undefined
  /** Names of the fields in lines that are JSON. */
  readonly fields: LogFields
  readonly timeoutMs?: number
  readonly maxBytes?: number
}

/** Loki gives no more lines at once unless it is configured to. */
const PAGE_SIZE = 5000
/** What it says when it is configured to give fewer. */
const TOO_MANY = /max entries limit per query exceeded, limit > max_entries_limit\w* \(\d+ > (\d+)\)/
const MAX_PAGES = 200
const MS = 1_000_000n
/** Labels in which Loki, its agents and people write how bad a line is. */
const LEVEL_LABELS = ['level', 'severity', 'detected_level']

const streams = z.object({
  data: z.object({
    resultType: z.literal('streams'),
    result: z.array(
      z.object({
        stream: z.record(z.string(), z.string()),
        // A third element holds structured metadata, where the server was told to keep it apart.
        values: z.array(z.tuple([z.string().regex(/^\d{1,20}$/), z.string()]).rest(z.unknown())),
      }),
    ),
  }),
})
const refusal = z.object({ status: z.literal('error'), error: z.string().default('') })

interface Entry {
  readonly ns: bigint
  readonly text: string
  readonly labels: Readonly<Record<string, string>>
}

export function createLokiSource(options: LokiOptions): LogSource {
  const { serviceLabel, fields, tenant } = options
  if (!LABEL_NAME.test(serviceLabel))
    throw new AppError('malformed', `"${serviceLabel}" is not a label name.`, {
      field: 'agent.sources.loki.serviceLabel',
    })
  const base = readBase(options.selector ?? '')
  const api = connectHttpApi({
    ...options,
    kind: 'Loki',
    headers: tenant === undefined ? {} : { 'x-scope-orgid': tenant },
    timeoutMs: options.timeoutMs ?? 30_000,
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
  })

  let pageSize = PAGE_SIZE

  /** Entries with `from` ≤ time ≤ `to`, the newest first, as many as a page has. */
  const ask = async (
    services: readonly string[] | undefined,
    from: bigint,
    to: bigint,
    signal: AbortSignal,
  ): Promise<Entry[]> => {
    const parameters = [
      ['query', printSelector(base, serviceLabel, services)],
      ['start', String(from)],
      // Loki's end is not included.
      ['end', String(to + 1n)],
      ['limit', String(pageSize)],
      ['direction', 'backward'],
    ] as const
    const answer = await api.ask({ path: '/loki/api/v1/query_range', parameters }, signal)
    const most = Number(TOO_MANY.exec(refusalOf(answer.json) ?? answer.text.slice(0, 500))?.[1] ?? 0)
    if (answer.status === 400 && most > 0 && most < pageSize) {
      pageSize = most
      return ask(services, from, to, signal)
    }
    const { data } = readAnswer(api, answer, (json) => streams.parse(json), refusalOf)
    return data.result.flatMap(({ stream, values }) =>
      values.map(([ns, text]): Entry => ({ ns: BigInt(ns), text, labels: stream })),
    )
  }

  const toLine = ({ ns, text, labels }: Entry): LogLine => {
    const parsed = parseLine(text.trimEnd(), fields)
    const service = labels[serviceLabel] ?? parsed.service ?? ''
    const { message, requestId } = parsed
    return {
      at: Number(ns / MS),
      service,
      level: levelOf(labels) ?? parsed.level,
      message,
      ...(requestId === undefined ? {} : { requestId }),
      ref: printRef({ service, ns, hash: hashOf(text) }),
    }
  }

  return {
    name: 'loki',
    read({ fromMs, toMs, services, minLevel, limit }, signal) {
      const from = BigInt(Math.ceil(fromMs)) * MS
      return readNewestFirst({
        limit,
        maxPages: MAX_PAGES,
        newest: BigInt(Math.floor(toMs) + 1) * MS - 1n,
        page: async (until) => {
          if (until < from) return { lines: [], whole: false, oldest: until }
          const entries = await ask(services, from, until, signal)
          const lines = entries.map(toLine).filter(({ level }) => !minLevel || isAtLeast(level, minLevel))
          const oldest = entries.reduce((least, { ns }) => (ns < least ? ns : least), until)
          return { lines: lines.filter(({ message }) => message !== ''), whole: entries.length >= pageSize, oldest }
        },
      })
    },
    async findLine(ref, signal) {
      const wanted = parseRef(ref)
      if (!wanted) return undefined
      const entries = await ask([wanted.service], wanted.ns, wanted.ns, signal)
      const entry = entries.find(({ ns, text }) => ns === wanted.ns && hashOf(text) === wanted.hash)
      return entry && toLine(entry)
    },
  }
}

function levelOf(labels: Readonly<Record<string, string>>): LogLevel | undefined {
  for (const label of LEVEL_LABELS) {
    const level = readLevel(labels[label])
    if (level) return level
  }
  return undefined
}

interface LokiRef {
  readonly service: string
  readonly ns: bigint
  readonly hash: string
}

const REF = /^loki\|(.*)\|(\d{1,20})\|([0-9a-f]{12})$/s
const printRef = ({ service, ns, hash }: LokiRef): string => `loki|${service}|${ns}|${hash}`

function parseRef(ref: string): LokiRef | undefined {
  const [, service, ns, hash] = REF.exec(ref) ?? []
  return service === undefined || ns === undefined || hash === undefined ? undefined : { service, ns: BigInt(ns), hash }
}

const hashOf = (text: string): string => sha256Hex(text).slice(0, 12)

function refusalOf(json: unknown): string | undefined {
  return refusal.safeParse(json).data?.error
}
