// Makes the sources that the config names: where the agent looks.
import { join } from 'node:path'
import type { Config } from './config/schema.ts'
import { systemClock } from './core/clock.ts'
import type { ChangeSource, LogSource, MetricSource } from './core/telemetry.ts'
import type { AskedSource } from './incidents/context/context.ts'
import type { Log } from './observe/log.ts'
import { createDatadogSources } from './sources/datadog/datadog.ts'
import { createElasticsearchSource } from './sources/elasticsearch/elasticsearch.ts'
import { createFileLogSource } from './sources/files/files.ts'
import { createGitSource } from './sources/git/git.ts'
import { createGithubSource } from './sources/github/github.ts'
import { createJaegerSource } from './sources/jaeger/jaeger.ts'
import { createJournaldSource } from './sources/journald/journald.ts'
import { createKubernetesSources } from './sources/kubernetes/kubernetes.ts'
import { createLokiSource } from './sources/loki/loki.ts'
import { createMcpSource } from './sources/mcp/mcp.ts'
import { createPostgresSources } from './sources/postgres/postgres.ts'
import { probePlaces } from './sources/probes/probes.ts'
import { createPrometheusSource } from './sources/prometheus/prometheus.ts'
import { createSampler, type Place, type Sampler } from './sources/sampling/sampler.ts'
import { createScraper } from './sources/scraper/scraper.ts'
import { createTempoSource } from './sources/tempo/tempo.ts'

export interface Sources {
  readonly metrics: readonly MetricSource[]
  readonly logs: readonly LogSource[]
  readonly changes: readonly ChangeSource[]
  /** What looks by itself, and knows only what it saw: whoever starts them stops them. */
  readonly samplers: readonly Sampler[]
}

/**
 * Whatever the config names. Nothing is asked yet. `sampling`: whether there is a process that will go on looking; without one,
 * what has no memory of its own is left out of the metrics.
 */
export function openSources(config: Config, log: Log, { sampling }: { sampling: boolean }): Sources {
  const {
    prometheus,
    scrape,
    files,
    loki,
    elasticsearch,
    jaeger,
    git,
    github,
    kubernetes,
    journald,
    postgres,
    probes,
    datadog,
    tempo,
  } = config.agent.sources
  const clock = systemClock
  const cluster = kubernetes && createKubernetesSources({ ...kubernetes, clock })
  const dog = datadog && createDatadogSources({ ...datadog, clock })
  const databases = postgres && createPostgresSources(postgres)
  const sampler = (
    name: string,
    places: readonly Place[],
    how: { intervalSeconds: number; retentionSeconds: number },
  ) =>
    createSampler({
      name,
      places: () => Promise.resolve(new Map(places.map((place) => [place.key, place]))),
      intervalMs: how.intervalSeconds * 1000,
      retentionMs: how.retentionSeconds * 1000,
      folder: join(config.data, 'sampled', name),
      clock,
      log,
      words: { failed: `${name} cannot be seen`, again: `${name} can be seen again` },
    })
  const samplers = sampling
    ? [
        ...(scrape ? [createScraper({ ...scrape, dataDir: config.data, clock, log })] : []),
        ...(kubernetes && cluster ? [sampler('kubernetes', [cluster.health], kubernetes)] : []),
        ...(postgres && databases
          ? [closing(sampler('postgres', databases.places, postgres), () => databases.close())]
          : []),
        ...(probes ? [sampler('probes', probePlaces(probes.targets), probes)] : []),
      ]
    : []
  return {
    metrics: [
      ...(prometheus ? [createPrometheusSource({ ...prometheus, clock })] : []),
      ...samplers,
      ...(jaeger ? [createJaegerSource({ ...jaeger, clock })] : []),
      ...(tempo ? [createTempoSource({ ...tempo, clock })] : []),
      ...(dog?.metrics ?? []),
    ],
    logs: [
      ...(files ? [createFileLogSource(files)] : []),
      ...(loki ? [createLokiSource(loki)] : []),
      ...(elasticsearch ? [createElasticsearchSource(elasticsearch)] : []),
      ...(journald ? [createJournaldSource(journald)] : []),
      ...(cluster ? [cluster.logs] : []),
      ...(dog?.logs ?? []),
      ...(databases && sampling ? [databases.logs] : []),
    ],
    changes: [
      ...(git ? [createGitSource(git)] : []),
      ...(github ? [createGithubSource(github)] : []),
      ...(cluster?.changes ?? []),
    ],
    samplers,
  }
}

const closing = (sampler: Sampler, close: () => Promise<void>): Sampler => ({
  ...sampler,
  stop: async () => {
    await sampler.stop()
    await close()
  },
})

/** What may be asked of other systems, and what is asked for each incident. `version` is Midwatch's, which a server is told. */
export const mcpSources = ({ agent }: Config, version: string, log: Log): readonly AskedSource[] =>
  Object.entries(agent.sources.mcp).map(([name, { ask, ...server }]) => ({
    source: createMcpSource({ name, ...server, version, clock: systemClock, log }),
    asks: ask,
  }))
