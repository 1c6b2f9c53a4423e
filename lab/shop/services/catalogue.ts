// What the shop sells: products, search, and what is bought together. Everything comes from the database.
import type { MakeService } from '../context.ts'
import { startRunawayJob } from '../burn.ts'
import { ShopError } from '../shop-error.ts'

const PAGE = 12

export const catalogue: MakeService = ({ openPool }) => {
  const db = openPool()
  let stopJob: (() => void) | undefined
  return {
    routes: [
      {
        method: 'GET',
        path: '/products',
        handle: ({ requestId }) =>
          db.query('list_products', 'SELECT id, name, price FROM products ORDER BY id LIMIT ?', [PAGE], requestId),
      },
      {
        method: 'GET',
        path: '/products/:id',
        handle: async ({ params, requestId }) => {
          const sql = 'SELECT id, name, price, description FROM products WHERE id = ?'
          const [product] = await db.query('product_by_id', sql, [Number(params.id)], requestId)
          if (!product) throw new ShopError(404, `there is no product ${params.id}`)
          return product
        },
      },
      {
        method: 'GET',
        path: '/products/:id/bought-together',
        handle: ({ params, requestId }) =>
          db.query(
            'bought_together',
            `SELECT b.product, count(*) AS times FROM order_lines a JOIN order_lines b ON b.order_id = a.order_id
             WHERE a.product = ?1 AND b.product <> ?1 GROUP BY b.product ORDER BY times DESC, b.product LIMIT 4`,
            [Number(params.id)],
            requestId,
          ),
      },
      {
        method: 'GET',
        path: '/search',
        handle: ({ query, requestId }) =>
          db.query(
            'search_products',
            `SELECT id, name, price FROM products WHERE name LIKE ? ORDER BY id LIMIT ?`,
            [`%${query.get('q') ?? ''}%`, PAGE],
            requestId,
          ),
      },
    ],
    trouble: (trouble) => {
      stopJob?.()
      stopJob = trouble.kind === 'runaway-job' ? startRunawayJob(trouble.share) : undefined
    },
    stop: () => {
      stopJob?.()
      db.close()
    },
  }
}
