// The connection to a Redis that several processes share. Each connection is a life of its own under a name of its own:
// when it breaks, whatever was on its way is void, the next one joins anew and tells as a whole what the process holds.
// So nothing is ever sent twice, and a process that dies (or hangs) stops holding anything when its name expires.
import { Redis, type RedisOptions } from 'ioredis'
import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { AppError, describeError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import type { Log } from '../../observe/log.ts'
import { ADMIT, JOIN, LEAVE, RENEW, RESTORE, SETTLE } from './redis-scripts.ts'

const SCRIPTS = { admit: ADMIT, settle: SETTLE, join: JOIN, renew: RENEW, restore: RESTORE, leave: LEAVE }
type ScriptName = keyof typeof SCRIPTS

/** How long a process that says nothing is believed to live. */
const LIFE_MS = 6_000
const BEAT_MS = 1_500
/** For each step of setting up, and for each sign of life. */
const STEP_MS = 2_000
const RETRY_MS = 100
const RETRY_MAX_MS = 1_000
/** After Redis has lost its memory: until the others have told it what they hold. */
const REMEMBER_MS = 1_500

export interface RedisLinkOptions {
  readonly url: string
  readonly prefix: string
  readonly clock: Clock
  readonly log: Log
  /** Stands for this process' ledger, also after a restart. */
  readonly ledger: string
  /** What the process holds, as RESTORE takes it: for each subject two keys and four arguments. */
  readonly holding: () => Iterable<{ readonly keys: readonly string[]; readonly args: readonly string[] }>
  /** For tests: how far ahead of the server's clock to be. */
  readonly aheadMs?: (() => number) | undefined
}

/** A connection that is in use. */
export interface Joined {
  readonly name: string
  /** Answers what the script answers; rejects when the connection breaks. Sent in the order of the calls. */
  run(script: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
}

const RESTORED_AT_ONCE = 200

export class RedisLink {
  readonly #options: RedisLinkOptions
  readonly #stopping = new AbortController()
  readonly #serving: Promise<void>
  #joined: Joined | undefined
  #connected: ((joined: Joined) => void)[] = []
  #lostAtMs: number
  #why = 'Redis is not connected yet'
  #formerName = ''
  #runId: string | undefined
  #rememberedAtMs = 0
  /** What the server's clock is ahead of ours. */
  offsetMs = 0

  constructor(options: RedisLinkOptions) {
    this.#options = options
    this.#lostAtMs = options.clock.now()
    this.#serving = this.#serve()
  }

  get joined(): Joined | undefined {
    return this.#joined
  }

  /** Redis is there, but has lost what it knew, and not everybody can have told it again. */
  get remembering(): boolean {
    return this.#options.clock.now() < this.#rememberedAtMs
  }

  get trouble(): string | undefined {
    return this.#joined ? undefined : this.#why
  }

  /** How long the connection has been lost. */
  get lostMs(): number {
    return this.#joined ? 0 : this.#options.clock.now() - this.#lostAtMs
  }

  whenJoined(ms: number, signal: AbortSignal): Promise<Joined> {
    if (this.#joined) return Promise.resolve(this.#joined)
    return withDeadline(
      this.#options.clock,
      ms,
      signal,
      () => new Promise<Joined>((resolve) => this.#connected.push(resolve)),
    )
  }

  /** The name of this life is void: join under another. */
  leave: (why: string) => void = () => undefined

  async stop(): Promise<void> {
    this.#stopping.abort(new AppError('unavailable', 'Midwatch is stopping. Try again in a moment.'))
    await this.#serving
  }

  async #serve(): Promise<void> {
    const { clock, log } = this.#options
    let waitMs = RETRY_MS
    for (;;) {
      try {
        await this.#live(() => {
          waitMs = RETRY_MS
        })
      } catch (error) {
        this.#why = describeError(error)
      }
      if (this.#stopping.signal.aborted) return
      log.warn({ why: this.#why }, 'Redis is lost; limits are connecting again')
      await clock.sleep(waitMs, this.#stopping.signal).catch(() => undefined)
      waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)
    }
  }

  /** One life, from connecting to the loss of the connection, which it throws. */
  async #live(onJoined: () => void): Promise<void> {
    const { clock, url, log } = this.#options
    const redis = new Redis(connectionOptions(url))
    let cause: Error | undefined
    redis.on('error', (error: Error) => {
      cause = error
    })
    const over = new AbortController()
    redis.once('end', () => over.abort(cause ?? new Error('the connection was closed')))
    const signal = AbortSignal.any([over.signal, this.#stopping.signal])
    const step = <T>(work: () => Promise<T>): Promise<T> => withDeadline(clock, STEP_MS, signal, work)
    const name = newId('gw', clock.now())
    try {
      await step(() => redis.connect())
      const shas = new Map<string, string>()
      for (const [script, text] of Object.entries(SCRIPTS)) {
        shas.set(script, String(await step(() => redis.script('LOAD', text))))
      }
      const runId = /run_id:(\w+)/.exec(await step(() => redis.info('server')))?.[1]
      const ahead = this.#options.aheadMs ?? (() => 0)
      const joined: Joined = {
        name,
        run: (script, keys, args) =>
          redis.evalsha(shas.get(script) ?? '', keys.length, ...keys, ahead(), name, ...args),
      }
      const members = [`${this.#options.prefix}members`]
      const [now, knew] = (await step(() => joined.run('join', members, [LIFE_MS, this.#formerName]))) as [
        number,
        number,
      ]
      this.offsetMs = now - clock.now()
      if (this.#formerName !== '' && (knew === 0 || this.#runId !== runId))
        this.#rememberedAtMs = clock.now() + REMEMBER_MS
      this.#formerName = name
      this.#runId = runId
      // From what is sent here on, everything counts on this connection; so nothing may come between these two lines.
      const restored = this.#restore(joined)
      this.#joined = joined
      this.leave = (why) => {
        this.#lose()
        over.abort(new Error(why))
      }
      onJoined()
      for (const resolve of this.#connected.splice(0)) resolve(joined)
      await step(() => restored)
      log.info({ name }, 'limits are shared through Redis')
      for (;;) {
        await clock.sleep(BEAT_MS, signal)
        const known = await step(() => joined.run('renew', members, [LIFE_MS]))
        if (known !== 1) throw new Error('this process was silent for too long, and was taken for dead')
      }
    } catch (error) {
      const { joined } = this
      if (joined && this.#stopping.signal.aborted && !over.signal.aborted) {
        await withDeadline(clock, STEP_MS, over.signal, () =>
          joined.run('leave', [`${this.#options.prefix}members`], []),
        ).catch(() => undefined)
      }
      throw error
    } finally {
      this.#lose()
      redis.disconnect()
    }
  }

  #lose(): void {
    if (this.#joined) this.#lostAtMs = this.#options.clock.now()
    this.#joined = undefined
    this.leave = () => undefined
  }

  #restore(joined: Joined): Promise<unknown> {
    const { prefix, ledger, holding } = this.#options
    const sent: Promise<unknown>[] = []
    let keys = [`${prefix}members`]
    let args: string[] = [ledger]
    const send = (): void => {
      if (keys.length > 1) sent.push(joined.run('restore', keys, args))
      keys = [`${prefix}members`]
      args = [ledger]
    }
    for (const one of holding()) {
      keys.push(...one.keys)
      args.push(...one.args)
      if (keys.length > 2 * RESTORED_AT_ONCE) send()
    }
    send()
    return Promise.all(sent)
  }
}

/** `unix:///run/redis.sock?db=1` is a socket; everything else ioredis reads by itself. */
function connectionOptions(url: string): RedisOptions {
  const shared: RedisOptions = {
    lazyConnect: true,
    connectTimeout: STEP_MS,
    // A command that was on its way may have been carried out: it is never sent again.
    retryStrategy: () => null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  }
  const at = new URL(url)
  const db = Number(at.protocol === 'unix:' ? (at.searchParams.get('db') ?? 0) : at.pathname.slice(1)) || 0
  const account = {
    ...(at.username === '' ? {} : { username: decodeURIComponent(at.username) }),
    ...(at.password === '' ? {} : { password: decodeURIComponent(at.password) }),
  }
  if (at.protocol === 'unix:') return { ...shared, ...account, db, path: decodeURIComponent(at.pathname) }
  return {
    ...shared,
    ...account,
    db,
    host: at.hostname.replace(/^\[|\]$/g, ''),
    port: Number(at.port) || 6379,
    ...(at.protocol === 'rediss:' ? { tls: {} } : {}),
  }
}
