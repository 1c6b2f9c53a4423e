// Two services small enough to stand in one test: checkout calls inventory. They export real metrics under a steady
// load and write a log; a bad release of inventory can be put in, and a request like any action's takes it out again.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Counter, Histogram, Registry } from 'prom-client'

export interface SmallShop {
  /** Prometheus's `file_sd` format. */
  readonly targetFile: string
  readonly logsDir: string
  /** Takes the bad release back: `POST {actionUrl}/{service}/rollback`. */
  readonly actionUrl: string
  /** Requests that asked for it, in order: their idempotency keys. */
  readonly rollbacks: readonly string[]
  breakInventory(): void
  stop(): Promise<void>
}

const TICK_MS = 250
const REQUESTS_A_TICK = 5
/** Of ten requests to the bad release. */
const FAIL_OF_TEN = 6

/** `hostile` stands in the error lines that the bad release writes. */
export async function startSmallShop(workDir: string, hostile: string): Promise<SmallShop> {
  const logsDir = join(workDir, 'logs')
  mkdirSync(logsDir, { recursive: true })
  const inventory = service()
  const checkout = service()
  const calls = new Counter({
    name: 'http_client_requests_total',
    help: 'Calls to other services',
    labelNames: ['peer', 'status'],
    registers: [checkout.registry],
  })
  const rollbacks: string[] = []
  let broken = false
  let served = 0

  const log = (name: string, level: string, msg: string): void =>
    appendFileSync(
      join(logsDir, `${name}.log`),
      `${JSON.stringify({ time: new Date().toISOString(), service: name, level, msg })}\n`,
    )
  const oneRequest = (): void => {
    served++
    const fails = broken && served % 10 < FAIL_OF_TEN
    const status = fails ? '500' : '200'
    const seconds = 0.02 + (served % 7) / 1000
    inventory.count(status, seconds)
    calls.inc({ peer: 'inventory', status })
    checkout.count(status, seconds + 0.01)
    if (fails) log('inventory', 'error', `reserve failed for order ${served}: no column "reserved" ${hostile}`)
    else if (served % 20 === 0) log('checkout', 'info', `order ${served} placed`)
  }
  const load = setInterval(() => {
    for (let i = 0; i < REQUESTS_A_TICK; i++) oneRequest()
  }, TICK_MS)

  const rollBack = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume()
    if (request.method !== 'POST' || request.url !== '/inventory/rollback') return void response.writeHead(404).end()
    rollbacks.push(String(request.headers['idempotency-key']))
    broken = false
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"rolledBack":true}')
  }
  const metrics =
    (registry: Registry) =>
    async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = await registry.metrics()
      response.writeHead(200, { 'content-type': registry.contentType }).end(body)
    }
  const servers = await Promise.all([
    listen(metrics(inventory.registry)),
    listen(metrics(checkout.registry)),
    listen(async (request, response) => rollBack(request, response)),
  ])
  const [inventoryAt, checkoutAt, actionsAt] = servers.map(
    (server) => `127.0.0.1:${(server.address() as AddressInfo).port}`,
  )
  const targetFile = join(workDir, 'targets.json')
  writeFileSync(
    targetFile,
    JSON.stringify([
      { targets: [inventoryAt], labels: { service: 'inventory' } },
      { targets: [checkoutAt], labels: { service: 'checkout' } },
    ]),
  )
  return {
    targetFile,
    logsDir,
    actionUrl: `http://${actionsAt}`,
    rollbacks,
    breakInventory: () => {
      broken = true
    },
    stop: async () => {
      clearInterval(load)
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve())
              server.closeAllConnections()
            }),
        ),
      )
    },
  }
}

function service() {
  const registry = new Registry()
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'How long requests took',
    labelNames: ['route'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5],
    registers: [registry],
  })
  return {
    registry,
    count: (status: string, seconds: number): void => {
      requests.inc({ method: 'POST', route: '/orders', status })
      duration.observe({ route: '/orders' }, seconds)
    },
  }
}

function listen(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((request, response) => {
      handle(request, response).catch(() => response.destroy())
    })
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}
