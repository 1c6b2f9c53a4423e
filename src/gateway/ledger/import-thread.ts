// The importer's own thread, with its own connection. It connects when it has something to import, and anew after every
// failure; and it never writes into a file that is no longer the database's, which nobody would ever read.
import { statSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../core/clock.ts'
import { type Connection, connectSqlite } from '../../db/connect.ts'
import type { GatewayTables } from '../tables.ts'
import { Importer } from './importer.ts'
import { ImportLoop } from './import-loop.ts'
import type { News } from './import-work.ts'

export interface ThreadTask {
  readonly folder: string
  readonly databaseFile: string
}

export type ThreadMessage = { readonly kind: 'wake'; readonly urgent: boolean } | { readonly kind: 'stop' }

if (!parentPort) throw new Error('import-thread.ts is to be run as a thread')
const port = parentPort
const { folder, databaseFile } = workerData as ThreadTask

interface Opened {
  readonly connection: Connection
  readonly importer: Importer
  /** Which file it is, whatever becomes of its name. */
  readonly inode: number
}

let opened: Opened | undefined

const tell = (news: News): void => port.postMessage(news)

function open(): Opened {
  // To connect to a file that is not there would make an empty database in its place.
  const { ino: inode } = statSync(databaseFile)
  if (opened?.inode === inode) return opened
  closeOpened()
  const connection = connectSqlite(databaseFile)
  return (opened = { connection, inode, importer: new Importer({ folder, db: connection.as<GatewayTables>(), tell }) })
}

function closeOpened(): void {
  opened?.importer.close()
  void opened?.connection.close().catch(() => undefined)
  opened = undefined
}

async function pass(closed: boolean): Promise<void> {
  try {
    await open().importer.pass(closed)
  } catch (error) {
    closeOpened()
    throw error
  }
}

const loop = new ImportLoop({ pass, tell, clock: systemClock })

async function stop(): Promise<void> {
  await loop.stop()
  closeOpened()
  port.close()
}

port.on('message', (message: ThreadMessage) => {
  switch (message.kind) {
    case 'wake':
      loop.wake(message.urgent)
      break
    case 'stop':
      void stop()
  }
})
