// What a service of the shop is given at its start, and what it gives back.
import type { Caller } from './call.ts'
import type { DbPool } from './db-pool.ts'
import type { ShopRoute } from './http-service.ts'
import type { ShopLog } from './json-log.ts'
import type { Behaviour, Flags, Trouble } from './messages.ts'
import type { ShopMetrics } from './metrics.ts'
import type { Volume } from './volume.ts'

export interface ServiceContext {
  readonly behaviour: Behaviour
  readonly log: ShopLog
  readonly metrics: ShopMetrics
  readonly call: Caller
  /** Of the moment: flags change while the process runs. */
  readonly flags: () => Flags
  readonly secretsFile: string
  readonly seed: number
  /** Opens the service's pool of connections to shop-db. */
  readonly openPool: () => DbPool
  /** Throws when the platform gave the service none. */
  readonly volume: () => Volume
  /** A setting, or the fallback when it is not set. */
  readonly setting: (key: string, fallback: string) => string
  /** A setting that is a number. */
  readonly amount: (key: string, fallback: number) => number
}

export interface Service {
  readonly routes: readonly ShopRoute[]
  trouble?(trouble: Trouble): void | Promise<void>
  flags?(flags: Flags): void
  /** Ends work of its own, when the last request is answered. */
  stop?(): void | Promise<void>
}

export type MakeService = (context: ServiceContext) => Service | Promise<Service>
