// The cache that the config asks for: in Redis where there is one, else in this process.
import type { Config } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../observe/log.ts'
import { AnswerCache } from './answer-cache.ts'
import type { AnswerStore } from './answer-store.ts'
import { MemoryStore } from './memory-store.ts'
import { RedisStore } from './redis-store.ts'

export interface CacheParts {
  readonly config: Pick<Config, 'redis'>
  readonly clock: Clock
  readonly log: Log
}

export function createAnswerCache({ config, clock, log }: CacheParts): AnswerCache {
  const store: AnswerStore = config.redis ? new RedisStore({ ...config.redis, log }) : new MemoryStore({ clock })
  return new AnswerCache({ store, clock, log })
}
