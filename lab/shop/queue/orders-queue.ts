// The queue between checkout and fulfilment: a durable broker. A message counts once it is in the journal on the
// volume; it is leased to one worker at a time and gone when that worker acknowledges it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { Counter } from 'prom-client'
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import { addGauge } from '../gauge.ts'
import { parseBody } from '../parse-body.ts'
import { ShopError } from '../shop-error.ts'
import { startTrace } from '../trace.ts'
import { createMessages } from './messages-waiting.ts'

const lease = z.object({ max: z.number().int().positive().max(50) })
const ack = z.object({ id: z.string() })
const entry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('put'), id: z.string(), at: z.number(), body: z.unknown() }),
  z.object({ kind: z.literal('ack'), id: z.string() }),
])

const JOURNAL = 'journal.jsonl'
const QUEUE = 'orders'
/** After so many lines an empty queue starts its journal anew. */
const COMPACT_LINES = 1000

export const ordersQueue: MakeService = ({ volume, metrics, log, amount }) => {
  const disk = volume()
  const queue = createMessages({ leaseMs: amount('lease.ms', 15_000) })
  let lines = 0
  let stopTrace: (() => void) | undefined
  lines = replay(join(disk.dir, JOURNAL), (line) => {
    if (line.kind === 'put') queue.put({ id: line.id, at: line.at, body: line.body })
    else queue.ack(line.id)
  })

  const registers = [metrics.registry]
  const jobs = new Counter({
    name: 'queue_jobs_total',
    help: 'Messages by what became of them',
    labelNames: ['queue', 'result'],
    registers,
  })
  const byQueue = { labels: ['queue'] } as const
  addGauge(metrics.registry, { name: 'queue_depth', help: 'Messages not yet acknowledged', ...byQueue }, (gauge) =>
    gauge.set({ queue: QUEUE }, queue.depth()),
  )
  addGauge(
    metrics.registry,
    { name: 'queue_oldest_seconds', help: 'Age of the oldest message not yet acknowledged', ...byQueue },
    (gauge) => gauge.set({ queue: QUEUE }, queue.oldestSeconds(Date.now())),
  )

  const journal = (line: z.infer<typeof entry>) => {
    const text = `${JSON.stringify(line)}\n`
    if (lines > COMPACT_LINES && queue.depth() === 0) {
      disk.write(JOURNAL, text)
      lines = 1
      return
    }
    disk.append(JOURNAL, text)
    lines++
  }
  const known = (name: string | undefined) => {
    if (name !== QUEUE) throw new ShopError(404, `there is no queue ${name}`)
  }
  return {
    routes: [
      {
        method: 'POST',
        path: '/queues/:queue/messages',
        handle: async ({ params, body }) => {
          known(params.queue)
          const message = { id: randomUUID(), at: Date.now(), body }
          journal({ kind: 'put', ...message })
          queue.put(message)
          jobs.inc({ queue: QUEUE, result: 'accepted' })
          return { id: message.id }
        },
      },
      {
        method: 'POST',
        path: '/queues/:queue/leases',
        handle: async ({ params, body }) => {
          known(params.queue)
          return { messages: queue.lease(parseBody(lease, body).max) }
        },
      },
      {
        method: 'POST',
        path: '/queues/:queue/acks',
        handle: async ({ params, body }) => {
          known(params.queue)
          const { id } = parseBody(ack, body)
          journal({ kind: 'ack', id })
          queue.ack(id)
          jobs.inc({ queue: QUEUE, result: 'acknowledged' })
          return { id }
        },
      },
    ],
    trouble: (trouble) => {
      stopTrace?.()
      stopTrace = trouble.kind === 'trace-to-disk' ? startTrace(disk, trouble.megabytesPerSecond, log) : undefined
    },
    stop: () => stopTrace?.(),
  }
}

function replay(file: string, apply: (line: z.infer<typeof entry>) => void): number {
  if (!existsSync(file)) return 0
  const lines = readFileSync(file, 'utf8').split('\n')
  for (const line of lines) {
    // The last line may be cut: its message was never accepted.
    if (line === '' || !line.endsWith('}')) continue
    apply(entry.parse(JSON.parse(line)))
  }
  return lines.length
}
