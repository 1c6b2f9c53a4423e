import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import type { LogSource } from '../core/telemetry.ts'
import { ManualClock } from '../core/clock.ts'
import { Secret } from '../core/secret.ts'
import { createDatadogSources } from './datadog/datadog.ts'
import { startDatadogServer } from './datadog/testing/datadog-server.ts'
import { createElasticsearchSource } from './elasticsearch/elasticsearch.ts'
import { startElasticsearchServer } from './elasticsearch/testing/elasticsearch-server.ts'
import { createFileLogSource } from './files/files.ts'
import type { LogFields } from './log-line.ts'
import { LOG_SHOP, logSourceContract } from './log-source-contract.ts'
import { createJournaldSource } from './journald/journald.ts'
import { journalRemote, writeJournal } from './journald/testing/write-journal.ts'
import { createLokiSource } from './loki/loki.ts'
import { startLokiServer } from './loki/testing/loki-server.ts'

const FIELDS: LogFields = {
  time: ['@timestamp'],
  service: ['service.name', 'service'],
  level: ['log.level', 'level'],
  message: ['message'],
  requestId: ['trace.id'],
}
const documents = LOG_SHOP.map(({ at, service, level, message, requestId }) => ({
  '@timestamp': new Date(at).toISOString(),
  'service.name': service,
  'log.level': level.toUpperCase(),
  message,
  ...(requestId === undefined ? {} : { 'trace.id': requestId }),
}))

let source: LogSource
const servers: Server[] = []
afterAll(async () => {
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
})

describe('files', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'midwatch-logs-'))
    writeFileSync(join(folder, 'all.log'), documents.map((one) => `${JSON.stringify(one)}\n`).join(''))
    source = createFileLogSource({ paths: [folder], fields: FIELDS })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  logSourceContract('files', () => source)
})

describe.skipIf(journalRemote === undefined)('journald', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'midwatch-journal-'))
    const priorities = { debug: 7, info: 6, warn: 4, error: 3, fatal: 2 }
    writeJournal(
      join(folder, 'shop.journal'),
      LOG_SHOP.map(({ at, service, level }, i) => ({
        at,
        fields: {
          _SYSTEMD_UNIT: `${service}.service`,
          PRIORITY: String(priorities[level]),
          MESSAGE: JSON.stringify(documents[i]),
        },
      })),
    )
    source = createJournaldSource({ files: [join(folder, 'shop.journal')], fields: FIELDS })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  logSourceContract('journald', () => source)
})

describe.each([
  ['with its usual pages', 5000],
  ['with small pages', 50],
])('Loki %s', (_kind, maxEntries) => {
  beforeAll(async () => {
    const streams = [...Map.groupBy(documents, (one) => `${one['service.name']} ${one['log.level']}`).values()].map(
      (its) => ({
        labels: { service_name: its[0]?.['service.name'] ?? '', level: its[0]?.['log.level'] ?? '', cluster: 'eu' },
        values: its.map(
          (one) => [BigInt(Date.parse(one['@timestamp'])) * 1_000_000n + 17n, JSON.stringify(one)] as const,
        ),
      }),
    )
    const loki = await startLokiServer(streams, maxEntries)
    servers.push(loki.server)
    source = createLokiSource({
      url: loki.url,
      selector: '{cluster="eu"}',
      serviceLabel: 'service_name',
      fields: FIELDS,
    })
  })
  logSourceContract('loki', () => source)
})

describe('Elasticsearch', () => {
  beforeAll(async () => {
    const es = await startElasticsearchServer(
      documents.map((one, i) => ({ index: `logs-${i % 3}`, id: `d${i}`, source: one })),
    )
    servers.push(es.server)
    source = createElasticsearchSource({ url: es.url, index: 'logs-*', fields: FIELDS })
  })
  logSourceContract('elasticsearch', () => source)
})

describe('Datadog', () => {
  let server: Awaited<ReturnType<typeof startDatadogServer>>
  beforeAll(async () => {
    server = await startDatadogServer(
      LOG_SHOP.map(({ at, service, level, message, requestId }, i) => ({
        id: `AQ${i}`,
        atMs: at,
        attributes: {
          service,
          status: level === 'fatal' ? 'critical' : level,
          message,
          attributes: requestId === undefined ? {} : { trace_id: requestId },
        },
      })),
    )
    const { logs } = createDatadogSources({
      site: 'datadoghq.com',
      url: server.url,
      apiKey: new Secret('api'),
      applicationKey: new Secret('app'),
      serviceTag: 'service',
      filter: 'env:prod',
      metrics: [],
      logs: true,
      clock: new ManualClock(),
    })
    source = logs[0] as LogSource
  })
  afterAll(() => server[Symbol.asyncDispose]())
  logSourceContract('datadog', () => source)
})

/** The same against a server that is already running: ELASTICSEARCH_URL=http://127.0.0.1:9200, Elasticsearch or OpenSearch. */
const real = process.env['ELASTICSEARCH_URL']
describe.runIf(real !== undefined)('a real Elasticsearch or OpenSearch', () => {
  const index = `midwatch-contract-${process.pid}`
  const send = async (path: string, method: string, body?: string) => {
    const headers = { 'content-type': 'application/x-ndjson' }
    const reply = await fetch(`${real}${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
    if (!reply.ok) throw new Error(`${method} ${path}: ${await reply.text()}`)
  }
  beforeAll(async () => {
    const lines = documents.map((one, i) => `{"index":{"_id":"d${i}"}}\n${JSON.stringify(one)}\n`)
    await send(`/${index}/_bulk?refresh=true`, 'POST', lines.join(''))
    source = createElasticsearchSource({ url: real ?? '', index, fields: FIELDS })
  }, 60_000)
  afterAll(() => send(`/${index}`, 'DELETE'))
  logSourceContract('elasticsearch', () => source)
})
