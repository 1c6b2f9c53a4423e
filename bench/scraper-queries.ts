// How long the embedded scraper takes to answer, over 30 minutes of samples a second apart of 600 series: CPU time of one
// question, cold and then the median of nine, and how much memory the samples hold. Time of the clock is told beside it.
// Run: npx node bench/scraper-queries.ts
import type { MetricQuery } from '../src/core/telemetry.ts'
import { evaluate } from '../src/sources/sampling/evaluate.ts'
import type { Sample } from '../src/sources/sampling/sample.ts'
import { SampleStore } from '../src/sources/sampling/store.ts'

const SERVICES = 10
const SECONDS = 1900
const BOUNDS = ['0.01', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '30', '+Inf']

const store = new SampleStore({ maxSeries: 1000 })
const before = process.memoryUsage().arrayBuffers
for (let second = 0; second < SECONDS; second++) {
  for (let i = 0; i < SERVICES; i++) {
    const instance = `10.0.0.${i}:9100`
    store.append(instance, { service: `service-${i}`, instance }, second * 1000, samplesAt(second))
  }
}
const heldMb = (process.memoryUsage().arrayBuffers - before) / 1e6
console.log(`${store.seriesCount} series, ${SECONDS * store.seriesCount} samples, ${heldMb.toFixed(1)} MB of values`)

const questions: readonly MetricQuery[] = [
  { metric: 'requests_total', as: 'rate' },
  { metric: 'connections', as: 'value', by: ['state'] },
  { metric: 'duration_seconds', as: 'mean', by: ['route'] },
  { metric: 'duration_seconds', as: 'quantile', q: 0.95, by: ['route'] },
  { metric: 'duration_seconds_bucket', as: 'rate', by: ['route', 'le'] },
]
const rows = [1000, 15_000].flatMap((stepMs) =>
  questions.map((query) => {
    const runs = Array.from({ length: 10 }, () => measure(query, stepMs))
    const [cold, ...warm] = runs
    const median = warm.sort((a, b) => a.cpuMs - b.cpuMs)[4]
    return {
      step: `${stepMs / 1000} s`,
      question: `${query.as} of ${query.metric}`,
      series: cold?.series,
      'cold, CPU ms': cold?.cpuMs,
      'warm, CPU ms': median?.cpuMs,
      'warm, ms': median?.wallMs,
    }
  }),
)
console.table(rows)

function samplesAt(second: number): Sample[] {
  const samples: Sample[] = []
  for (const route of ['/', '/a', '/b', '/c']) {
    BOUNDS.forEach((le, i) => samples.push(sample('duration_seconds_bucket', second * i, { le, route })))
    samples.push(
      sample('duration_seconds_count', second * 10, { route }),
      sample('duration_seconds_sum', second, { route }),
    )
  }
  for (const status of ['200', '404', '500', '503']) samples.push(sample('requests_total', second * 3, { status }))
  for (const state of ['idle', 'in_use', 'waiting', 'max']) samples.push(sample('connections', second % 17, { state }))
  return samples
}

function sample(name: string, value: number, labels: Readonly<Record<string, string>>): Sample {
  return { name, value, labels: Object.entries(labels) }
}

function measure(query: MetricQuery, stepMs: number) {
  const range = { fromMs: 60_000, toMs: 1_860_000, stepMs }
  const cpu = process.cpuUsage()
  const began = performance.now()
  const series = evaluate(store, query, range, { lookbackMs: 2500, windowMs: Math.max(4000, stepMs) }, '').length
  const wallMs = Math.round(performance.now() - began)
  const { user, system } = process.cpuUsage(cpu)
  return { series, wallMs, cpuMs: Math.round((user + system) / 1000) }
}
