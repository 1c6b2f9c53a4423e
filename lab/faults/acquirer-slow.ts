// The bank answers late, some of it too late: payment waits, and checkout with it.
import type { Fault } from './fault.ts'

export const acquirerSlow: Fault = {
  name: 'acquirer-slow',
  kind: 'slow_dependency',
  service: 'acquirer',
  loudest: 'checkout',
  mends: 'toggle',
  mendsOn: 'payment',
  flag: { name: 'payment-backup-acquirer', to: 'on' },
  minSeconds: 12,
  inject: async (platform, random) => {
    const minMs = random.int(1200, 2200)
    await platform.trouble('acquirer', { kind: 'slow-answers', minMs, maxMs: minMs + random.int(1000, 3000) })
    return {}
  },
  heal: async (platform) => {
    await platform.trouble('acquirer', { kind: 'well' })
    if (platform.flag('payment-backup-acquirer') === 'on') await platform.setFlag('payment-backup-acquirer', 'off')
  },
}
