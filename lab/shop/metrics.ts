// The metrics of one shop process. Every value is a real one: of the process, of its pools, of its disk.
// `service` and `instance` are not among the labels: they come with the scrape target.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { addGauge } from './gauge.ts'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const LAG_RESOLUTION_MS = 50

export interface ShopMetrics {
  readonly registry: Registry
  readonly requests: Counter<'method' | 'route' | 'status'>
  readonly requestSeconds: Histogram<'route'>
  readonly inflight: Gauge
  readonly calls: Counter<'peer' | 'status'>
  readonly callSeconds: Histogram<'peer'>
  /** Only for services that talk to the database, or are it. */
  querySeconds(): Histogram<'query'>
}

export function createShopMetrics(): ShopMetrics {
  const registry = new Registry()
  const registers = [registry]
  addProcessMetrics(registry)
  let querySeconds: Histogram<'query'> | undefined
  return {
    registry,
    requests: new Counter({
      name: 'http_requests_total',
      help: 'Requests answered',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time to answer a request',
      labelNames: ['route'],
      buckets: SECONDS,
      registers,
    }),
    inflight: new Gauge({ name: 'inflight_requests', help: 'Requests accepted and not yet answered', registers }),
    calls: new Counter({
      name: 'http_client_requests_total',
      help: 'Calls to other services. No answer counts as 503 (no connection), 504 (too late) or 502 (cut off)',
      labelNames: ['peer', 'status'],
      registers,
    }),
    callSeconds: new Histogram({
      name: 'http_client_request_duration_seconds',
      help: 'Time other services take to answer',
      labelNames: ['peer'],
      buckets: SECONDS,
      registers,
    }),
    querySeconds: () =>
      (querySeconds ??= new Histogram({
        name: 'db_query_duration_seconds',
        help: 'Time from sending a query until its result',
        labelNames: ['query'],
        buckets: SECONDS,
        registers,
      })),
  }
}

function addProcessMetrics(registry: Registry): void {
  let countedCpuSeconds = 0
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time used by the process',
    registers: [],
    collect: () => {
      const { user, system } = process.cpuUsage()
      const totalSeconds = (user + system) / 1e6
      cpu.inc(totalSeconds - countedCpuSeconds)
      countedCpuSeconds = totalSeconds
    },
  })
  registry.registerMetric(cpu)
  addGauge(registry, { name: 'process_resident_memory_bytes', help: 'Resident memory of the process' }, (gauge) =>
    gauge.set(process.memoryUsage.rss()),
  )
  // Node's histogram holds the time between two ticks, its own resolution included.
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  const help = 'Event loop lag since the last scrape, 90th percentile'
  addGauge(registry, { name: 'nodejs_eventloop_lag_seconds', help }, (gauge) => {
    const lagMs = lag.count === 0 ? 0 : lag.percentile(90) / 1e6 - LAG_RESOLUTION_MS
    gauge.set(Math.max(0, lagMs) / 1000)
    lag.reset()
  })
}
