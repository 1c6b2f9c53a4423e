// For tests: four HTTP targets whose metrics are functions of time, so that whoever scrapes them, and whenever, sees the
// same truth. In the course of a run one process restarts, one queue goes away, and one service goes down.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export const SHOP = {
  /** Seconds after `begin`. */
  restartAt: 5,
  queueGoneAt: 6,
  downAt: 8,
  endAt: 12,
  /** Requests a second of each process, for `GET`; `POST` has a quarter. */
  getRate: 40,
  postRate: 10,
  /** Seconds that a request takes on average. */
  meanSeconds: 0.15,
  /** A label value that has to be escaped everywhere. */
  oddRoute: 'say "hi" \\ to\nall',
} as const

interface ShopTarget {
  readonly service: string
  readonly address: string
  /** True when it names its service by its job alone. */
  readonly byJob: boolean
}

export interface Shop {
  readonly targets: readonly ShopTarget[]
  /** The script starts here; until then everything stands at zero. */
  begin(): void
  stop(): Promise<void>
}

type Role = 'checkout-1' | 'checkout-2' | 'cart' | 'legacy'

export async function openShop(): Promise<Shop> {
  let beganMs: number | undefined
  const elapsed = () => (beganMs === undefined ? 0 : (performance.now() - beganMs) / 1000)
  const servers: Server[] = []
  const open = async (role: Role): Promise<string> => {
    const server = createServer((_request, response) => {
      const seconds = elapsed()
      if (role === 'cart' && seconds >= SHOP.downAt) return void response.destroy()
      response.setHeader('content-type', 'text/plain; version=0.0.4')
      response.end(exposition(role, seconds))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    servers.push(server)
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const targets: ShopTarget[] = [
    { service: 'checkout', address: await open('checkout-1'), byJob: false },
    { service: 'checkout', address: await open('checkout-2'), byJob: false },
    { service: 'cart', address: await open('cart'), byJob: false },
    { service: 'legacy', address: await open('legacy'), byJob: true },
  ]
  return {
    targets,
    begin() {
      beganMs = performance.now()
    },
    async stop() {
      for (const server of servers) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

const escape = (value: string) =>
  value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)

function exposition(role: Role, seconds: number): string {
  const alive = role === 'checkout-2' && seconds >= SHOP.restartAt ? seconds - SHOP.restartAt : seconds
  const total = SHOP.getRate * alive
  const lines = [
    '# HELP http_requests_total Requests, by route.',
    '# TYPE http_requests_total counter',
    `http_requests_total{method="GET",route="/"} ${total}`,
    `http_requests_total{method="POST",route="${escape(SHOP.oddRoute)}"} ${SHOP.postRate * alive}`,
  ]
  if (role === 'legacy') return `${lines.join('\n')}\n`
  // Evenly from 0.05 to 0.25 s: half of them up to 0.15.
  const bucket = (le: string, share: number) =>
    `http_request_duration_seconds_bucket{route="/",le="${le}"} ${total * share}`
  lines.push(
    '# HELP http_request_duration_seconds Time to answer.',
    '# TYPE http_request_duration_seconds histogram',
    bucket('0.05', 0),
    bucket('0.1', 0.25),
    bucket('0.15', 0.5),
    bucket('0.2', 0.75),
    bucket('0.25', 1),
    bucket('+Inf', 1),
    `http_request_duration_seconds_sum{route="/"} ${total * SHOP.meanSeconds}`,
    `http_request_duration_seconds_count{route="/"} ${total}`,
    '# HELP db_pool_connections Connections by state.',
    '# TYPE db_pool_connections gauge',
    `db_pool_connections{state="in_use"} ${10 + alive}`,
    `db_pool_connections{state="idle"} ${20 - alive}`,
    '# TYPE odd_numbers gauge',
    'odd_numbers{kind="nan"} NaN',
    'odd_numbers{kind="inf"} +Inf',
    'odd_numbers{kind="tiny"} 1e-300',
  )
  if (role === 'checkout-1' && seconds < SHOP.queueGoneAt)
    lines.push('# TYPE queue_depth gauge', 'queue_depth{queue="mail"} 7')
  return `${lines.join('\n')}\n`
}
