// The label printer takes seconds for each answer: orders come in faster than they are worked off.
import type { Fault } from './fault.ts'

export const fulfilmentStuck: Fault = {
  name: 'fulfilment-stuck',
  kind: 'queue_backlog',
  service: 'fulfilment',
  loudest: 'orders-queue',
  mends: 'restart',
  mendsOn: 'fulfilment',
  minSeconds: 15,
  inject: async (platform, random) => {
    await platform.trouble('fulfilment', { kind: 'stuck-consumer', everyMs: random.int(4000, 9000) })
    return {}
  },
  heal: (platform) => platform.trouble('fulfilment', { kind: 'well' }),
}
