// Every fault on one real shop: it hurts as it should within seconds, where it should, and the action of the catalogue
// that fits mends it. Real processes and real time: there is nothing here that a clock could advance.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/observe/log.ts'
import type { ActionConfig } from '../../src/config/schema.ts'
import { actionCatalogue } from '../../lab/catalogue.ts'
import type { Platform } from '../../lab/platform/platform.ts'
import { createRandom } from '../../lab/platform/random.ts'
import { startPlatform } from '../../lab/platform/start.ts'
import { FAULTS } from '../../lab/faults/all.ts'
import { type Fault, injectFault } from '../../lab/faults/fault.ts'
import { troubleLogged, watchFor, type Window } from '../../lab/platform/look.ts'

const LOAD = 1.5
const SHOWS_WITHIN_MS = 25_000
const WELL_WITHIN_MS = 25_000
const LOOK_MS = 1300

const MEMORY = 'process_resident_memory_bytes'
const FAILED = { status: /^5/ }
const failures = (window: Window, service: string) => window.rate(service, 'http_requests_total', FAILED)
/** As the storefront feels it: a process that is busy starts its own clock too late. */
const meanOfPeer = (window: Window, peer: string) =>
  window.mean('storefront', 'http_client_request_duration_seconds', { peer: new RegExp(`^${peer}$`) })

/** How each fault is seen in the guilty one's own metrics (or its caller's), and a line of log that must be there. */
const SYMPTOMS: Readonly<
  Record<string, { hurts: (window: Window, fresh: number) => boolean; log?: [service: string, pattern: RegExp] }>
> = {
  'catalogue-release': {
    hurts: (w) => failures(w, 'catalogue') > 0.3 && failures(w, 'storefront') > 0.3,
    log: ['catalogue', /failed with 500/],
  },
  'recommendations-cpu': {
    hurts: (w) =>
      w.rate('recommendations', 'process_cpu_seconds_total') > 0.12 && meanOfPeer(w, 'recommendations') > 0.1,
  },
  'catalogue-cpu': {
    hurts: (w) => w.rate('catalogue', 'process_cpu_seconds_total') > 0.12 && meanOfPeer(w, 'catalogue') > 0.1,
  },
  'cart-memory': {
    hurts: (w, fresh) => w.value('cart', 'process_resident_memory_bytes') > fresh + 40e6,
  },
  'slow-report': {
    hurts: (w) => w.mean('shop-db', 'db_query_duration_seconds', { query: /^(?!sales_report)/ }) > 0.1,
    log: ['shop-db', /slow query sales_report/],
  },
  'missing-index': {
    hurts: (w) =>
      w.mean('shop-db', 'db_query_duration_seconds', { query: /bought_together/ }) > 0.04 &&
      w.mean('catalogue', 'db_query_duration_seconds') > 0.02,
  },
  'inventory-pool': {
    hurts: (w) => w.value('inventory', 'db_pool_waiting') > 0 && failures(w, 'inventory') > 0.5,
    log: ['inventory', /pool timeout: no database connection within 1000 ms/],
  },
  'payment-release': { hurts: (w) => failures(w, 'payment') > 0.3 && failures(w, 'checkout') > 0.3 },
  'checkout-config': { hurts: (w) => failures(w, 'checkout') > 0.5, log: ['checkout', /payment|orders-queue/] },
  'payment-down': {
    hurts: (w) => w.value('payment', 'up') === 0 && failures(w, 'checkout') > 0.5,
    log: ['checkout', /ECONNREFUSED/],
  },
  'inventory-down': {
    hurts: (w) => w.value('inventory', 'up') === 0 && failures(w, 'storefront') > 0.5,
    log: ['inventory', /cannot start: state file .* is corrupt/],
  },
  'acquirer-slow': {
    hurts: (w) => w.mean('payment', 'http_client_request_duration_seconds', { peer: /^acquirer$/ }) > 0.8,
    log: ['payment', /took \d+ ms/],
  },
  'fulfilment-stuck': {
    hurts: (w) => w.value('orders-queue', 'queue_depth') > 8 && w.value('orders-queue', 'queue_oldest_seconds') > 3,
    log: ['fulfilment', /label printer answered after/],
  },
  'queue-disk': {
    hurts: (w) => w.value('orders-queue', 'disk_free_bytes') < 1000 && failures(w, 'orders-queue') > 0.5,
    log: ['orders-queue', /ENOSPC: no space left on device/],
  },
  'inventory-disk': {
    hurts: (w) => w.value('inventory', 'disk_free_bytes') < 1000 && failures(w, 'inventory') > 0.5,
    log: ['inventory', /ENOSPC: no space left on device/],
  },
  'payment-token': {
    hurts: (w) =>
      w.value('payment', 'credential_expiry_timestamp_seconds') < Date.now() / 1000 && failures(w, 'payment') > 0.5,
    log: ['payment', /acquirer answered 401 .*token expired at/],
  },
  'traffic-surge': {
    hurts: (w) => w.rate('storefront', 'http_requests_total') > 50 && failures(w, 'storefront') > 2,
    log: ['storefront', /no free worker/],
  },
  'model-failing': {
    hurts: (w) => failures(w, 'assistant') > 0.2,
    log: ['assistant', /model-provider answered (500|503|429)/],
  },
}

describe('the faults of the shop', { timeout: 90_000 }, () => {
  const workDir = mkdtempSync(join(tmpdir(), 'midwatch-faults-'))
  let platform: Platform

  beforeAll(async () => {
    platform = await startPlatform({ workDir, seed: 7, load: LOAD, log: silentLog() })
  }, 30_000)

  afterAll(async () => {
    await platform.stop()
    rmSync(workDir, { recursive: true, force: true })
  })

  test.each(FAULTS.map((fault) => [fault.name, fault] as const))(
    '%s hurts as it should, and its action mends it',
    async (name, fault) => {
      const symptom = SYMPTOMS[name]
      if (!symptom) throw new Error(`no symptom is written down for ${name}`)
      const healthy = await until(
        WELL_WITHIN_MS,
        platform,
        (window) => failures(window, 'storefront') < 0.2 && !symptom.hurts(window, window.value(fault.service, MEMORY)),
      )
      const freshBytes = healthy.value(fault.service, MEMORY)
      const random = createRandom(name.length * 31)
      const truth = await injectFault(fault, platform, random)
      expect(truth).toMatchObject({ fault: name, service: fault.service, kind: fault.kind })
      if (truth.changeId !== undefined)
        expect(platform.changes().at(-1)).toMatchObject({ id: truth.changeId, service: fault.service })
      try {
        const isLogged = () => {
          if (!symptom.log) return true
          const [service, pattern] = symptom.log
          return troubleLogged(platform, service, truth.startedAt).some((message) => pattern.test(message))
        }
        await until(SHOWS_WITHIN_MS, platform, (window) => symptom.hurts(window, freshBytes) && isLogged())

        const action = actionThatMends(fault)
        expect(action.fits).toContain(fault.kind)
        expect(await carryOut(action, fault, truth.changeId)).toBe(200)
        await until(WELL_WITHIN_MS, platform, (window) => !symptom.hurts(window, freshBytes))
      } finally {
        await fault.heal(platform)
      }
    },
  )

  function actionThatMends(fault: Fault): ActionConfig {
    const found = actionCatalogue(platform.url).find(
      (action) =>
        action.does === fault.mends &&
        (fault.flag === undefined || action.request?.url.endsWith(`/flags/${fault.flag.name}`)),
    )
    if (!found) throw new Error(`no action of the catalogue mends ${fault.name}`)
    return found
  }

  async function carryOut(action: ActionConfig, fault: Fault, changeId: string | undefined): Promise<number> {
    const fill = (text: string) =>
      Object.entries({ service: fault.mendsOn, change: changeId ?? '', ...action.parameters }).reduce(
        (filled, [key, value]) => filled.replaceAll(`{${key}}`, value),
        text,
      )
    const { request } = action
    if (!request) throw new Error(`${action.name} has no request`)
    const body = Object.fromEntries(Object.entries(request.body).map(([key, value]) => [key, fill(value)]))
    const response = await fetch(fill(request.url), {
      method: request.method,
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify(body),
    })
    return response.status
  }
})

async function until(withinMs: number, platform: Platform, holds: (window: Window) => boolean): Promise<Window> {
  const deadlineMs = performance.now() + withinMs
  for (;;) {
    const window = await watchFor(platform, LOOK_MS)
    if (holds(window)) return window
    if (performance.now() > deadlineMs) throw new Error(`not so within ${withinMs} ms`)
  }
}
