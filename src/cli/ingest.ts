// `midwatch ingest`: reads documents into a collection, in the knowledge base of the data folder itself, so that it needs no
// server; one that runs sees what is new at once. Ctrl-C leaves whole documents, and the same command goes on from there.
import { Command } from 'commander'
import { DEFAULT_TENANT } from '../core/caller.ts'
import { systemClock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { embeddingOpener } from '../embedding-model.ts'
import { createLog } from '../observe/log.ts'
import type { IngestReport } from '../rag/ingest/report.ts'
import { openKnowledge } from '../rag/knowledge.ts'
import type { Collection } from '../rag/store/store.ts'
import { parseName } from './names.ts'
import { ProgressLine } from './progress-line.ts'
import { readSettings } from './settings.ts'
import { shown } from './shown.ts'

interface Options {
  readonly collection: string
  readonly tenant: string
  readonly team?: string[]
  readonly include: string[]
  readonly exclude: string[]
  readonly prune?: boolean
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

const TOLD_FAILURES = 50

export function ingestCommand(): Command {
  return new Command('ingest')
    .description(
      'read documents into a collection: folders, files, JSON lines, URLs, git repositories; works without a server',
    )
    .argument(
      '<path...>',
      'a folder, a file, JSON lines {"id", "text", "title"?, "metadata"?} (.jsonl), a URL, or a git repository',
    )
    .requiredOption('--collection <name>', 'where to; it is made if it is not there', parseName)
    .option('--tenant <name>', 'the tenant it belongs to', parseName, DEFAULT_TENANT)
    .option('--team <name>', 'who may read it, as often as needed; without it everyone of the tenant', collectName)
    .option('--include <glob>', 'only these files of a folder, as often as needed', collect, [])
    .option('--exclude <glob>', 'not these, as often as needed', collect, [])
    .option('--prune', 'remove what is gone from the source, even if that is all of it')
    .option('--no-prune', 'remove nothing')
    .option('--config <file>', 'the config file (for rag and the data folder)')
    .option('--data <folder>', 'the data folder')
    .option('--json', 'print the result as JSON')
    .action(run)
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const { config } = readSettings(options.config)
  const stop = new AbortController()
  const onSignal = () => {
    // A second one ends it at once: nothing is lost by that either.
    process.once('SIGINT', () => process.exit(130))
    stop.abort(new AppError('client_gone', 'Stopped. What is done stays; run it again to go on.'))
  }
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  const line = new ProgressLine(process.stderr)
  const knowledge = await openKnowledge({
    config: config.rag,
    dataFolder: options.data ?? config.data,
    openEmbedding: embeddingOpener(config, { dataFolder: options.data ?? config.data }),
    clock: systemClock,
    log: createLog({ level: 'error' }),
  })
  try {
    const { tenant, collection: name, team: teams } = options
    const collection = await knowledge.store.ensureCollection(
      { tenant, name, ...(teams ? { teams } : {}) },
      systemClock.now(),
    )
    const reports: IngestReport[] = []
    for (const path of paths) {
      const source = await knowledge.sources.ofText(path, options)
      const how = {
        by: 'cli',
        prune: pruneOf(options),
        onProgress: line.documents(path),
        onWait: line.waiting(path),
      } as const
      const report = await knowledge.ingest(collection, source, how, stop.signal)
      line.end()
      reports.push(report)
      if (!options.json) tell(report)
    }
    const embeddedAnew = await knowledge.reembed(collection, line.passages(collection.passages), stop.signal)
    line.end()
    const after = await knowledge.store.findCollection(tenant, name)
    if (options.json) console.log(JSON.stringify(toJson(after, reports, embeddedAnew)))
    else if (after) console.error(`${name} has ${after.documents} documents, ${after.passages} passages.`)
    if (reports.some(({ failures, gaps }) => failures.length + gaps.length > 0)) process.exitCode = 1
  } finally {
    line.end()
    await knowledge.stop()
  }
}

const pruneOf = ({ prune }: Options) => (prune === undefined ? 'auto' : prune ? 'always' : 'never')

function tell({ place, documents, passages, failures, gaps, tookMs }: IngestReport): void {
  const { added, changed, unchanged, removed, failed } = documents
  const rate = passages > 0 && tookMs > 0 ? ` (${Math.round((passages * 1000) / tookMs)} passages/s)` : ''
  console.error(
    `${place}: ${added} added, ${changed} changed, ${unchanged} unchanged, ${removed} removed, ${failed} failed; ${passages} passages in ${(tookMs / 1000).toFixed(1)} s${rate}`,
  )
  for (const { document, reason } of failures.slice(0, TOLD_FAILURES)) console.error(shown(`  ${document}: ${reason}`))
  if (failures.length > TOLD_FAILURES)
    console.error(`  and ${failures.length - TOLD_FAILURES} more; --json lists them all`)
  for (const gap of gaps) console.error(shown(`  nothing was removed, for not all could be seen: ${gap}`))
}

const toJson = (collection: Collection | null, sources: readonly IngestReport[], embeddedAnew: number) => ({
  collection: collection && {
    name: collection.name,
    tenant: collection.tenant,
    documents: collection.documents,
    passages: collection.passages,
    embedding: collection.embedding,
  },
  embeddedAnew,
  sources,
})

const collect = (value: string, before: string[]): string[] => [...before, value]
const collectName = (value: string, before: string[] | undefined): string[] => [...(before ?? []), parseName(value)]
