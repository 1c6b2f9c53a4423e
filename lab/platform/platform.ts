// What the platform under the shop offers: to the lab's runner, to the faults, and (through its HTTP address) to the
// actions of the on-call agent. Everything here is really carried out: a deploy is a new process, a flag reaches the
// running ones. What a release does is known to nobody outside but through its effects.
import type { Change } from '../../src/core/telemetry.ts'
import type { Log } from '../../src/observe/log.ts'
import type { LoadStats } from '../load/tally.ts'
import type { Behaviour, Trouble } from '../shop/messages.ts'
import type { Random } from './random.ts'

/** The shop's own services: each is a process (or several) with metrics and a log. */
export const SERVICES = [
  'storefront',
  'catalogue',
  'cart',
  'checkout',
  'payment',
  'inventory',
  'recommendations',
  'assistant',
  'shop-db',
  'orders-queue',
  'fulfilment',
] as const
export type ServiceName = (typeof SERVICES)[number]

/** Other people's systems that the shop calls: real processes too, with no metrics and no log of ours. */
export const OUTSIDE = ['acquirer', 'model-provider'] as const
export type OutsideName = (typeof OUTSIDE)[number]

/** Flags reach the running processes at once. */
export const FLAGS = {
  'payment-backup-acquirer': { service: 'payment', initially: 'off' },
  'assistant-model-off': { service: 'assistant', initially: 'off' },
  'report-jobs': { service: 'shop-db', initially: 'on' },
} as const satisfies Record<string, { service: ServiceName; initially: 'on' | 'off' }>
export type FlagName = keyof typeof FLAGS

export interface PlatformOptions {
  /** Made when missing. Logs, volumes, the target file and secrets of the shop live here. */
  readonly workDir: string
  /** Where changes are reported and the assistant asks its model. Without it changes are only kept in memory, and the assistant asks the scripted model itself. */
  readonly midwatchUrl?: string
  /** A key with the scope `alerts:write`. */
  readonly midwatchKey?: string
  /** The assistant's own key (`llm:chat`). */
  readonly assistantKey?: string
  /** The gateway's name of the assistant's model; `assistant` when not given. */
  readonly assistantModel?: string
  readonly seed: number
  /** Multiplies the traffic; 1 is about 18 requests a second at the storefront. 0 starts none. */
  readonly load?: number
  readonly log: Log
  /** Further lines of the target file, such as Midwatch itself: `{ service: 'midwatch', target: '127.0.0.1:4747' }`. */
  readonly extraTargets?: readonly { readonly service: string; readonly target: string }[]
}

export interface Release {
  /** A short hash such as `8f2c1`. */
  readonly hash: string
  /** The release note, as its author sees it: goes into the change's summary. */
  readonly note: string
  /** What is different in this release. Never shown. */
  readonly behaviour: Behaviour
}

/** What a service runs: one release with one revision of its configuration. */
export interface Revision {
  readonly release: Release
  /** `r12` */
  readonly configRevision: string
  readonly config: Readonly<Record<string, string>>
}

export interface InstanceView {
  readonly service: ServiceName
  readonly pid: number | undefined
  readonly port: number | undefined
  readonly state: 'starting' | 'ready' | 'crashed' | 'draining' | 'gone'
  /** How often the supervisor had to start it again. */
  readonly crashes: number
}

export interface Done {
  readonly changeId: string
}

/** Who did it and why, for the change's report. */
export interface Authored {
  readonly author?: string
  readonly summary?: string
}

/** One line of the journal of what the platform was asked to do over HTTP. */
export interface Operation {
  /** The idempotency key. */
  readonly key: string
  readonly action: 'rollback' | 'restart' | 'scale' | 'flag'
  readonly target: string
  readonly to?: string
  readonly state: 'running' | 'done' | 'failed'
  /** How often it was really carried out: 1, or there is a bug. */
  readonly carriedOut: number
  /** How often it was asked for. */
  readonly asked: number
  readonly startedAt: number
  readonly finishedAt?: number
  readonly detail?: string
}

export interface Platform {
  /** Its HTTP address, where actions are carried out. */
  readonly url: string
  /** The storefront's address of the moment. */
  readonly shopUrl: string
  /** The scripted model's OpenAI-compatible address, ending in `/v1`. */
  readonly modelProviderUrl: string
  /** Prometheus `file_sd` format, kept true. */
  readonly targetFile: string
  /** JSON-line logs, one file a service. */
  readonly logsDir: string
  readonly load: number

  deploy(service: ServiceName, release: Release, by?: Authored): Promise<Done>
  /** Sets one key of the service's configuration: a new revision, rolled out like a deploy. */
  configure(service: ServiceName, key: string, value: string, by?: Authored): Promise<Done>
  setFlag(flag: FlagName, to: 'on' | 'off', by?: Authored): Promise<Done>
  restart(service: ServiceName, by?: Authored): Promise<Done>
  scale(service: ServiceName, instances: number, by?: Authored): Promise<Done>
  /**
   * Takes back the last deploy or configuration, or goes to the release or configuration revision `to`.
   * Throws AppError `conflict` when there is nothing to go back to, `not_found` when `to` never ran.
   */
  rollBack(service: ServiceName, to?: string, by?: Authored): Promise<Done>
  /** Takes back one reported change of the service: its release, its configuration or its flag is as it was before. */
  takeBack(service: ServiceName, changeId: string, by?: Authored): Promise<Done>
  /** A deploy that changes nothing that matters: a red herring. */
  harmlessDeploy(random: Random): Promise<Done & { readonly service: ServiceName }>

  /** Makes running processes of a service (or an outside system) misbehave for real. A new process knows nothing of it. */
  trouble(target: ServiceName | OutsideName, trouble: Trouble): Promise<void>
  /** Multiplies the traffic from now on; 1 is normal. */
  surge(factor: number): void
  loadStats(): LoadStats
  /** Gives the service's credential store a new token and lets the old one run out now. */
  expireToken(): Promise<void>

  revision(service: ServiceName): Revision
  flag(flag: FlagName): 'on' | 'off'
  instances(service: ServiceName): readonly InstanceView[]
  /** The volume folder of the first instance, for services that write files. */
  volumeDir(service: ServiceName): string | undefined
  /** A folder that outlives crashes but not a restart. */
  scratchDir(service: ServiceName): string
  /** The journal of operations asked for over HTTP. */
  operations(): readonly Operation[]
  /** Every change made so far, reported or waiting to be. */
  changes(): readonly Change[]
  /** How many changes Midwatch has not accepted yet. */
  unreportedChanges(): number
  stop(): Promise<void>
}
