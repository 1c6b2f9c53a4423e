// Jaeger as a source of numbers, by the traces of its query service.
import type { Clock } from '../../core/clock.ts'
import type { MetricSource } from '../../core/telemetry.ts'
import { connectHttpApi, type Credentials } from '../http-api.ts'
import { createTraceSource } from '../traces/trace-source.ts'
import { readTraces } from './traces.ts'

export interface JaegerOptions extends Credentials {
  /** Of the query service, with its base path. */
  readonly url: string
  readonly clock: Clock
  readonly timeoutMs?: number
  readonly maxBytes?: number
}

export function createJaegerSource(options: JaegerOptions): MetricSource {
  const api = connectHttpApi({
    ...options,
    kind: 'Jaeger',
    timeoutMs: options.timeoutMs ?? 20_000,
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
  })
  return createTraceSource({
    name: 'jaeger',
    clock: options.clock,
    read: (fromMs, toMs, signal) => readTraces(api, fromMs, toMs, signal),
  })
}
