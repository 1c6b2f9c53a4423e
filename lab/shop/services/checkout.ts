// Turns a cart into a paid order: stock is reserved, money is taken, the order is stored and handed to fulfilment.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import { parseBody } from '../parse-body.ts'
import { CallError, ShopError } from '../shop-error.ts'

const order = z.object({ cart: z.string(), customer: z.number().int() })
const lines = z.object({
  lines: z.array(z.object({ product: z.number(), quantity: z.number(), price: z.number() })),
})

export const checkout: MakeService = ({ openPool, call, setting, amount }) => {
  const db = openPool()
  const payment = { path: setting('payment.path', '/charges'), timeoutMs: amount('payment.timeoutMs', 4500) }
  const inventoryTimeoutMs = amount('inventory.timeoutMs', 3000)
  const cartTimeoutMs = amount('cart.timeoutMs', 3000)
  const queue = setting('orders.queue', 'orders')
  const queueTimeoutMs = amount('orders.timeoutMs', 3000)

  const charge = async (order: string, cents: number, requestId: string) => {
    try {
      await call('payment', 'POST', payment.path, {
        requestId,
        timeoutMs: payment.timeoutMs,
        body: { order, cents },
      })
    } catch (error) {
      if (error instanceof CallError && error.answered === 402) throw new ShopError(402, 'the card was declined')
      throw error
    }
  }

  return {
    routes: [
      {
        method: 'POST',
        path: '/orders',
        handle: async ({ body, requestId }) => {
          const { cart, customer } = parseBody(order, body)
          const id = `order-${randomUUID().slice(0, 8)}`
          const cartPath = `/carts/${encodeURIComponent(cart)}`
          const content = lines.parse(await call('cart', 'GET', cartPath, { requestId, timeoutMs: cartTimeoutMs }))
          if (content.lines.length === 0) throw new ShopError(409, 'the cart is empty')

          const [history] = await db.query(
            'customer_history',
            'SELECT count(*) AS orders FROM orders WHERE customer = ?',
            [customer],
            requestId,
          )
          await call('inventory', 'POST', '/reservations', {
            requestId,
            timeoutMs: inventoryTimeoutMs,
            body: { order: id, lines: content.lines },
          })
          const total = content.lines.reduce((sum, line) => sum + line.price * line.quantity, 0)
          await charge(id, total, requestId)
          await db.query(
            'store_order',
            'INSERT INTO orders (id, customer, cents, at) VALUES (?, ?, ?, ?)',
            [id, customer, total, Date.now()],
            requestId,
          )
          await call('orders-queue', 'POST', `/queues/${queue}/messages`, {
            requestId,
            timeoutMs: queueTimeoutMs,
            body: { order: id, lines: content.lines.length },
          })
          await call('cart', 'DELETE', cartPath, { requestId, timeoutMs: cartTimeoutMs })
          return { order: id, cents: total, ordersBefore: history?.orders ?? 0 }
        },
      },
    ],
    stop: () => db.close(),
  }
}
