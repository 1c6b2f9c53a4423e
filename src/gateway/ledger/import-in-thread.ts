// Keeps the importer's thread running: one that dies is started again, and goes on where the database says that the last
// one came to. The thread gets nothing from us but wakes.
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../observe/log.ts'
import type { ThreadMessage, ThreadTask } from './import-thread.ts'
import type { News, StartImport } from './import-work.ts'

export interface ThreadOptions {
  readonly databaseFile: string
  readonly log: Log
  /** For tests that end the thread in the midst of its work. */
  readonly onThread?: (thread: Worker) => void
}

const RESTART_MS = 500
/** How long the last import may take when Midwatch stops. What it does not do is done at the next start. */
const STOP_MS = 8_000

export const importInThread =
  ({ databaseFile, log, onThread }: ThreadOptions): StartImport =>
  (folder, tell, clock) => {
    const stopping = new AbortController()
    let thread: Worker | undefined

    const start = (): void => {
      const task: ThreadTask = { folder, databaseFile }
      const started = new Worker(new URL('./import-thread.ts', import.meta.url), {
        workerData: task,
        name: 'ledger-import',
        resourceLimits: { maxOldGenerationSizeMb: 256 },
      })
      started.on('message', (news: News) => tell(news))
      started.on('error', (error) => log.error({ err: error }, 'the import of the ledger failed; it is started again'))
      started.once('exit', () => {
        thread = undefined
        if (!stopping.signal.aborted) void startAgain(clock)
      })
      thread = started
      onThread?.(started)
    }

    const startAgain = async (clock: Clock): Promise<void> => {
      await clock.sleep(RESTART_MS, stopping.signal).catch(() => undefined)
      if (stopping.signal.aborted) return
      start()
      send({ kind: 'wake', urgent: true })
    }

    const send = (message: ThreadMessage): void => thread?.postMessage(message)

    start()
    return {
      wake: (urgent) => send({ kind: 'wake', urgent }),
      stop: async () => {
        stopping.abort()
        const last = thread
        if (!last) return
        const ended = new Promise<void>((resolve) => last.once('exit', () => resolve()))
        const timer = setTimeout(() => void last.terminate(), STOP_MS)
        send({ kind: 'stop' })
        await ended
        clearTimeout(timer)
      },
    }
  }
