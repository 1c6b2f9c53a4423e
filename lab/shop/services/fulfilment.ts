// The worker behind the queue: takes orders, writes a shipping label to its volume, and says that it is done.
import { Counter } from 'prom-client'
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import { pause } from '../pause.ts'

const leased = z.object({ messages: z.array(z.object({ id: z.string(), body: z.object({ order: z.string() }) })) })

/** Between two looks at an empty queue. */
const LOOK_EVERY_MS = 200
const AFTER_ERROR_MS = 500
const AT_ONCE = 2
const LABELS_KEPT = 200
const TIMEOUT_MS = 3000
const FINISH_WITHIN_MS = 2500

export const fulfilment: MakeService = ({ call, metrics, log, volume, setting, amount }) => {
  const disk = volume()
  const queue = setting('orders.queue', 'orders')
  const jobMs = amount('label.ms', 60)
  const jobs = new Counter({
    name: 'queue_jobs_total',
    help: 'Orders worked on',
    labelNames: ['queue', 'result'],
    registers: [metrics.registry],
  })
  const stopped = new AbortController()
  let stuckMs = 0
  let labels = 0

  const handleOne = async (id: string, order: string) => {
    try {
      await pause(jobMs * (0.5 + Math.random()))
      const startedMs = performance.now()
      await pause(stuckMs)
      const printerMs = performance.now() - startedMs
      if (printerMs > 1000) log.warn(`label printer answered after ${Math.round(printerMs)} ms`, order)
      disk.write(`labels/label-${labels++ % LABELS_KEPT}.json`, JSON.stringify({ order, at: Date.now() }))
      await call('orders-queue', 'POST', `/queues/${queue}/acks`, {
        timeoutMs: TIMEOUT_MS,
        requestId: order,
        body: { id },
      })
      jobs.inc({ queue, result: 'done' })
    } catch (error) {
      jobs.inc({ queue, result: 'failed' })
      log.error(`order ${order} is not shipped: ${error instanceof Error ? error.message : String(error)}`, order)
    }
  }
  const work = async () => {
    while (!stopped.signal.aborted) {
      try {
        const path = `/queues/${queue}/leases`
        const answer = await call('orders-queue', 'POST', path, { timeoutMs: TIMEOUT_MS, body: { max: AT_ONCE } })
        const { messages } = leased.parse(answer)
        await Promise.all(messages.map((message) => handleOne(message.id, message.body.order)))
        if (messages.length === 0) await pause(LOOK_EVERY_MS)
      } catch (error) {
        log.error(`cannot take orders: ${error instanceof Error ? error.message : String(error)}`)
        await pause(AFTER_ERROR_MS)
      }
    }
  }
  const working = work()
  return {
    routes: [],
    trouble: (trouble) => {
      stuckMs = trouble.kind === 'stuck-consumer' ? trouble.everyMs : 0
    },
    stop: async () => {
      stopped.abort()
      await Promise.race([working, pause(FINISH_WITHIN_MS)])
    },
  }
}
