// A limit on how many requests one instance works on at once, as every real server has one. Who comes later waits in
// line for a while and is then turned away: this is what saturates under a surge, and what more instances mend.
import { ShopError } from './shop-error.ts'

export interface Workers {
  run<T>(work: () => Promise<T>): Promise<T>
}

/** `limit` 0 is none. */
export function createWorkers(limit: number, maxWaitMs = 1500): Workers {
  let busy = 0
  const line: { start: () => void; timer: NodeJS.Timeout }[] = []

  const enter = (): Promise<void> => {
    if (limit === 0 || busy < limit) {
      busy++
      return Promise.resolve()
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      const at = line.indexOf(place)
      if (at >= 0) line.splice(at, 1)
      reject(new ShopError(503, `no free worker within ${maxWaitMs} ms: ${busy} busy, ${line.length} requests waiting`))
    }, maxWaitMs)
    const place = { start: resolve, timer }
    line.push(place)
    return promise
  }
  const leave = () => {
    const next = line.shift()
    if (!next) {
      busy--
      return
    }
    clearTimeout(next.timer)
    next.start()
  }
  return {
    run: async (work) => {
      await enter()
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
