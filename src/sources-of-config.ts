// Makes the sources that the config names: where the agent looks.
import type { Config } from './config/schema.ts'
import { systemClock } from './core/clock.ts'
import type { ChangeSource, LogSource, MetricSource } from './core/telemetry.ts'
import type { AskedSource } from './incidents/context/context.ts'
import type { Log } from './observe/log.ts'
import { createElasticsearchSource } from './sources/elasticsearch/elasticsearch.ts'
import { createFileLogSource } from './sources/files/files.ts'
import { createGitSource } from './sources/git/git.ts'
import { createGithubSource } from './sources/github/github.ts'
import { createJaegerSource } from './sources/jaeger/jaeger.ts'
import { createLokiSource } from './sources/loki/loki.ts'
import { createMcpSource } from './sources/mcp/mcp.ts'
import { createPrometheusSource } from './sources/prometheus/prometheus.ts'
import { createScraper, type Scraper } from './sources/scraper/scraper.ts'

/** What scrapes by itself, where the config asks for it; whoever starts it stops it. */
export function createEmbeddedScraper(config: Config, log: Log): Scraper | undefined {
  const { scrape } = config.agent.sources
  return scrape && createScraper({ ...scrape, dataDir: config.data, clock: systemClock, log })
}

/** Whatever the config names; `scraper` where one runs in this process. */
export function metricSources(config: Config, scraper: Scraper | undefined): readonly MetricSource[] {
  const { prometheus, jaeger } = config.agent.sources
  return [
    ...(prometheus ? [createPrometheusSource({ ...prometheus, clock: systemClock })] : []),
    ...(scraper ? [scraper] : []),
    ...(jaeger ? [createJaegerSource({ ...jaeger, clock: systemClock })] : []),
  ]
}

/** What may be asked of other systems, and what is asked for each incident. `version` is Midwatch's, which a server is told. */
export const mcpSources = ({ agent }: Config, version: string, log: Log): readonly AskedSource[] =>
  Object.entries(agent.sources.mcp).map(([name, { ask, ...server }]) => ({
    source: createMcpSource({ name, ...server, version, clock: systemClock, log }),
    asks: ask,
  }))

export function logSources(config: Config): readonly LogSource[] {
  const { files, loki, elasticsearch } = config.agent.sources
  return [
    ...(files ? [createFileLogSource(files)] : []),
    ...(loki ? [createLokiSource(loki)] : []),
    ...(elasticsearch ? [createElasticsearchSource(elasticsearch)] : []),
  ]
}

export function changeSources(config: Config): readonly ChangeSource[] {
  const { git, github } = config.agent.sources
  return [...(git ? [createGitSource(git)] : []), ...(github ? [createGithubSource(github)] : [])]
}
