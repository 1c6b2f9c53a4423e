// The processes that the lab starts beside the shop: each writes its output to a file, is stopped before the lab ends,
// and never outlives it. They lead process groups of their own, so that Ctrl-C reaches only the lab, which then stops
// them in order.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer, Socket } from 'node:net'
import { AppError } from '../src/core/errors.ts'

export interface ChildOptions {
  /** For messages: "Prometheus", "Midwatch". */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly logFile: string
  /** Called when it ended although nobody asked it to. */
  readonly onUnexpectedEnd?: (message: string) => void
}

export interface Child {
  readonly pid: number
  /** True until it has ended. */
  running(): boolean
  /** SIGTERM, and SIGKILL when it has not ended in time. */
  stop(graceMs?: number): Promise<void>
  /** SIGKILL, at once. Resolves when it is gone. */
  kill(): Promise<void>
  /** Resolves when `isUp` does so with true. Throws AppError `unavailable` with the end of its log when it ends or takes too long. */
  waitUntil(isUp: () => Promise<boolean>, timeoutMs: number): Promise<void>
}

const alive = new Set<number>()
let guard: ChildProcess | undefined
process.on('exit', () => {
  guard?.kill('SIGKILL')
  for (const pid of alive) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }
})

/** A shell that ends them when this process is killed and cannot: it reads their ids until the pipe breaks. */
function guardAgainstDeath(pid: number): void {
  guard ??= spawn('sh', ['-c', 'while read -r pid; do pids="$pids $pid"; done; kill -9 $pids 2>/dev/null'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.on('error', () => undefined)
  guard.stdin?.on('error', () => undefined)
  guard.stdin?.write(`${pid}\n`)
  // Neither it nor the pipe to it may keep this process from ending.
  guard.unref()
  if (guard.stdin instanceof Socket) guard.stdin.unref()
}

/** Throws AppError `unavailable` when it cannot be started at all. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const output = openSync(options.logFile, 'a')
  const child = spawn(options.command, [...options.args], {
    cwd: options.cwd,
    detached: true,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => reject(new AppError('unavailable', `${options.name} cannot be started.`, { cause })))
  })
  const pid = child.pid as number
  alive.add(pid)
  guardAgainstDeath(pid)
  let state: 'coming up' | 'running' | 'asked to end' | 'ended' = 'running'
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      alive.delete(pid)
      const unexpected = state === 'running'
      state = 'ended'
      resolve()
      if (unexpected) options.onUnexpectedEnd?.(describeEnd(options, code, signal))
    })
  })
  const send = (signal: NodeJS.Signals) => {
    if (state === 'ended') return
    state = 'asked to end'
    child.kill(signal)
  }

  return {
    pid,
    running: () => state !== 'ended',
    stop: async (graceMs = 8000) => {
      send('SIGTERM')
      const timer = setTimeout(() => send('SIGKILL'), graceMs)
      await ended
      clearTimeout(timer)
    },
    kill: async () => {
      send('SIGKILL')
      await ended
    },
    waitUntil: async (isUp, timeoutMs) => {
      // Whoever waits here is told of an end by the error, not by the callback.
      if (state === 'running') state = 'coming up'
      const untilMs = Date.now() + timeoutMs
      while (!(await isUp().catch(() => false))) {
        if (state === 'ended' || Date.now() > untilMs) {
          const what = state === 'ended' ? 'ended while it was starting' : `did not come up in ${timeoutMs / 1000} s`
          throw new AppError('unavailable', `${options.name} ${what}. ${logEnd(options.logFile)}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      if (state === 'coming up') state = 'running'
    },
  }
}

function describeEnd({ name, logFile }: ChildOptions, code: number | null, signal: string | null): string {
  return `${name} ended by itself (${signal ?? `exit code ${code}`}). ${logEnd(logFile)}`
}

const logEnd = (file: string): string => {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5)
  return `The end of ${file}:\n${lines.map((line) => `  ${line.slice(0, 400)}`).join('\n')}`
}

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Throws AppError `unavailable` when somebody listens on the port already. */
export function refuseTakenPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', () => {
      const what = `Port ${port} on 127.0.0.1 is in use. Stop what runs there, or choose another with --port.`
      reject(new AppError('unavailable', what))
    })
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()))
  })
}
