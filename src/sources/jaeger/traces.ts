// Jaeger's query API (the HTTP JSON that its own page uses): services, and the traces of a service in a stretch of time.
import { z } from 'zod'
import { mapParallel } from '../../core/parallel.ts'
import { type HttpApi, readAnswer } from '../http-api.ts'
import type { Span } from '../traces/spans.ts'
import type { Traces } from '../traces/trace-source.ts'

/** The most traces that are asked for at once. */
const LIMIT = 1500
const SLICE_MS = 5 * 60_000
const MAX_REQUESTS = 400
const AT_ONCE = 6

const services = z.object({ data: z.array(z.string()).nullable() })
const tag = z.object({ key: z.string(), value: z.unknown() })
const traces = z.object({
  data: z
    .array(
      z.object({
        traceID: z.string(),
        spans: z.array(
          z.object({
            spanID: z.string(),
            references: z.array(z.object({ refType: z.string(), spanID: z.string() })).nullish(),
            startTime: z.number(),
            duration: z.number(),
            tags: z.array(tag).nullish(),
            processID: z.string(),
          }),
        ),
        processes: z.record(z.string(), z.object({ serviceName: z.string() })),
      }),
    )
    .nullable(),
})
type Trace = NonNullable<z.output<typeof traces>['data']>[number]

const refusal = z.object({ errors: z.array(z.object({ msg: z.string() })).min(1) })
const refusalOf = (json: unknown): string | undefined => refusal.safeParse(json).data?.errors[0]?.msg

/** The spans that begin within the range, of every service that Jaeger knows. */
export async function readTraces(api: HttpApi, fromMs: number, toMs: number, signal: AbortSignal): Promise<Traces> {
  const answer = await api.ask({ path: '/api/services' }, signal)
  const names = readAnswer(api, answer, (json) => services.parse(json).data ?? [], refusalOf)
  const sliceMs = Math.max(SLICE_MS, Math.ceil(((toMs - fromMs) * names.length) / MAX_REQUESTS))
  const slices: { fromMs: number; toMs: number }[] = []
  for (let at = fromMs; at < toMs; at += sliceMs) slices.push({ fromMs: at, toMs: Math.min(at + sliceMs, toMs) })
  const questions = slices.flatMap((slice) => names.map((service) => ({ service, slice })))
  const spans = new Map<string, Span>()
  const partial = new Set<(typeof slices)[number]>()
  await mapParallel(questions, AT_ONCE, async ({ service, slice }) => {
    const parameters = [
      ['service', service],
      ['start', String(slice.fromMs * 1000)],
      ['end', String(slice.toMs * 1000)],
      ['limit', String(LIMIT)],
    ] as const
    const reply = await api.ask({ path: '/api/traces', parameters }, signal)
    const found = readAnswer(api, reply, (json) => traces.parse(json).data ?? [], refusalOf)
    if (found.length >= LIMIT) partial.add(slice)
    for (const trace of found)
      for (const span of spansOf(trace)) if (span.startMs >= fromMs && span.startMs < toMs) spans.set(span.id, span)
  })
  return { spans: [...spans.values()], partial: [...partial] }
}

function spansOf({ traceID, spans, processes }: Trace): Span[] {
  return spans.map(({ spanID, references, startTime, duration, tags, processID }) => {
    const parent = references?.find(({ refType }) => refType === 'CHILD_OF')
    const value = (key: string): unknown => tags?.find((one) => one.key === key)?.value
    const error = value('error')
    const kind = value('span.kind')
    return {
      id: `${traceID}:${spanID}`,
      parent: parent && `${traceID}:${parent.spanID}`,
      service: processes[processID]?.serviceName ?? '',
      startMs: startTime / 1000,
      durationMs: duration / 1000,
      failed: error === true || error === 'true' || value('otel.status_code') === 'ERROR',
      client: kind === 'client' || kind === 'producer',
    }
  })
}
