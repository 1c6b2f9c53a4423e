// One queue a channel: what hangs in one, or was asked to come back later, keeps no other waiting.
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../db/connect.ts'
import { createWorker, type QueueTables, type Worker } from '../../db/queue.ts'
import type { Log } from '../../observe/log.ts'
import { GIVE_UP_AFTER, type Telling } from './telling.ts'

export interface TellingWorkersOptions {
  readonly db: Db<QueueTables>
  readonly telling: Telling
  readonly clock: Clock
  readonly log: Log
}

/** All of them as one. */
export function createTellingWorkers({ telling, ...options }: TellingWorkersOptions): Worker {
  const workers = Object.entries(telling.channels).map(([kind, handler]) =>
    // The handler gives up before the queue does, so that the incident says so.
    createWorker({ ...options, handlers: { [kind]: handler }, concurrency: 2, maxAttempts: GIVE_UP_AFTER + 1 }),
  )
  return {
    start: () => {
      for (const worker of workers) worker.start()
    },
    wake: () => {
      for (const worker of workers) worker.wake()
    },
    stop: async () => void (await Promise.all(workers.map((worker) => worker.stop()))),
  }
}
