// The entry of every shop service: one process, one service, named by its start message.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createCaller } from './call.ts'
import { runChild, tellParent } from './child.ts'
import type { MakeService, ServiceContext } from './context.ts'
import { createDbPool } from './db-pool.ts'
import { serveRoutes } from './http-service.ts'
import { createShopLog } from './json-log.ts'
import { createShopMetrics } from './metrics.ts'
import { sabotage } from './sabotage.ts'
import { countStart } from './state-file.ts'
import { openVolume } from './volume.ts'
import { createWorkers } from './workers.ts'

// Loaded on demand, so that only the database pays for SQLite.
const SERVICES: Readonly<Record<string, () => Promise<MakeService>>> = {
  storefront: async () => (await import('./services/storefront.ts')).storefront,
  catalogue: async () => (await import('./services/catalogue.ts')).catalogue,
  cart: async () => (await import('./services/cart.ts')).cart,
  checkout: async () => (await import('./services/checkout.ts')).checkout,
  payment: async () => (await import('./services/payment.ts')).payment,
  inventory: async () => (await import('./services/inventory.ts')).inventory,
  recommendations: async () => (await import('./services/recommendations.ts')).recommendations,
  assistant: async () => (await import('./services/assistant.ts')).assistant,
  'shop-db': async () => (await import('./database/shop-db.ts')).shopDb,
  'orders-queue': async () => (await import('./queue/orders-queue.ts')).ordersQueue,
  fulfilment: async () => (await import('./services/fulfilment.ts')).fulfilment,
}

const MEMORY_EVERY_MS = 1000
/** Between "no new requests, please" and closing: callers learn of it meanwhile. */
const DRAIN_GRACE_MS = 200

runChild(async (start) => {
  const load = SERVICES[start.service]
  if (!load) throw new Error(`there is no service called ${start.service}`)
  const log = createShopLog(start.logFile, start.service)
  const metrics = createShopMetrics()
  const call = createCaller(metrics, start.endpoints)
  let flags = start.flags
  const setting = (key: string, fallback: string) => start.config[key] ?? fallback
  const amount = (key: string, fallback: number) => {
    const value = Number(setting(key, String(fallback)))
    return Number.isFinite(value) ? value : fallback
  }

  const context: ServiceContext = {
    behaviour: start.behaviour,
    log,
    metrics,
    call,
    flags: () => flags,
    secretsFile: start.secretsFile,
    seed: start.seed,
    openPool: () =>
      createDbPool(call, metrics, {
        max: amount('db.pool.max', 8),
        acquireTimeoutMs: amount('db.pool.timeoutMs', 1000),
        queryTimeoutMs: amount('db.timeoutMs', 4000),
      }),
    volume: () => {
      if (!start.volume) throw new Error(`${start.service} has no volume`)
      return openVolume(start.volume.dir, start.volume.quotaBytes, 'data', metrics.registry)
    },
    setting,
    amount,
  }

  try {
    mkdirSync(start.scratchDir, { recursive: true })
    countStart(join(start.scratchDir, 'state.json'))
    const make = await load()
    const service = await make(context)
    const http = await serveRoutes({
      routes: service.routes.map((route) => sabotage(route, start.behaviour)),
      metrics,
      log,
      workers: createWorkers(amount('workers', 0)),
      port: start.port,
    })
    log.info(`${start.service} ${start.release} listens on port ${http.port}`)
    const memory = setInterval(
      () => tellParent({ type: 'memory', rssBytes: process.memoryUsage.rss() }),
      MEMORY_EVERY_MS,
    )
    return {
      ports: { [start.service]: http.port },
      endpoints: call.setEndpoints,
      flags: (now) => {
        flags = now
        service.flags?.(now)
      },
      trouble: (trouble) => service.trouble?.(trouble),
      drain: async () => {
        await new Promise((resolve) => setTimeout(resolve, DRAIN_GRACE_MS))
        await http.close()
        await service.stop?.()
        clearInterval(memory)
        log.info(`${start.service} ${start.release} stopped`)
        log.flush()
      },
    }
  } catch (error) {
    log.fatal(`cannot start: ${error instanceof Error ? error.message : String(error)}`)
    return process.exit(1)
  }
})
