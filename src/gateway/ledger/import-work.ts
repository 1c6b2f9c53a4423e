// Who does the importing: a thread of its own for a database that is a file, else the thread we are on. Both run the same
// importer in the same loop, and tell the same news.
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../db/connect.ts'
import type { GatewayTables } from '../tables.ts'
import { Importer, type ImportNews } from './importer.ts'
import { ImportLoop, type LoopNews } from './import-loop.ts'

export type News = ImportNews | LoopNews

export interface ImportWork {
  /** Something was written. `urgent`: somebody waits for it. */
  wake(urgent: boolean): void
  /** Imports what is left of a journal that is closed by now, as far as the database takes it. */
  stop(): Promise<void>
}

export type StartImport = (folder: string, tell: (news: News) => void, clock: Clock) => ImportWork

/** For databases that only this thread can reach: those in memory. */
export const importHere =
  (db: Db<GatewayTables>): StartImport =>
  (folder, tell, clock) => {
    const importer = new Importer({ folder, db, tell })
    const loop = new ImportLoop({ pass: (closed) => importer.pass(closed), tell, clock })
    return {
      wake: (urgent) => loop.wake(urgent),
      stop: async () => {
        await loop.stop()
        importer.close()
      },
    }
  }
