// Stock. A reservation is written to the journal on the service's own volume before it counts.
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import { parseBody } from '../parse-body.ts'
import type { DbConnection } from '../db-pool.ts'
import { startTrace } from '../trace.ts'

const reservation = z.object({
  order: z.string(),
  lines: z.array(z.object({ product: z.number().int(), quantity: z.number().int() })),
})

const JOURNAL = 'reservations.log'
/** Then the journal starts anew: what is older is in the database. */
const JOURNAL_LINES = 5000

export const inventory: MakeService = ({ openPool, volume, log, behaviour }) => {
  const db = openPool()
  const disk = volume()
  let lines = 0
  let stopTrace: (() => void) | undefined

  /** The connection goes back whatever happens; a release may forget it now and then. */
  const withConnection = async <T>(work: (connection: DbConnection) => Promise<T>): Promise<T> => {
    const connection = await db.acquire()
    try {
      return await work(connection)
    } finally {
      if (Math.random() >= (behaviour.leakConnectionShare ?? 0)) connection.release()
    }
  }
  const journal = (entry: unknown) => {
    const text = `${JSON.stringify(entry)}\n`
    if (lines++ % JOURNAL_LINES === 0) disk.write(JOURNAL, text)
    else disk.append(JOURNAL, text)
  }
  return {
    routes: [
      {
        method: 'GET',
        path: '/stock/:product',
        handle: ({ params, requestId }) =>
          withConnection(async (connection) => {
            const sql = 'SELECT product, quantity FROM stock WHERE product = ?'
            const [row] = await connection.run('stock_of', [{ sql, params: [Number(params.product)] }], requestId)
            return row ?? { product: Number(params.product), quantity: 0 }
          }),
      },
      {
        method: 'POST',
        path: '/reservations',
        handle: ({ body, requestId }) => {
          const wanted = parseBody(reservation, body)
          journal({ at: Date.now(), ...wanted })
          return withConnection(async (connection) => {
            // What runs low is ordered again at once: the lab never runs out of goods.
            const sql = `UPDATE stock SET quantity = CASE WHEN quantity < 50 THEN 1000 ELSE quantity - ? END WHERE product = ?`
            const statements = wanted.lines.map(({ product, quantity }) => ({ sql, params: [quantity, product] }))
            await connection.run('reserve_stock', statements, requestId)
            return { order: wanted.order, reserved: wanted.lines.length }
          })
        },
      },
    ],
    trouble: (trouble) => {
      stopTrace?.()
      stopTrace = trouble.kind === 'trace-to-disk' ? startTrace(disk, trouble.megabytesPerSecond, log) : undefined
    },
    stop: () => {
      stopTrace?.()
      db.close()
    },
  }
}
