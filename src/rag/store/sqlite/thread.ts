// One of the store's two threads: the writing one makes the tables, the reading one asks them. An operation after the other,
// in the order of asking.
import { parentPort, workerData } from 'node:worker_threads'
import { AppError, describeError } from '../../../core/errors.ts'
import { connectSqlite } from '../../../db/connect.ts'
import { migrate } from '../../../db/migrate.ts'
import { giveWay } from '../../give-way.ts'
import { Database } from './database.ts'
import type { Failure, Reply, Request, ThreadTask } from './protocol.ts'
import { Reader } from './reader.ts'
import { knowledgeMigrations } from './schema.ts'
import { Writer } from './writer.ts'

if (!parentPort) throw new Error('thread.ts is to be run as a thread')
const port = parentPort
const { file, use } = workerData as ThreadTask
if (use === 'write') giveWay()

/** SQLite's codes for what passes, or what the operator has to make room for: busy, locked, I/O, full. */
const UNAVAILABLE = new Set([5, 6, 10, 13])

try {
  serve(await open())
} catch (error) {
  const known = failure(error)
  const message = error instanceof AppError ? known.message : `The knowledge base ${file} cannot be opened.`
  const code = error instanceof AppError ? known.code : 'unavailable'
  port.postMessage({ kind: 'unopened', code, message, detail: known.detail } satisfies Reply)
  port.close()
}

async function open(): Promise<Database> {
  if (use === 'write') {
    const connection = connectSqlite(file)
    try {
      await migrate(connection, knowledgeMigrations)
    } finally {
      await connection.close()
    }
  }
  return new Database(file, use)
}

function serve(db: Database): void {
  const operations: object = use === 'write' ? new Writer(db) : new Reader(db)
  port.on('message', (request: Request) => {
    if (request.kind === 'call') return port.postMessage(answer(operations, request))
    db.close()
    port.close()
  })
  port.postMessage({ kind: 'ready' } satisfies Reply)
}

function answer(operations: object, { id, operation, values }: Request & { kind: 'call' }): Reply {
  try {
    const method = Reflect.get(operations, operation) as (...values: readonly unknown[]) => unknown
    return { kind: 'done', id, value: Reflect.apply(method, operations, values) }
  } catch (error) {
    return { kind: 'failed', id, ...failure(error) }
  }
}

function failure(error: unknown): Failure {
  const detail = describeError(error)
  if (error instanceof AppError) return { code: error.code, message: error.message, detail }
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
  if (code === 13)
    return { code: 'unavailable', message: 'The disk of the knowledge base is full. Make room and try again.', detail }
  if (UNAVAILABLE.has(code))
    return { code: 'unavailable', message: 'The knowledge base cannot be used right now. Try again shortly.', detail }
  return { code: 'internal', message: 'The knowledge base failed. The log has the detail.', detail }
}
