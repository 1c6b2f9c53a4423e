// A trace as Tempo gives it by its id: OTLP in JSON, whose spans stand under the resource that made them. Ids are base64 there, and
// hexadecimal in what newer versions answer; they are only compared with one another.
import { z } from 'zod'
import type { Span } from '../traces/spans.ts'

const value = z.object({ stringValue: z.string().nullish(), boolValue: z.boolean().nullish() })
const attribute = z.object({ key: z.string(), value: value.nullish() })
const nanoseconds = z.union([z.string().regex(/^\d{1,20}$/), z.number().nonnegative()])
const span = z.object({
  spanId: z.string(),
  parentSpanId: z.string().nullish(),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  kind: z.union([z.string(), z.number()]).nullish(),
  status: z.object({ code: z.union([z.string(), z.number()]).nullish() }).nullish(),
})
const scopeSpans = z.object({ spans: z.array(span).nullish() })
const resourceSpans = z.object({
  resource: z.object({ attributes: z.array(attribute).nullish() }).nullish(),
  scopeSpans: z.array(scopeSpans).nullish(),
  /** As versions before OpenTelemetry 0.15 say it. */
  instrumentationLibrarySpans: z.array(scopeSpans).nullish(),
})
const batches = z.object({
  batches: z.array(resourceSpans).nullish(),
  resourceSpans: z.array(resourceSpans).nullish(),
})
/** `/api/v2/traces` wraps it. */
export const traceAnswer = z.union([z.object({ trace: batches }).transform(({ trace }) => trace), batches])

export function spansOf(traceId: string, trace: z.output<typeof traceAnswer>): Span[] {
  return [...(trace.batches ?? []), ...(trace.resourceSpans ?? [])].flatMap((one) => {
    const name = one.resource?.attributes?.find(({ key }) => key === 'service.name')?.value?.stringValue
    return [...(one.scopeSpans ?? []), ...(one.instrumentationLibrarySpans ?? [])].flatMap(({ spans }) =>
      (spans ?? []).map((its): Span => {
        const startMs = msOf(its.startTimeUnixNano)
        const parent = its.parentSpanId ?? ''
        return {
          id: `${traceId}:${its.spanId}`,
          parent: parent === '' || /^0+$/.test(parent) ? undefined : `${traceId}:${parent}`,
          service: name ?? '',
          startMs,
          durationMs: Math.max(0, msOf(its.endTimeUnixNano) - startMs),
          failed: its.status?.code === 'STATUS_CODE_ERROR' || its.status?.code === 2,
          client: isClient(its.kind),
        }
      }),
    )
  })
}

/** Enough for what is compared: microseconds of a time since 1970 are all that a double holds. */
const msOf = (ns: string | number): number => Number(BigInt(ns) / 1000n) / 1000

const isClient = (kind: string | number | null | undefined): boolean =>
  kind === 'SPAN_KIND_CLIENT' || kind === 'SPAN_KIND_PRODUCER' || kind === 3 || kind === 4
