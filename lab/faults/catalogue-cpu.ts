// A job in the catalogue runs away: nearly every page of the shop needs the catalogue, so everything is late.
import type { Fault } from './fault.ts'

export const catalogueCpu: Fault = {
  name: 'catalogue-cpu',
  kind: 'cpu',
  service: 'catalogue',
  loudest: 'storefront',
  mends: 'restart',
  mendsOn: 'catalogue',
  minSeconds: 8,
  inject: async (platform, random) => {
    await platform.trouble('catalogue', { kind: 'runaway-job', share: random.between(0.8, 0.92) })
    return {}
  },
  heal: (platform) => platform.trouble('catalogue', { kind: 'well' }),
}
