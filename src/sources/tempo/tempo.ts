// Grafana Tempo as a source of numbers: traces are searched by TraceQL, slice by slice, and read whole by their ids, as a search tells
// only their roots. It gives a sample of what it has, so a slice that has more than was asked for tells times and no counts.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { mapParallel } from '../../core/parallel.ts'
import type { MetricSource } from '../../core/telemetry.ts'
import { connectHttpApi, type Credentials, type HttpApi, readAnswer } from '../http-api.ts'
import type { Span } from '../traces/spans.ts'
import { createTraceSource, type Traces } from '../traces/trace-source.ts'
import { spansOf, traceAnswer } from './otlp.ts'

export interface TempoOptions extends Credentials {
  readonly url: string
  /** The X-Scope-OrgID, where it serves several tenants. */
  readonly tenant?: string | undefined
  readonly clock: Clock
  readonly timeoutMs?: number
  readonly maxBytes?: number
  /** Traces of one look, over all of its slices. */
  readonly maxTraces?: number
}

const SLICE_MS = 5 * 60_000
const MAX_SLICES = 60
const AT_ONCE = 8
const TRACE_ID = /^[0-9a-f]{1,32}$/i

const found = z.object({ traces: z.array(z.object({ traceID: z.string().regex(TRACE_ID) })).nullish() })

export function createTempoSource(options: TempoOptions): MetricSource {
  const api = connectHttpApi({
    ...options,
    kind: 'Tempo',
    headers: options.tenant === undefined ? {} : { 'x-scope-orgid': options.tenant },
    timeoutMs: options.timeoutMs ?? 20_000,
    maxBytes: options.maxBytes ?? 32 * 1024 * 1024,
  })
  const { maxTraces = 1500, clock } = options
  return createTraceSource({
    name: 'tempo',
    clock,
    read: (fromMs, toMs, signal) => readTraces(api, maxTraces, fromMs, toMs, signal),
  })
}

async function readTraces(
  api: HttpApi,
  maxTraces: number,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<Traces> {
  const sliceMs = Math.max(SLICE_MS, Math.ceil((toMs - fromMs) / MAX_SLICES))
  const slices: { fromMs: number; toMs: number }[] = []
  for (let at = fromMs; at < toMs; at += sliceMs) slices.push({ fromMs: at, toMs: Math.min(at + sliceMs, toMs) })
  const limit = Math.max(1, Math.floor(maxTraces / Math.max(1, slices.length)))
  const partial = new Set<(typeof slices)[number]>()
  /** Trace → the slices in which it was found. */
  const wanted = new Map<string, Set<(typeof slices)[number]>>()
  await mapParallel(slices, AT_ONCE, async (slice) => {
    const parameters = [
      ['q', '{}'],
      ['start', String(Math.floor(slice.fromMs / 1000))],
      ['end', String(Math.ceil(slice.toMs / 1000))],
      ['limit', String(limit)],
      ['spss', '1'],
    ] as const
    const answer = await api.ask({ path: '/api/search', parameters }, signal)
    const ids = readAnswer(api, answer, (json) => found.parse(json).traces ?? [])
    if (ids.length >= limit) partial.add(slice)
    for (const { traceID } of ids) wanted.set(traceID, (wanted.get(traceID) ?? new Set()).add(slice))
  })
  const spans = new Map<string, Span>()
  await mapParallel([...wanted], AT_ONCE, async ([id, its]) => {
    const answer = await api.ask({ path: `/api/traces/${id}` }, signal)
    // Found a moment ago and not there: its block is being moved. What is counted without it is too little.
    if (answer.status === 404) return its.forEach((slice) => partial.add(slice))
    for (const span of spansOf(
      id,
      readAnswer(api, answer, (json) => traceAnswer.parse(json)),
    ))
      if (span.startMs >= fromMs && span.startMs < toMs) spans.set(span.id, span)
  })
  return { spans: [...spans.values()], partial: [...partial] }
}
