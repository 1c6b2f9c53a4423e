// What `midwatch doctor` asks of sources that do not just answer at an address: a question as an investigation, or the sampler,
// would put it.
import type { Config } from '../config/schema.ts'
import type { LogSource, MetricSource } from '../core/telemetry.ts'
import { silentLog } from '../observe/log.ts'
import { createPostgresSources } from '../sources/postgres/postgres.ts'
import { probePlaces } from '../sources/probes/probes.ts'
import type { Place } from '../sources/sampling/sampler.ts'
import { openSources } from '../sources-of-config.ts'

export interface Look {
  readonly what: string
  /** What is well, in words; throws what is not. */
  readonly look: () => Promise<string>
}

const DEADLINE_MS = 5000
const LOGS = new Set(['kubernetes', 'journald', 'datadog'])

export function sourceLooks(config: Config): Look[] {
  const { postgres, probes } = config.agent.sources
  const { logs, metrics } = openSources(config, silentLog(), { sampling: false })
  return [
    ...logs
      .filter(({ name }) => LOGS.has(name))
      .map((source) => ({ what: source.name, look: () => examineLogs(source) })),
    ...metrics
      .filter(({ name }) => name === 'tempo')
      .map((source) => ({ what: source.name, look: () => examineMetrics(source) })),
    ...(postgres?.databases ?? []).map((database) => ({
      what: `postgres ${database.service}`,
      look: async () => {
        const asked = createPostgresSources({ databases: [database] })
        try {
          return (await Promise.all(asked.places.map(examinePlace))).join()
        } finally {
          await asked.close()
        }
      },
    })),
    ...probePlaces(probes?.targets ?? []).map((place) => ({
      what: `probe ${place.labels['instance'] ?? ''}`,
      look: () => examinePlace(place),
    })),
  ]
}

/** The last minute's lines. */
async function examineLogs(source: LogSource): Promise<string> {
  const toMs = Date.now()
  const query = { fromMs: toMs - 60_000, toMs, limit: 10 }
  const { lines, problems = [] } = await source.read(query, AbortSignal.timeout(DEADLINE_MS))
  if (problems.length > 0) throw new Error(problems.join('; '))
  return `answers, with ${lines.length} lines of the last minute`
}

/** The last minute that is over, of whatever it has first. */
async function examineMetrics(source: MetricSource): Promise<string> {
  const toMs = Math.floor(Date.now() / 60_000) * 60_000
  const range = { fromMs: toMs - 60_000, toMs, stepMs: 60_000 }
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const [first] = await source.catalogue(range, signal)
  if (!first) return 'answers, with no metric'
  const as = first.type === 'counter' ? 'rate' : 'value'
  const series = await source.query({ metric: first.name, as }, range, signal)
  return `answers, with ${series.length} series of ${first.name} in the last minute`
}

async function examinePlace(place: Place): Promise<string> {
  const { problem, samples } = await place.look(Date.now(), AbortSignal.timeout(DEADLINE_MS))
  if (problem !== '') throw new Error(problem)
  return `answers, with ${samples.length} numbers`
}
