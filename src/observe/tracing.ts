// Spans for OpenTelemetry, sent as OTLP over HTTP. They are told when what they are about has ended, with their times, so
// nothing is started, held or looked up on the way; until somebody asks for them, not even the libraries are loaded. The
// queue is bounded: a collector that is away costs spans, never memory.
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Log } from './log.ts'
import { newSpanId, newTraceId, parseTraceparent, type TraceContext } from '../core/trace-context.ts'

export interface Span {
  /** `server`: somebody called us. `client`: we called somebody. */
  readonly kind: 'server' | 'client'
  readonly name: string
  readonly context: TraceContext
  /** The span id of what it is a part of. */
  readonly parentId: string | null
  /** ms since the epoch. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>
  readonly failed: boolean
}

/** A trace that goes through us. */
export interface Trace extends TraceContext {
  readonly parentId: string | null
}

export interface Tracing {
  /** Goes on with the caller's trace, or begins one. */
  begin(traceparent: string | undefined): Trace
  /** Asks for the spans a little later, when nobody waits. */
  tell(spans: () => readonly Span[]): void
  /** Resolves when what was told is sent, or given up. */
  stop(): Promise<void>
}

export interface TracingOptions {
  readonly otlpUrl: string
  readonly headers: Readonly<Record<string, string>>
  /** Share of the traces that begin here; of the others the caller has decided. */
  readonly sampleRatio: number
  readonly version: string
  readonly log: Log
}

const SEND_MS = 5_000

export async function openTracing({ otlpUrl, headers, sampleRatio, version, log }: TracingOptions): Promise<Tracing> {
  const [{ BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const about = {
    resource: resourceFromAttributes({ 'service.name': 'midwatch', 'service.version': version }),
    scope: { name: 'midwatch', version },
  }
  const exporter = new OTLPTraceExporter({ url: otlpUrl, headers: { ...headers }, timeoutMillis: SEND_MS })
  const sending = new BatchSpanProcessor(
    {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          if (result.error)
            log.warn({ err: result.error, count: spans.length }, 'spans could not be sent; they are lost')
          done(result)
        }),
      shutdown: () => exporter.shutdown(),
    },
    { scheduledDelayMillis: 1000, maxQueueSize: 8192, maxExportBatchSize: 512, exportTimeoutMillis: SEND_MS },
  )
  let told: (() => readonly Span[])[] = []
  const pass = (): void => {
    const now = told
    told = []
    for (const spans of now) for (const span of spans()) sending.onEnd(readable(span, about))
  }
  return {
    begin: (traceparent) => {
      const parent = parseTraceparent(traceparent)
      const spanId = newSpanId()
      if (parent) return { traceId: parent.traceId, spanId, parentId: parent.spanId, sampled: parent.sampled }
      return { traceId: newTraceId(), spanId, parentId: null, sampled: Math.random() < sampleRatio }
    },
    tell: (spans) => {
      if (told.push(spans) === 1) setImmediate(pass)
    },
    stop: async () => {
      pass()
      await sending.shutdown().catch((error: unknown) => log.warn({ err: error }, 'the last spans could not be sent'))
    },
  }
}

const KINDS = { server: 1, client: 2 } as const
const STATUS = { unset: 0, error: 2 } as const

function readable(
  span: Span,
  { resource, scope }: { resource: ReadableSpan['resource']; scope: { name: string; version: string } },
): ReadableSpan {
  const { context, parentId } = span
  const { traceId } = context
  const traceFlags = context.sampled ? 1 : 0
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => ({ traceId, spanId: context.spanId, traceFlags }),
    ...(parentId === null ? {} : { parentSpanContext: { traceId, spanId: parentId, traceFlags } }),
    startTime: toHrTime(span.startMs),
    endTime: toHrTime(span.endMs),
    duration: toHrTime(span.endMs - span.startMs),
    status: { code: span.failed ? STATUS.error : STATUS.unset },
    attributes: Object.fromEntries(Object.entries(span.attributes).filter(([, value]) => value !== undefined)),
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** Seconds and nanoseconds. */
function toHrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}
