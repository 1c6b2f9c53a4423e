// What the platform and its processes say to each other over the IPC channel. Endpoints, flags, what a release does and
// what goes wrong travel here and nowhere else: not in arguments, not in the environment, not in files.

/** What is different about a release. Every field absent: nothing. Each service reads those that concern it. */
export interface Behaviour {
  /** This share of requests to `failRoute` throws `failMessage`. */
  readonly failShare?: number
  readonly failRoute?: string
  readonly failMessage?: string
  /** Every request leaves this much behind in memory. */
  readonly keepKbPerRequest?: number
  /** This share of requests never gives its database connection back. */
  readonly leakConnectionShare?: number
  /** The database runs without this index. */
  readonly withoutIndex?: string
}

/** What goes wrong in a running process, without a release of its own. */
export type Trouble =
  | { readonly kind: 'runaway-job'; /** Share of the processor it takes, 0 to 1. */ readonly share: number }
  | { readonly kind: 'heavy-report'; readonly busyShare: number; readonly queryMs: number }
  | { readonly kind: 'no-report' }
  | { readonly kind: 'stuck-consumer'; readonly everyMs: number }
  | { readonly kind: 'trace-to-disk'; readonly megabytesPerSecond: number }
  | { readonly kind: 'slow-answers'; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'failing-answers'; readonly share: number; readonly status: number }
  | { readonly kind: 'token'; readonly token: string; readonly expiresAtMs: number }
  | { readonly kind: 'die' }
  | { readonly kind: 'well' }

/** Service name → base addresses of its instances. */
export type Endpoints = Readonly<Record<string, readonly string[]>>
export type Flags = Readonly<Record<string, 'on' | 'off'>>

export interface StartMessage {
  readonly type: 'start'
  readonly service: string
  readonly release: string
  readonly behaviour: Behaviour
  readonly config: Readonly<Record<string, string>>
  readonly flags: Flags
  readonly endpoints: Endpoints
  readonly logFile: string
  readonly volume: { readonly dir: string; readonly quotaBytes: number } | undefined
  /** Outlives a crash, not a restart. */
  readonly scratchDir: string
  /** Where credentials are read from at start. */
  readonly secretsFile: string
  /** The port of the process it takes the place of after a crash, else 0. */
  readonly port: number
  readonly seed: number
}

export type ToProcess =
  | StartMessage
  | { readonly type: 'endpoints'; readonly endpoints: Endpoints }
  | { readonly type: 'flags'; readonly flags: Flags }
  | { readonly type: 'trouble'; readonly trouble: Trouble }
  | { readonly type: 'surge'; readonly factor: number }
  | { readonly type: 'drain' }

export type FromProcess =
  | { readonly type: 'ready'; /** Logical name → port. */ readonly ports: Readonly<Record<string, number>> }
  | { readonly type: 'memory'; readonly rssBytes: number }
  | { readonly type: 'troubled' }
  | { readonly type: 'load'; readonly stats: unknown }
