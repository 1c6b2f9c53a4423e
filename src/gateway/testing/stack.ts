// Midwatch's door and gateway over an in-memory database, for tests that call it as a client does.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { createIdentify } from '../../access/identify.ts'
import { findCallerByKeyId } from '../../access/keys.ts'
import { createKeyRing } from '../../access/key-ring.ts'
import { type AccessTables, accessMigrations } from '../../access/tables.ts'
import { parseConfig } from '../../config/load.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { type QueueTables, queueMigrations } from '../../db/queue.ts'
import { batchRoutes } from '../../http/routes/batches.ts'
import { chatRoutes } from '../../http/routes/chat.ts'
import { embeddingRoutes } from '../../http/routes/embeddings.ts'
import { fileRoutes } from '../../http/routes/files.ts'
import { keyRoutes } from '../../http/routes/keys.ts'
import { messagesRoutes } from '../../http/routes/messages.ts'
import { modelRoutes } from '../../http/routes/models.ts'
import { requestRoutes } from '../../http/routes/requests.ts'
import { responsesRoutes } from '../../http/routes/responses.ts'
import { sessionRoutes } from '../../http/routes/session.ts'
import { usageRoutes } from '../../http/routes/usage.ts'
import { startServer } from '../../http/server.ts'
import { type Log, silentLog } from '../../observe/log.ts'
import { createMetrics } from '../../observe/metrics.ts'
import type { Tracing } from '../../observe/tracing.ts'
import { createBatchOffice } from '../batches/create.ts'
import { type BatchTables, batchMigrations } from '../batches/tables.ts'
import type { FileStoreOptions } from '../batches/file-store.ts'
import { createGateway } from '../gateway.ts'
import { type GatewayTables, gatewayMigrations, type LedgerRow } from '../tables.ts'

export interface StackOptions {
  /** `providers:` and `models:` as YAML. */
  readonly yaml: string
  /** Whether batches are worked on: a worker looks every second, and a test that lets days pass would wait for it. */
  readonly batches?: boolean
  /** How much room files have, where it is not the usual. */
  readonly fileRoom?: FileStoreOptions['room']
  readonly clock?: Clock
  readonly auth?: 'required' | 'off'
  readonly random?: () => number
  readonly log?: Log
  readonly tracing?: Tracing
}

export async function startStack({
  yaml,
  batches = false,
  fileRoom,
  clock = systemClock,
  auth = 'off',
  random = () => 0,
  log = silentLog(),
  tracing,
}: StackOptions) {
  const config = parseConfig(yaml, 'test.yaml', {})
  const connection = connectSqlite(':memory:')
  await migrate(connection, [...accessMigrations, ...gatewayMigrations, ...queueMigrations, ...batchMigrations])
  const metrics = createMetrics({ process: false })
  const db = connection.as<GatewayTables & AccessTables>()
  const folder = mkdtempSync(join(tmpdir(), 'midwatch-stack-'))
  const ledger = { folder: join(folder, 'ledger'), database: { db: connection.as<GatewayTables>() } }
  const gateway = await createGateway({ config, ledger, db, metrics, tracing, log, clock, random })
  const access = connection.as<AccessTables>()
  const keyRing = createKeyRing({ db: access, clock, log })
  const office = createBatchOffice({
    db: connection.as<BatchTables & QueueTables>(),
    dataFolder: folder,
    room: fileRoom,
    gateway,
    callerOf: async (owner) => (auth === 'off' ? owner : findCallerByKeyId(access, owner.keyId)),
    clock,
    log,
    random,
  })
  if (batches) await office.start()
  const server = await startServer(
    {
      routes: [
        ...chatRoutes(gateway),
        ...responsesRoutes(gateway),
        ...messagesRoutes(gateway),
        ...embeddingRoutes(gateway),
        ...fileRoutes(office.files, clock),
        ...batchRoutes(office.batches),
        ...modelRoutes(gateway),
        ...usageRoutes({ db: connection.as<GatewayTables>(), flush: () => gateway.flush(), clock }),
        ...requestRoutes({ db: connection.as<GatewayTables>(), flush: () => gateway.flush() }),
        ...keyRoutes({ db: access, clock }),
        ...sessionRoutes({ keyRing, publicUrl: undefined }),
      ],
      identify: createIdentify({ mode: auth, keyRing }),
      publicUrl: undefined,
      keyless: auth === 'off',
      log,
    },
    '127.0.0.1',
    0,
  )
  const url = `http://127.0.0.1:${server.port}`
  return {
    url,
    db,
    access,
    gateway,
    config,
    keyRing,
    metrics,
    /** Posts a chat request; what is not given is filled in. */
    chat: (body: Record<string, unknown> | string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        ...init,
        body:
          typeof body === 'string'
            ? body
            : JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'Hi there' }], ...body }),
      }),
    /** The ledger in the order in which its rows came to be. */
    rows: async (): Promise<LedgerRow[]> => {
      await gateway.flush()
      return await connection
        .as<GatewayTables>()
        .selectFrom('ledger')
        .selectAll()
        .orderBy(sql`rowid`)
        .execute()
    },
    /** The value of a metric's line that starts so. */
    metric: async (start: string): Promise<number | undefined> => {
      const line = (await metrics.metrics()).split('\n').find((text) => text.startsWith(start))
      return line === undefined ? undefined : Number(line.split(' ').at(-1))
    },
    stop: async () => {
      await server.stop(1_000)
      if (batches) await office.stop()
      await gateway.stop()
      await keyRing.stop()
      await connection.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type Stack = Awaited<ReturnType<typeof startStack>>
