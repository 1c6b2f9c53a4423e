// One process under supervision: started, told things, started again when it dies (on the same port, in the same
// scratch folder, with a growing pause), and ended when it is no longer wanted.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../src/core/errors.ts'
import type { Log } from '../../src/observe/log.ts'
import type { FromProcess, StartMessage, ToProcess, Trouble } from '../shop/messages.ts'
import type { InstanceView } from './platform.ts'

const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/lab', import.meta.url))
const READY_WITHIN_MS = 15_000
const DRAIN_WITHIN_MS = 4000
const END_WITHIN_MS = 1500
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 4000
/** Alive for this long, and earlier crashes are forgotten. */
const STABLE_MS = 10_000

export interface InstanceOptions {
  readonly name: string
  readonly entry: URL
  /** Asked at every start, so that a process that comes back knows the endpoints and flags of the moment. */
  readonly startMessage: (port: number) => StartMessage
  readonly log: Log
  /** State or ports changed. */
  readonly onChange: () => void
  readonly onMessage?: (message: FromProcess) => void
}

export class Instance {
  readonly #options: InstanceOptions
  #child: ChildProcess | undefined
  #ports: Readonly<Record<string, number>> = {}
  #state: InstanceView['state'] = 'starting'
  #crashes = 0
  #pauseMs = FIRST_PAUSE_MS
  #restartTimer: NodeJS.Timeout | undefined
  #troubled: (() => void)[] = []
  #wanted = true

  constructor(options: InstanceOptions) {
    this.#options = options
  }

  get state(): InstanceView['state'] {
    return this.#state
  }
  get pid(): number | undefined {
    return this.#child?.pid
  }
  /** Of the last time it was ready: callers keep knocking there while it is down, as they would. */
  get ports(): Readonly<Record<string, number>> {
    return this.#ports
  }
  get crashes(): number {
    return this.#crashes
  }

  /** Resolves when the process is ready. Rejects with `unavailable` when it ends or takes too long before that. */
  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Error(`not ready within ${READY_WITHIN_MS} ms`)), READY_WITHIN_MS)
    this.#launch(resolve, (code) => reject(new Error(`ended with ${code} before it was ready`)))
    try {
      await promise
    } catch (error) {
      await this.end()
      throw new AppError('unavailable', `${this.#options.name} does not start.`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  send(message: ToProcess): void {
    if (this.#child?.connected) this.#child.send(message)
  }

  /** Resolves when the process has taken it in, or is gone. */
  async trouble(trouble: Trouble): Promise<void> {
    if (!this.#child?.connected) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#troubled.push(resolve)
    this.send({ type: 'trouble', trouble })
    await promise
  }

  /** As the kernel does when a limit is reached: no goodbye, and the supervisor starts it again. */
  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  /** Lets it finish what it accepted; not for ever. */
  async drain(): Promise<void> {
    this.#unwant('draining')
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return this.#setState('gone')
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    this.send({ type: 'drain' })
    const timer = setTimeout(() => child.kill('SIGKILL'), DRAIN_WITHIN_MS)
    await exited
    clearTimeout(timer)
    this.#setState('gone')
  }

  /** Ends it now. */
  async end(): Promise<void> {
    this.#unwant('gone')
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    if (child.connected) child.disconnect()
    const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS)
    await exited
    clearTimeout(timer)
  }

  #unwant(state: 'draining' | 'gone'): void {
    this.#wanted = false
    clearTimeout(this.#restartTimer)
    this.#setState(state)
  }

  #setState(state: InstanceView['state']): void {
    if (this.#state === state) return
    this.#state = state
    this.#options.onChange()
  }

  #launch(onReady: () => void, onEarlyExit: (code: number | string | null) => void): void {
    const { name, entry, log, startMessage } = this.#options
    // Nothing of the parent's environment or flags is the shop's business. The cache of compiled sources saves each
    // process the compiler: 20 MB and half of its start.
    const env = { NODE_COMPILE_CACHE: COMPILE_CACHE }
    const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [], env })
    this.#child = child
    let readyAtMs: number | undefined
    child.stderr?.on('data', (text: Buffer) => log.warn({ process: name }, text.toString('utf8').trim()))
    child.on('message', (message: FromProcess) => {
      if (message.type === 'ready') {
        readyAtMs = Date.now()
        this.#ports = message.ports
        this.#state = this.#wanted ? 'ready' : this.#state
        this.#options.onChange()
        onReady()
      }
      if (message.type === 'troubled') this.#troubled.shift()?.()
      this.#options.onMessage?.(message)
    })
    // A message to a process that is just ending fails here: its end is what matters.
    child.on('error', (error) => log.warn({ process: name, err: error }, 'process error'))
    child.on('exit', (code, signal) => {
      for (const taken of this.#troubled.splice(0)) taken()
      if (!this.#wanted) return this.#setState('gone')
      this.#crashes++
      this.#setState('crashed')
      log.warn({ process: name, code, signal }, 'process ended unexpectedly')
      onEarlyExit(code ?? signal)
      if (!this.#wanted) return
      if (readyAtMs !== undefined && Date.now() - readyAtMs > STABLE_MS) this.#pauseMs = FIRST_PAUSE_MS
      this.#restartTimer = setTimeout(
        () =>
          this.#launch(
            () => {},
            () => {},
          ),
        this.#pauseMs,
      )
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
    })
    child.send(startMessage(Object.values(this.#ports)[0] ?? 0))
  }
}
