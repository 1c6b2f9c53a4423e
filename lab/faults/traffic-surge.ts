// Many more shoppers than one storefront can serve. More instances of it are enough for all of them.
import type { Fault } from './fault.ts'

/** What one storefront can serve is about 75 requests a second; at load 1 it gets about 18. */
const ENOUGH_LOAD = 5.5

export const trafficSurge: Fault = {
  name: 'traffic-surge',
  kind: 'traffic_surge',
  service: 'storefront',
  loudest: 'storefront',
  mends: 'scale',
  mendsOn: 'storefront',
  minSeconds: 10,
  inject: async (platform, random) => {
    platform.surge((ENOUGH_LOAD / Math.max(0.1, platform.load)) * random.between(1, 1.2))
    return {}
  },
  heal: async (platform) => {
    platform.surge(1)
    if (platform.instances('storefront').length > 1) await platform.scale('storefront', 1)
  },
}
