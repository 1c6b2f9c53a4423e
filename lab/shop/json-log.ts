// JSON lines in the shop's log folder, one file a service, shared by its instances (every write is one append).
// Lines are gathered for a moment, because a service that logs each line by itself spends its time in system calls.
import { appendFileSync } from 'node:fs'

export type ShopLogLevel = 'info' | 'warn' | 'error' | 'fatal'

export interface ShopLog {
  info(message: string, requestId?: string): void
  warn(message: string, requestId?: string): void
  error(message: string, requestId?: string): void
  /** Written before it returns: the process is about to end. */
  fatal(message: string): void
  flush(): void
}

const GATHER_MS = 200

export function createShopLog(file: string, service: string): ShopLog {
  let waiting = ''
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (waiting === '') return
    const lines = waiting
    waiting = ''
    try {
      appendFileSync(file, lines)
    } catch {
      // The machine's own disk is full or the folder is gone: a service does not fail because its log does.
    }
  }
  const write = (level: ShopLogLevel, msg: string, requestId?: string) => {
    waiting += `${JSON.stringify({ time: new Date().toISOString(), level, service, msg, requestId })}\n`
    timer ??= setTimeout(flush, GATHER_MS)
  }
  process.on('exit', flush)
  return {
    info: (message, requestId) => write('info', message, requestId),
    warn: (message, requestId) => write('warn', message, requestId),
    error: (message, requestId) => write('error', message, requestId),
    fatal: (message) => {
      write('fatal', message)
      flush()
    },
    flush,
  }
}
