// The worker behind the queue: takes orders, writes a shipping label to its volume, and says that it is done.
import { Counter } from 'prom-client'
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import { pause } from '../pause.ts'

const leased = z.object({ messages: z.array(z.object({ id: z.string(), body: z.object({ order: z.string() }) })) })

const WAIT_MS = 2000
const AFTER_ERROR_MS = 500
const LABELS_KEPT = 200

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
  let stopped = false
  let stuckMs = 0
  let labels = 0

  const handleOne = async (id: string, order: string) => {
    try {
      await pause(jobMs * (0.5 + Math.random()))
      // The printer answers when it likes.
      await pause(stuckMs)
      disk.write(`labels/label-${labels++ % LABELS_KEPT}.json`, JSON.stringify({ order, at: Date.now() }))
      await call('orders-queue', 'POST', `/queues/${queue}/acks`, { timeoutMs: 3000, requestId: order, body: { id } })
      jobs.inc({ queue, result: 'done' })
    } catch (error) {
      jobs.inc({ queue, result: 'failed' })
      log.error(`order ${order} is not shipped: ${error instanceof Error ? error.message : String(error)}`, order)
    }
  }
  const work = async () => {
    while (!stopped) {
      try {
        const path = `/queues/${queue}/leases`
        const body = { max: 2, waitMs: WAIT_MS }
        const { messages } = leased.parse(await call('orders-queue', 'POST', path, { timeoutMs: WAIT_MS + 2000, body }))
        await Promise.all(messages.map((message) => handleOne(message.id, message.body.order)))
      } catch (error) {
        if (stopped) return
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
      if (stuckMs > 0) log.warn('label printer is slow to acknowledge')
    },
    stop: async () => {
      stopped = true
      await Promise.race([working, pause(WAIT_MS + 500)])
    },
  }
}
