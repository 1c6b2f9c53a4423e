import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Redis } from 'ioredis'
import { silentLog } from '../../observe/log.ts'
import { type RedisServer, startRedis } from '../../../test/redis.ts'
import { requireService } from '../../../test/services.ts'
import { RedisStore } from './redis-store.ts'
import { answer, storeContract } from './testing/store-contract.ts'

const log = silentLog()
const program = requireService('redis-server')

/** Until it is so: what is waited for is another process. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}

const connected = async (store: RedisStore): Promise<RedisStore> => {
  await until(async () => {
    store.set('probe', answer('probe'), 60)
    return (await store.get('probe')) !== undefined
  })
  return store
}

describe.skipIf(program === undefined)('with a Redis', () => {
  let redis: RedisServer
  let store: RedisStore
  let raw: Redis

  beforeAll(async () => {
    redis = await startRedis(program as string)
    raw = new Redis(redis.url)
    store = await connected(new RedisStore({ url: redis.url, prefix: 'test:', log }))
  })

  afterAll(async () => {
    await store.stop()
    raw.disconnect()
    await redis.stop()
  })

  storeContract('the store in Redis', {
    store: () => store,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    // One connection answers in order: what was sent before is done.
    settled: async () => void (await store.get('settled')),
  })

  test('every key has the prefix and a time to live', async () => {
    store.set('kept', answer('kept'), 60)
    await store.get('kept')
    const keys = await raw.keys('*')
    expect(keys).toContain('test:cache:1:kept')
    for (const key of keys) expect(await raw.pttl(key)).toBeGreaterThan(0)
  })

  test('an answer that another process kept is found', async () => {
    const other = await connected(new RedisStore({ url: redis.url, prefix: 'test:', log }))
    other.set('shared', answer('shared'), 60)
    await other.get('shared')
    expect(await store.get('shared')).toEqual(answer('shared'))
    await other.stop()
  })

  test('what is no whole answer is a miss', async () => {
    const whole = await (async () => {
      store.set('whole', answer('whole'), 60)
      await store.get('whole')
      return (await raw.getBuffer('test:cache:1:whole')) as Buffer
    })()
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('nonsense, and long'),
      whole.subarray(0, -1),
      Buffer.concat([whole, whole]),
    ]) {
      await raw.set('test:cache:1:broken', bytes)
      expect(await store.get('broken')).toBeUndefined()
    }
    await raw.del('test:cache:1:broken')
  })

  test('a Redis that goes away is a miss at once, and is used again when it is back', async () => {
    const lost = await startRedis(program as string)
    const own = await connected(new RedisStore({ url: lost.url, prefix: '', log }))
    await lost.stop()
    const fromMs = performance.now()
    for (let i = 0; i < 100; i++) {
      own.set(`key ${i}`, answer('x'), 60)
      expect(await own.get(`key ${i}`)).toBeUndefined()
    }
    expect(performance.now() - fromMs).toBeLessThan(1_500)
    const back = await startRedis(program as string, lost.port)
    await connected(own)
    await own.stop()
    await back.stop()
  })

  test('a Redis that hangs costs a few milliseconds once, then nothing, and is used again when it wakes', async () => {
    const hung = await startRedis(program as string)
    const own = await connected(new RedisStore({ url: hung.url, prefix: '', log }))
    process.kill(hung.pid, 'SIGSTOP')
    const fromMs = performance.now()
    for (let i = 0; i < 200; i++) {
      own.set(`key ${i}`, answer('x'), 60)
      expect(await own.get(`key ${i}`)).toBeUndefined()
    }
    // To wait each time would take four seconds.
    expect(performance.now() - fromMs).toBeLessThan(2_000)
    process.kill(hung.pid, 'SIGCONT')
    await connected(own)
    await own.stop()
    await hung.stop()
  })
})

test('a Redis that never was there is a miss, and stops nothing', async () => {
  const store = new RedisStore({ url: 'redis://127.0.0.1:1', prefix: '', log })
  store.set('key', answer('x'), 60)
  expect(await store.get('key')).toBeUndefined()
  store.delete('key')
  await store.stop()
})
