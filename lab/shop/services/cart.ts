// Shopping carts, kept in the database. A snapshot of what was last shown is kept in memory for a short while.
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import { parseBody } from '../parse-body.ts'

const line = z.object({ product: z.number().int(), quantity: z.number().int().positive().max(20) })

export const cart: MakeService = ({ openPool, call, amount, behaviour }) => {
  const db = openPool()
  const timeoutMs = amount('timeoutMs', 2500)
  const snapshots: Buffer[] = []
  const keepBytes = (behaviour.keepKbPerRequest ?? 0) * 1024

  const snapshot = () => {
    if (keepBytes > 0) snapshots.push(Buffer.alloc(keepBytes, 1))
  }
  const read = (id: string, requestId: string) =>
    db.query('cart_lines', 'SELECT product, quantity, price FROM cart_lines WHERE cart = ?', [id], requestId)

  return {
    routes: [
      {
        method: 'GET',
        path: '/carts/:id',
        handle: async ({ params, requestId }) => {
          snapshot()
          return { id: params.id, lines: await read(params.id ?? '', requestId) }
        },
      },
      {
        method: 'POST',
        path: '/carts/:id/items',
        handle: async ({ params, body, requestId }) => {
          snapshot()
          const { product, quantity } = parseBody(line, body)
          const answer = await call('catalogue', 'GET', `/products/${product}`, { requestId, timeoutMs })
          const { price } = z.object({ price: z.number() }).parse(answer)
          await db.query(
            'add_to_cart',
            `INSERT INTO cart_lines (cart, product, quantity, price) VALUES (?, ?, ?, ?)
             ON CONFLICT (cart, product) DO UPDATE SET quantity = min(20, quantity + excluded.quantity)`,
            [params.id ?? '', product, quantity, price],
            requestId,
          )
          return { id: params.id, lines: await read(params.id ?? '', requestId) }
        },
      },
      {
        method: 'DELETE',
        path: '/carts/:id',
        handle: ({ params, requestId }) =>
          db.query('clear_cart', 'DELETE FROM cart_lines WHERE cart = ?', [params.id ?? ''], requestId),
      },
    ],
    stop: () => db.close(),
  }
}
