// The front door: pages put together from the other services. A page takes a while to render and an instance renders
// only so many at a time (`workers`), as any real front end.
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import { parseBody } from '../parse-body.ts'
import type { ShopRequest } from '../http-service.ts'
import { pause } from '../pause.ts'
import { CallError, ShopError } from '../shop-error.ts'

const line = z.object({ product: z.number().int(), quantity: z.number().int().positive() })
const order = z.object({ cart: z.string(), customer: z.number().int() })
const question = z.object({ question: z.string().max(2000) })

/** No such product, an empty cart, a declined card: the shopper's affair, and no failure of the shop. */
const SHOPPERS_OWN = new Set([402, 404, 409])

export const storefront: MakeService = ({ call, amount }) => {
  const timeoutMs = amount('timeoutMs', 5000)
  const renderMs = amount('render.ms', 110)
  const ask = async (request: ShopRequest, peer: string, method: string, path: string, body?: unknown) => {
    try {
      return await call(peer, method, path, { requestId: request.requestId, timeoutMs, body })
    } catch (error) {
      if (error instanceof CallError && SHOPPERS_OWN.has(error.answered ?? 0))
        throw new ShopError(error.answered ?? 0, error.message)
      throw error
    }
  }
  const render = async (page: Record<string, unknown>) => {
    await pause(renderMs * (0.75 + Math.random() / 2))
    return page
  }

  return {
    routes: [
      {
        method: 'GET',
        path: '/',
        handle: async (request) => {
          const cart = encodeURIComponent(request.query.get('cart') ?? 'guest')
          const [products, recommended, summary] = await Promise.all([
            ask(request, 'catalogue', 'GET', '/products'),
            ask(request, 'recommendations', 'GET', '/popular'),
            ask(request, 'cart', 'GET', `/carts/${cart}`),
          ])
          return render({ products, recommended, cart: summary })
        },
      },
      {
        method: 'GET',
        path: '/products/:id',
        handle: async (request) => {
          const id = encodeURIComponent(request.params.id ?? '')
          const [product, stock, related] = await Promise.all([
            ask(request, 'catalogue', 'GET', `/products/${id}`),
            ask(request, 'inventory', 'GET', `/stock/${id}`),
            ask(request, 'recommendations', 'GET', `/related/${id}`),
          ])
          return render({ product, stock, related })
        },
      },
      {
        method: 'GET',
        path: '/search',
        handle: async (request) => {
          const words = encodeURIComponent(request.query.get('q') ?? '')
          return render({ found: await ask(request, 'catalogue', 'GET', `/search?q=${words}`) })
        },
      },
      {
        method: 'POST',
        path: '/carts/:cart/items',
        handle: async (request) => {
          const cart = encodeURIComponent(request.params.cart ?? '')
          return render({
            cart: await ask(request, 'cart', 'POST', `/carts/${cart}/items`, parseBody(line, request.body)),
          })
        },
      },
      {
        method: 'POST',
        path: '/checkout',
        handle: async (request) =>
          render({ order: await ask(request, 'checkout', 'POST', '/orders', parseBody(order, request.body)) }),
      },
      {
        method: 'POST',
        path: '/assist',
        handle: async (request) =>
          render({ answer: await ask(request, 'assistant', 'POST', '/ask', parseBody(question, request.body)) }),
      },
    ],
  }
}
