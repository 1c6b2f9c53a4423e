// What a release does differently on its routes: for a share of the requests of one route the code throws, as new code
// does when it meets data that its author did not think of.
import type { ShopRoute } from './http-service.ts'
import type { Behaviour } from './messages.ts'

export function sabotage(route: ShopRoute, behaviour: Behaviour): ShopRoute {
  const { failShare = 0, failRoute, failMessage = 'unexpected state' } = behaviour
  if (failShare === 0 || (failRoute !== undefined && failRoute !== route.path)) return route
  return {
    ...route,
    handle: (request) => {
      if (Math.random() < failShare) throw new TypeError(failMessage)
      return route.handle(request)
    },
  }
}
