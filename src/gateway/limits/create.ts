// The limiter that the config asks for.
import type { Config } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../db/connect.ts'
import type { Log } from '../../observe/log.ts'
import type { GatewayTables } from '../tables.ts'
import { InProcessLimiter } from './in-process.ts'
import type { Limiter } from './limiter.ts'
import { RedisLimiter } from './redis.ts'
import { Spending, type SpentSince } from './spending.ts'
import { createSpentSince, readLedgerId } from './spent-since.ts'

export interface LimiterOptions {
  readonly config: Pick<Config, 'redis' | 'limits'>
  /** With `gatewayMigrations` applied. */
  readonly db: Db<GatewayTables>
  /** Resolves when all that the ledger was told, by this run and by earlier ones, is in the database. */
  readonly flush: () => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** Does not wait long for a Redis that is away: the limiter says so itself, and connects when it is there. */
export async function createLimiter({ config, db, flush, clock, log }: LimiterOptions): Promise<Limiter> {
  const read = createSpentSince(db)
  const spentSince: SpentSince = async (subject, fromMs) => {
    await flush()
    return await read(subject, fromMs)
  }
  if (!config.redis) return new InProcessLimiter(clock, new Spending(spentSince, clock))
  const limiter = new RedisLimiter({
    ...config.redis,
    onLoss: config.limits.onRedisLoss,
    clock,
    log,
    ledger: await readLedgerId(db),
    spentSince,
  })
  await limiter.start()
  return limiter
}
