// Wires everything: the only place that hands one feature to another. Reading it is reading what Midwatch is made of.
// Starting is all or nothing; stopping finishes what was accepted, outside in.
import { join } from 'node:path'
import { createIdentify } from './access/identify.ts'
import { createKeyRing } from './access/key-ring.ts'
import { findCallerByKeyId, findCallerByName } from './access/keys.ts'
import type { AccessTables } from './access/tables.ts'
import type { AuditTables } from './audit/tables.ts'
import { createActions } from './actions/actions.ts'
import type { Role } from './cli/start.ts'
import type { Config } from './config/schema.ts'
import { type Caller, DEFAULT_TENANT, LOCAL_CALLER } from './core/caller.ts'
import { systemClock } from './core/clock.ts'
import { databaseFile, openDatabase } from './database.ts'
import type { Db } from './db/connect.ts'
import { lockFolder } from './db/lock.ts'
import { createWorker, type QueueTables, type Worker } from './db/queue.ts'
import { diagnose } from './diagnosis/diagnose.ts'
import type { WriteCheckTables } from './db/write-check.ts'
import { createCallRecords } from './gateway/call-records.ts'
import { createChatModel } from './gateway/chat-model.ts'
import { createBatchOffice } from './gateway/batches/create.ts'
import type { BatchTables } from './gateway/batches/tables.ts'
import { createGateway } from './gateway/gateway.ts'
import type { GatewayTables } from './gateway/tables.ts'
import { reportUsage } from './gateway/usage-report.ts'
import { healthChecks, healthDetail } from './health.ts'
import { actingRoutes } from './http/routes/acting.ts'
import { alertRoutes } from './http/routes/alerts.ts'
import { approvalRoutes } from './http/routes/approvals.ts'
import { auditRoutes } from './http/routes/audit.ts'
import { batchRoutes } from './http/routes/batches.ts'
import { capacityRoutes } from './http/routes/capacity.ts'
import { changeRoutes } from './http/routes/changes.ts'
import { chatRoutes } from './http/routes/chat.ts'
import { embeddingRoutes } from './http/routes/embeddings.ts'
import { erasureRoutes } from './http/routes/erasures.ts'
import { fileRoutes } from './http/routes/files.ts'
import { messagesRoutes } from './http/routes/messages.ts'
import { foldingRoutes } from './http/routes/folding.ts'
import { incidentAskRoutes } from './http/routes/incident-ask.ts'
import { incidentRoutes } from './http/routes/incidents.ts'
import { keyRoutes } from './http/routes/keys.ts'
import { lessonRoutes } from './http/routes/lessons.ts'
import { mcpRoutes } from './http/routes/mcp.ts'
import { modelRoutes } from './http/routes/models.ts'
import { oncallRoutes } from './http/routes/oncall.ts'
import { operationsRoutes } from './http/routes/operations.ts'
import { pageRoutes } from './http/routes/page.ts'
import { ragCollectionRoutes } from './http/routes/rag-collections.ts'
import { ragDocumentRoutes } from './http/routes/rag-documents.ts'
import { ragRoutes } from './http/routes/rag.ts'
import { reportRoutes } from './http/routes/reports.ts'
import { requestRoutes } from './http/routes/requests.ts'
import { responsesRoutes } from './http/routes/responses.ts'
import { sessionRoutes } from './http/routes/session.ts'
import { silenceRoutes } from './http/routes/silences.ts'
import { slackRoutes } from './http/routes/slack.ts'
import { usageRoutes } from './http/routes/usage.ts'
import { startServer } from './http/server.ts'
import { ensureWebBuilt, WEB_DIST } from './http/web-build.ts'
import { createChangeCollector } from './incidents/change-collector.ts'
import { listChanges } from './incidents/changes.ts'
import { createContextAsking } from './incidents/context/context.ts'
import { createIncidentFeed } from './incidents/feed.ts'
import { alertCounter } from './incidents/metrics.ts'
import { createIntake } from './incidents/receive.ts'
import { readFoldingConfig } from './incidents/folding/config.ts'
import { createFolder } from './incidents/folding/folder.ts'
import type { CheckpointTables } from './incidents/investigation/checkpoint-tables.ts'
import { readActing } from './incidents/investigation/acting/overview.ts'
import { createInvestigator } from './incidents/investigation/investigator.ts'
import type { ModelCost } from './incidents/reports/weekly.ts'
import { askForLook } from './incidents/investigation/ask-look.ts'
import { createRouting } from './incidents/routing/routing.ts'
import type { IncidentTables } from './incidents/tables.ts'
import { channelsOf } from './incidents/telling/channels.ts'
import type { FindCaller } from './incidents/telling/slack/people.ts'
import { createTelling } from './incidents/telling/telling.ts'
import { createTellingWorkers } from './incidents/telling/workers.ts'
import { createMcpAnswering } from './mcp/server.ts'
import { offeredTools } from './mcp/tools.ts'
import type { Retriever } from './llm/retriever.ts'
import type { Log } from './observe/log.ts'
import { createMetrics } from './observe/metrics.ts'
import { openTracing, type Tracing } from './observe/tracing.ts'
import { revealed } from './providers/headers.ts'
import { embeddingOpener } from './embedding-model.ts'
import { createKnowledge } from './rag/knowledge.ts'
import { createLiveConfig } from './reload.ts'
import { mcpSources, openSources } from './sources-of-config.ts'

export const VERSION = '0.1.0'

/** What a request under way is given to end by itself when a stop is asked for. */
const GRACE_MS = 15_000

export interface AppOptions {
  readonly config: Config
  /** Where it is from, and how it is read again. */
  readonly source: { readonly file: string | null; readonly read: () => Config }
  readonly roles: ReadonlySet<Role>
  readonly log: Log
}

export interface App {
  readonly url: string
  /** Reads the config file again, whether or not it changed. */
  reload(): void
  stop(): Promise<void>
}

type Tables = WriteCheckTables & AccessTables & AuditTables & GatewayTables & BatchTables & QueueTables & IncidentTables

/** Starts everything. Throws AppError with what to do when something is in the way; nothing is left running then. */
export async function startApp(options: AppOptions): Promise<App> {
  // What has been started, to be stopped the other way round.
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next; next = stops.pop()) {
      // One part that cannot stop must not keep the next from closing what it holds.
      await next().catch((error: unknown) => options.log.error({ err: error }, 'a part could not stop'))
    }
  }
  try {
    return { ...(await start(options, stops)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  { config, source, roles, log }: AppOptions,
  stops: (() => Promise<void>)[],
): Promise<Omit<App, 'stop'>> {
  const clock = systemClock
  const startedAt = clock.now()
  const metrics = createMetrics({ process: true })

  const lock = lockFolder(config.data)
  stops.push(async () => lock.release())
  const connection = await openDatabase(config.data)
  stops.push(() => connection.close())
  const db = connection.as<Tables>()

  const keyRing = createKeyRing({ db, clock, log })
  await keyRing.load()
  stops.push(() => keyRing.stop())

  const tracing = await createTracing(config, log)
  if (tracing) stops.push(() => tracing.stop())
  const gateway = await createGateway({ config, ledger: ledgerPlaces(config.data), db, metrics, tracing, log, clock })
  stops.push(() => gateway.stop())
  const live = createLiveConfig({ ...source, config, gateway, metrics, log, clock })

  const knowledge = createKnowledge({
    config: config.rag,
    dataFolder: config.data,
    openEmbedding: embeddingOpener(config, { gateway, log }),
    metrics,
    clock,
    log,
  })
  stops.push(() => knowledge.stop())
  if (roles.has('rag') && knowledge.isWanted) knowledge.start()

  const office = createBatchOffice({ db, dataFolder: config.data, gateway, callerOf: ownerNow(db), clock, log })
  if (roles.has('gateway')) {
    await office.start()
    stops.push(() => office.stop())
  }

  const opened = openSources(config, log, { sampling: true })
  const changes = createChangeCollector({
    db,
    sources: opened.changes,
    tenant: DEFAULT_TENANT,
    clock,
    log,
  })
  const sources = { metrics: opened.metrics, logs: opened.logs, changes }
  if (roles.has('agent')) {
    changes.start()
    stops.push(() => changes.stop())
  }
  for (const sampler of roles.has('agent') ? opened.samplers : []) {
    sampler.start()
    stops.push(() => sampler.stop())
  }

  const feed = createIncidentFeed()
  // Whose incident it is pays for it.
  const retriever: Retriever = {
    retrieve: (query, signal) => {
      const chat = createChatModel(gateway, { ...AGENT, tenant: query.tenant })
      return knowledge.retriever.retrieve({ ...query, chat }, signal)
    },
  }
  const wakeAll = (): void => {
    worker.wake()
    classifier.wake()
    pager.wake()
  }
  const investigator = createInvestigator({
    db,
    checkpointDb: connection.as<CheckpointTables>(),
    sources,
    changes: async (query) => {
      await changes.collect()
      return listChanges(db, query)
    },
    diagnose,
    actions: createActions(),
    // The workers run what the investigator hands them and are woken by it: each needs the other.
    wake: wakeAll,
    config: config.agent,
    chatModel: config.agent.model === undefined ? undefined : createChatModel(gateway, AGENT),
    retriever,
    callRecords: createCallRecords(db, () => gateway.flush()),
    publicUrl: addressOf(config, config.server.port),
    clock,
    log,
    metrics,
    feed,
  })
  const decided = alertCounter(metrics)
  const intake = createIntake({
    db,
    feed,
    log,
    clock,
    config: config.agent.intake,
    onStored: () => folder.wake(),
    onJobs: () => worker.wake(),
    onDecided: (source, decision) => decided.inc({ source, decision }),
  })
  const mcp = mcpSources(config, VERSION, log)
  stops.push(async () => void (await Promise.all(mcp.map(({ source }) => source.stop()))))
  const asking = createContextAsking({
    db,
    clock,
    log,
    feed,
    wake: () => worker.wake(),
    sources: mcp.filter(({ asks }) => asks.length > 0),
  })
  const routing = createRouting({
    db,
    config: config.agent,
    metrics: sources.metrics,
    topology: () => investigator.topology(),
    clock,
    log,
    feed,
    wake: () => pager.wake(),
  })
  const telling = createTelling({
    db,
    targetsOf: routing.targetsOf,
    channels: channelsOf(config.agent),
    clock,
    feed,
    publicUrl: addressOf(config, config.server.port),
    confirmFromRisk: config.agent.approval.confirmFromRisk,
    onSpread: () => messengers.wake(),
  })
  const messengers: Worker = createTellingWorkers({ db, telling, clock, log })
  // Who has to be woken must not wait for investigations to end, nor for a source of numbers that hangs.
  const { classify, escalate } = routing.handlers
  const classifier: Worker = createWorker({ db, handlers: { classify }, clock, log })
  const pager: Worker = createWorker({ db, handlers: { escalate, news: telling.spread }, clock, log })
  const worker: Worker = createWorker({
    db,
    handlers: {
      ...investigator.handlers,
      ...intake.handlers,
      ...asking.handlers,
      investigate: asking.beside(investigator.handlers.investigate),
    },
    clock,
    log,
  })
  const folding = readFoldingConfig(config.agent.folding)
  const folder = createFolder({
    db,
    feed,
    topology: () => investigator.topology(),
    config: folding,
    clock,
    log,
    metrics,
    onWork: wakeAll,
  })
  if (roles.has('agent')) {
    investigator.start()
    worker.start()
    classifier.start()
    pager.start()
    messengers.start()
    folder.start()
    stops.push(
      () => investigator.stop(),
      () => worker.stop(),
      () => classifier.stop(),
      () => pager.stop(),
      () => messengers.stop(),
      () => folder.stop(),
    )
  }

  const { slack } = config.agent.notify
  const slackDoor =
    slack && roles.has('agent')
      ? (await import('./incidents/telling/slack/door.ts')).createSlackDoor({
          config: slack,
          db,
          investigator,
          findCaller: personIn(db, config),
          feed,
          clock,
          log,
        })
      : undefined
  if (slackDoor) {
    slackDoor.start()
    stops.push(() => slackDoor.stop())
  }

  let stopping = false
  const watched = { config, roles, db, gateway, knowledge, live, clock }
  await ensureWebBuilt()
  const server = await startServer(
    {
      routes: [
        ...operationsRoutes({
          checks: healthChecks(watched),
          metrics,
          version: VERSION,
          startedAt,
          stopping: () => stopping,
          detail: () => healthDetail(watched),
        }),
        ...sessionRoutes({ keyRing, publicUrl: config.server.publicUrl }),
        ...keyRoutes({ db, clock }),
        ...auditRoutes({ db }),
        ...(roles.has('gateway')
          ? [
              ...chatRoutes(gateway),
              ...responsesRoutes(gateway),
              ...messagesRoutes(gateway),
              ...embeddingRoutes(gateway),
              ...fileRoutes(office.files, clock),
              ...batchRoutes(office.batches),
              ...modelRoutes(gateway),
              ...capacityRoutes(gateway),
              ...usageRoutes({ db, flush: () => gateway.flush(), clock }),
              ...requestRoutes({ db, flush: () => gateway.flush() }),
            ]
          : []),
        ...(roles.has('rag')
          ? [
              ...ragRoutes({
                open: () => knowledge.open(),
                chatModelFor: (caller) => createChatModel(gateway, caller),
                model: () => config.rag.model,
                clock,
                log,
              }),
              ...ragCollectionRoutes({
                open: () => knowledge.open(),
                isOfConfig: (tenant, name) => config.rag.collections[name]?.tenant === tenant,
                clock,
              }),
              ...ragDocumentRoutes({ open: () => knowledge.open() }),
            ]
          : []),
        ...(roles.has('agent')
          ? [
              ...alertRoutes({ intake, db, clock }),
              ...foldingRoutes({ db, feed, clock, config: folding, onWork: wakeAll }),
              ...oncallRoutes({ db, clock, teams: config.agent.teams }),
              ...silenceRoutes({ db, clock, onChanged: () => folder.wake() }),
              ...changeRoutes({ db, clock }),
              ...incidentAskRoutes({ db }),
              ...incidentRoutes({ db, feed, clock, confirmFromRisk: config.agent.approval.confirmFromRisk }),
              ...actingRoutes({ db, clock, overview: (tenant) => readActing(db, tenant, config.agent.actions) }),
              ...approvalRoutes({ db, investigator, confirmFromRisk: config.agent.approval.confirmFromRisk }),
              ...(slackDoor?.handle ? slackRoutes({ handle: slackDoor.handle }) : []),
              ...lessonRoutes({ db, feed, clock }),
              ...reportRoutes({ db, clock, modelCost: agentCost(db, () => gateway.flush()) }),
              ...mcpRoutes(
                createMcpAnswering({
                  tools: offeredTools({
                    db,
                    feed,
                    clock,
                    log,
                    onStored: () => folder.wake(),
                    askForLook: (request) => askForLook({ db, clock, feed, wake: () => worker.wake() }, request),
                    retriever: knowledge.retriever,
                    chatModelFor: (caller) => createChatModel(gateway, caller),
                    collections: config.agent.knowledge.collections,
                    confirmFromRisk: config.agent.approval.confirmFromRisk,
                  }),
                  version: VERSION,
                  log,
                }),
              ),
            ]
          : []),
        ...erasureRoutes({ db, eraseOwner: (tenant, owner) => knowledge.eraseOwner(tenant, owner), clock }),
        ...pageRoutes(WEB_DIST),
      ],
      identify: createIdentify({ mode: config.auth.mode, keyRing }),
      publicUrl: config.server.publicUrl,
      keyless: config.auth.mode === 'off',
      log,
    },
    config.server.host,
    config.server.port,
  )
  stops.push(async () => {
    stopping = true
    await server.stop(GRACE_MS)
  })
  live.watch()
  stops.push(() => live.stop())
  return { url: addressOf(config, server.port), reload: () => void live.reload() }
}

function createTracing({ tracing: { otlpUrl, headers, sampleRatio } }: Config, log: Log): Promise<Tracing> | undefined {
  return otlpUrl === undefined
    ? undefined
    : openTracing({ otlpUrl, headers: revealed(headers), sampleRatio, version: VERSION, log })
}

const ledgerPlaces = (dataFolder: string) => ({
  folder: join(dataFolder, 'ledger'),
  database: { file: databaseFile(dataFolder) },
})

/** Whoever made a batch with a key: as the key is now. Who needed none (or proved themselves otherwise) stays who they were. */
const ownerNow = (db: Db<AccessTables>) => async (owner: Caller) =>
  owner.keyId.startsWith('key_') ? findCallerByKeyId(db, owner.keyId) : owner

/** Who answers from a chat has the rights of a key; where none is needed, they are whom the config names, as on the page. */
const personIn =
  (db: Db<AccessTables>, { auth }: Config): FindCaller =>
  (tenant, name, scope) =>
    auth.mode === 'off'
      ? Promise.resolve({ ...LOCAL_CALLER, tenant, name })
      : findCallerByName(db, { tenant, name, scope })

/** Who the agent is to the gateway: its calls are charged and counted like anyone's. */
const AGENT: Caller = { tenant: DEFAULT_TENANT, keyId: 'agent', name: 'on-call agent', scopes: ['llm:chat'] }

/** The agent's calls are charged to one tenant: what another's incidents cost is not known apart. */
const agentCost =
  (db: Db<GatewayTables>, flush: () => Promise<void>): ModelCost =>
  async ({ tenant, fromMs, toMs }) => {
    if (tenant !== AGENT.tenant) return null
    await flush()
    const lines = await reportUsage(db, { tenant, keyId: AGENT.keyId, fromMs, toMs })
    const sum = (of: (line: (typeof lines)[number]) => number) => lines.reduce((all, line) => all + of(line), 0)
    return {
      calls: sum(({ requests }) => requests),
      costUsd: sum(({ costUsd }) => costUsd),
      callsOfUnknownCost: sum(({ requestsOfUnknownCost }) => requestsOfUnknownCost),
    }
  }

/** The address for links and for people: the public one, else where it listens. */
function addressOf({ server }: Config, port: number): string {
  return server.publicUrl ?? `http://${server.host.includes(':') ? `[${server.host}]` : server.host}:${port}`
}
