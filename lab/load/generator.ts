// Shoppers: a process that starts journeys at random moments with a steady mean (Poisson arrivals), whether or not
// earlier ones are done: an open loop, so a slow shop gets no mercy. The seed fixes who does what and when.
import { createCaller } from '../shop/call.ts'
import { runChild, tellParent } from '../shop/child.ts'
import { createShopMetrics } from '../shop/metrics.ts'
import { createRandom } from '../platform/random.ts'
import { createTally } from './tally.ts'
import { nextJourney } from './journeys.ts'

const JOURNEYS_A_SECOND = 16
const PATIENCE_MS = 8000
const TELL_EVERY_MS = 1000
/** A shopper who finds nobody at home does not knock ten thousand times. */
const MOST_UNDER_WAY = 600

runChild(async (start) => {
  const random = createRandom(start.seed)
  const call = createCaller(createShopMetrics(), start.endpoints)
  const rate = JOURNEYS_A_SECOND * Number(start.config.load ?? '1')
  const tally = createTally()
  let factor = 1
  let underWay = 0
  let timer: NodeJS.Timeout

  const travel = async () => {
    underWay++
    try {
      for (const step of nextJourney(random)) {
        const startedMs = performance.now()
        const ok = await call('storefront', step.method, step.path, { timeoutMs: PATIENCE_MS, body: step.body }).then(
          () => true,
          () => false,
        )
        tally.add({ route: step.route, ok, tookMs: performance.now() - startedMs, atMs: Date.now() })
        if (!ok) return
      }
    } finally {
      underWay--
    }
  }
  const arrive = () => {
    if (underWay < MOST_UNDER_WAY) void travel()
    timer = setTimeout(arrive, (-Math.log(1 - random.next()) / (rate * factor)) * 1000)
  }
  // Timers are whole milliseconds: at these rates the rounding does not matter.
  timer = setTimeout(arrive, 0)
  const telling = setInterval(() => tellParent({ type: 'load', stats: tally.stats(Date.now()) }), TELL_EVERY_MS)
  return {
    ports: {},
    endpoints: call.setEndpoints,
    surge: (now) => {
      factor = now
    },
    drain: async () => {
      clearTimeout(timer)
      clearInterval(telling)
      call.close()
    },
  }
})
