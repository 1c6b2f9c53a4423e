// The database's one executor, on its own thread: statements are carried out one transaction after another, so what
// runs long makes all others wait. Report jobs run here too, between the others, while the flag allows it.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Row, Statement } from '../db-pool.ts'
import { createReportJob } from './report-job.ts'
import { prepareDatabase } from './schema.ts'

export interface ExecutorData {
  readonly file: string
  readonly withoutIndex: string | undefined
}

export type ToExecutor =
  | { readonly type: 'run'; readonly id: number; readonly statements: readonly Statement[] }
  | { readonly type: 'reports'; readonly on: boolean }
  | { readonly type: 'heavy-report'; readonly busyShare: number; readonly queryMs: number }
  | { readonly type: 'no-report' }

export type FromExecutor =
  | { readonly type: 'ready' }
  | { readonly type: 'rows'; readonly id: number; readonly rows: readonly Row[] }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
  | { readonly type: 'report'; readonly seconds: number }

if (parentPort) serve(parentPort, workerData as ExecutorData)

function serve(port: NonNullable<typeof parentPort>, data: ExecutorData): void {
  const db = new DatabaseSync(data.file)
  prepareDatabase(db, data.withoutIndex)
  const prepared = new Map<string, StatementSync>()
  const tell = (message: FromExecutor) => port.postMessage(message)
  const report = createReportJob(db, (seconds) => tell({ type: 'report', seconds }))

  const run = (statements: readonly Statement[]): readonly Row[] => {
    let rows: readonly Row[] = []
    if (statements.length > 1) db.exec('BEGIN IMMEDIATE')
    try {
      for (const { sql, params } of statements) {
        let statement = prepared.get(sql)
        if (!statement) prepared.set(sql, (statement = db.prepare(sql)))
        rows = statement.all(...params) as Row[]
      }
      if (statements.length > 1) db.exec('COMMIT')
      return rows
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
  port.on('message', (message: ToExecutor) => {
    switch (message.type) {
      case 'run':
        try {
          return tell({ type: 'rows', id: message.id, rows: run(message.statements) })
        } catch (error) {
          return tell({ type: 'failed', id: message.id, message: error instanceof Error ? error.message : 'failed' })
        }
      case 'reports':
        return report.allow(message.on)
      case 'heavy-report':
        return report.order(message)
      case 'no-report':
        return report.cancel()
    }
  })
  tell({ type: 'ready' })
}
