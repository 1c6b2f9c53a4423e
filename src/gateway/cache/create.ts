// The cache that the config asks for.
import type { Config } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../observe/log.ts'
import { AnswerCache } from './answer-cache.ts'
import type { AnswerStore } from './answer-store.ts'
import { MemoryStore } from './memory-store.ts'
import { RedisStore } from './redis-store.ts'

export interface CacheParts {
  readonly config: Pick<Config, 'models' | 'redis'>
  readonly clock: Clock
  readonly log: Log
}

/** No connection is made where no model is cached. */
export function createAnswerCache({ config, clock, log }: CacheParts): AnswerCache {
  const wanted = Object.values(config.models).some(({ cache }) => cache.mode !== 'off')
  const store: AnswerStore =
    wanted && config.redis ? new RedisStore({ ...config.redis, log }) : new MemoryStore({ clock })
  return new AnswerCache({ store, clock, log })
}
