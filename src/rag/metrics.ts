// What is counted of the knowledge base. Collections are named by tenants, so that only those of the config get a label.
import { Counter, Gauge, Histogram } from 'prom-client'
import type { RagConfig } from '../config/rag-schema.ts'
import type { Retriever } from '../llm/retriever.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { IngestReport } from './ingest/report.ts'
import type { KnowledgeStore } from './store/store.ts'

export interface KnowledgeMetrics {
  ingested(report: IngestReport): void
  /** A source, or the store, could not be read. */
  failed(): void
  timed(retriever: Retriever): Retriever
}

/** `store`: once it is open. */
export function createKnowledgeMetrics(
  registry: Metrics,
  store: () => KnowledgeStore | undefined,
  config: RagConfig,
): KnowledgeMetrics {
  const registers = [registry]
  const gauge = (of: 'documents' | 'passages', help: string): void => {
    const made = new Gauge({
      name: `midwatch_knowledge_${of}`,
      help,
      labelNames: ['collection'],
      registers,
      collect: async () => {
        // One part that cannot be asked must not take all other numbers along.
        const collections = await store()
          ?.allCollections()
          .catch(() => undefined)
        if (!collections) return
        made.reset()
        for (const { tenant, name, [of]: count } of collections)
          made.inc({ collection: config.collections[name]?.tenant === tenant ? name : 'other' }, count)
      },
    })
  }
  gauge('documents', 'Documents by collection of the config; all other collections together are `other`.')
  gauge('passages', 'Passages, by collection as the documents.')
  const ingested = new Counter({
    name: 'midwatch_knowledge_ingested_total',
    help: 'What ingests did with documents.',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['added', 'changed', 'unchanged', 'removed', 'failed'] as const) ingested.inc({ result }, 0)
  const failures = new Counter({
    name: 'midwatch_knowledge_ingest_failures_total',
    help: 'Ingests that ended before the end of their source.',
    registers,
  })
  const query = new Histogram({
    name: 'midwatch_knowledge_query_seconds',
    help: 'From a question to its passages.',
    labelNames: ['result'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  return {
    ingested: (report) => {
      for (const [result, count] of Object.entries(report.documents)) ingested.inc({ result }, count)
    },
    failed: () => failures.inc(),
    timed: (retriever) => ({
      retrieve: async (asked, signal) => {
        const startedMs = performance.now()
        let result = 'failed'
        try {
          const retrieved = await retriever.retrieve(asked, signal)
          result = retrieved.none ? 'none' : 'found'
          return retrieved
        } finally {
          query.observe({ result }, (performance.now() - startedMs) / 1000)
        }
      },
    }),
  }
}
