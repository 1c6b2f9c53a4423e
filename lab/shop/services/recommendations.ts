// What others bought too. It counts what is looked at, in memory, and asks the catalogue for the rest.
import type { MakeService } from '../context.ts'
import { startRunawayJob } from '../burn.ts'

const MOST_REMEMBERED = 500
const SHOWN = 4

export const recommendations: MakeService = ({ call, amount }) => {
  const timeoutMs = amount('timeoutMs', 3000)
  const views = new Map<string, number>()
  let stopJob: (() => void) | undefined

  const see = (product: string) => {
    if (views.size >= MOST_REMEMBERED && !views.has(product)) views.clear()
    views.set(product, (views.get(product) ?? 0) + 1)
  }
  return {
    routes: [
      {
        method: 'GET',
        path: '/popular',
        handle: async () =>
          [...views]
            .sort((a, b) => b[1] - a[1])
            .slice(0, SHOWN)
            .map(([product, times]) => ({ product, times })),
      },
      {
        method: 'GET',
        path: '/related/:id',
        handle: async ({ params, requestId }) => {
          const id = params.id ?? ''
          see(id)
          return call('catalogue', 'GET', `/products/${id}/bought-together`, { requestId, timeoutMs })
        },
      },
    ],
    trouble: (trouble) => {
      stopJob?.()
      stopJob = trouble.kind === 'runaway-job' ? startRunawayJob(trouble.share) : undefined
    },
    stop: () => stopJob?.(),
  }
}
