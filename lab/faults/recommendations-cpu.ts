// A job in recommendations runs away and takes the processor: its own answers, and every page that waits for them,
// come late.
import type { Fault } from './fault.ts'

export const recommendationsCpu: Fault = {
  name: 'recommendations-cpu',
  kind: 'cpu',
  service: 'recommendations',
  loudest: 'storefront',
  mends: 'restart',
  mendsOn: 'recommendations',
  minSeconds: 8,
  inject: async (platform, random) => {
    await platform.trouble('recommendations', { kind: 'runaway-job', share: random.between(0.82, 0.93) })
    return {}
  },
  heal: (platform) => platform.trouble('recommendations', { kind: 'well' }),
}
