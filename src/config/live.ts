// The config while Midwatch runs: a change of the file is read whole, checked whole, and taken whole or not at all. What
// cannot change without a restart keeps the value it had at the start, and is named.
//
// The file is looked at, not listened to: editors replace it, and mounted config maps are links to links, of which no
// system tells reliably. It is read once it has stopped changing for a second, so that half of a file is never taken.
import { stat } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { describeError } from '../core/errors.ts'
import { fingerprint } from './fingerprint.ts'
import { ConfigError } from './load.ts'
import { findContradictions } from './references.ts'
import type { Config } from './schema.ts'

/** All else needs a restart. */
const LIVE = ['providers', 'models', 'limits', 'overload', 'privacy'] as const satisfies readonly (keyof Config)[]

const LOOK_MS = 500
/** As often in a row it has to look the same. */
const SETTLED_LOOKS = 2

export type ReloadResult =
  | { readonly kind: 'taken'; readonly changed: readonly string[]; readonly needRestart: readonly string[] }
  | { readonly kind: 'refused'; readonly problems: readonly string[] }

export interface ConfigState {
  /** null: there was none, so the embedded default holds. */
  readonly file: string | null
  /** When what holds now was read. ms since the epoch. */
  readonly loadedAt: number
  /** Keys whose new values wait for a restart. */
  readonly needRestart: readonly string[]
  /** Why the file as it stands was refused; null when it was not. */
  readonly refused: { readonly at: number; readonly problems: readonly string[] } | null
}

export interface LiveConfigOptions {
  readonly file: string | null
  /** What holds at the start. */
  readonly config: Config
  /** Reads the file and checks it. Throws ConfigError. */
  readonly read: () => Config
  /** Puts it in force, whole; what it throws changes nothing. */
  readonly apply: (config: Config) => void
  readonly onResult: (result: ReloadResult) => void
  readonly clock: Clock
}

export class LiveConfig {
  readonly #options: LiveConfigOptions
  readonly #start: Config
  readonly #stopping = new AbortController()
  #watching: Promise<void> | undefined
  #config: Config
  #state: ConfigState

  constructor(options: LiveConfigOptions) {
    this.#options = options
    this.#start = options.config
    this.#config = options.config
    this.#state = { file: options.file, loadedAt: options.clock.now(), needRestart: [], refused: null }
  }

  get state(): ConfigState {
    return this.#state
  }

  /** Follows the file from now on, if there is one. */
  watch(): void {
    if (this.#options.file !== null) this.#watching ??= this.#watch(this.#options.file)
  }

  /** Reads the file now, whether or not it changed. */
  reload(): ReloadResult {
    let result: ReloadResult
    try {
      result = this.#take(this.#options.read())
    } catch (error) {
      result = { kind: 'refused', problems: error instanceof ConfigError ? error.problems : [describeError(error)] }
    }
    const at = this.#options.clock.now()
    this.#state =
      result.kind === 'taken'
        ? { ...this.#state, loadedAt: at, needRestart: result.needRestart, refused: null }
        : { ...this.#state, refused: { at, problems: result.problems } }
    this.#options.onResult(result)
    return result
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#watching
  }

  #take(read: Config): ReloadResult {
    const next = { ...this.#start, ...pick(read, LIVE) }
    // Among the new values there is no contradiction, but one of them may need an old value that stays.
    const mixed = findContradictions(next)
    if (mixed.length > 0) {
      const problems = mixed.map(
        ({ path, message }) =>
          `${path.join('.')}: ${message} (${path[0] ?? ''} keeps its old value until Midwatch is started again)`,
      )
      return { kind: 'refused', problems }
    }
    const changed = LIVE.filter((key) => fingerprint(next[key]) !== fingerprint(this.#config[key]))
    if (changed.length > 0) this.#options.apply(next)
    this.#config = next
    return { kind: 'taken', changed, needRestart: needRestart(this.#start, read) }
  }

  async #watch(file: string): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopping
    let known = await looksOf(file)
    let last = known
    let looks = 0
    for (;;) {
      await clock.sleep(LOOK_MS, signal).catch(() => undefined)
      if (signal.aborted) return
      const now = await looksOf(file)
      looks = now === last ? looks + 1 : 0
      last = now
      if (now === known || looks < SETTLED_LOOKS) continue
      known = now
      this.reload()
    }
  }
}

/** Whatever changes when a file is written or replaced. */
async function looksOf(file: string): Promise<string> {
  try {
    const { ino, dev, size, mtimeNs } = await stat(file, { bigint: true })
    return `${dev} ${ino} ${size} ${mtimeNs}`
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}

function needRestart(start: Config, read: Config): string[] {
  const keys = new Set([...Object.keys(start), ...Object.keys(read)])
  for (const live of LIVE) keys.delete(live)
  const redisLoss = start.limits.onRedisLoss === read.limits.onRedisLoss ? [] : ['limits.onRedisLoss']
  return [...[...keys].flatMap((key) => differences(key, start, read)), ...redisLoss]
}

/** `agent.actions` rather than `agent`. */
function differences(key: string, start: Config, read: Config): string[] {
  const a: unknown = start[key as keyof Config]
  const b: unknown = read[key as keyof Config]
  if (fingerprint(a) === fingerprint(b)) return []
  if (!isRecord(a) || !isRecord(b)) return [key]
  const inner = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...inner].filter((one) => fingerprint(a[one]) !== fingerprint(b[one])).map((one) => `${key}.${one}`)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const pick = <T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> =>
  Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>
