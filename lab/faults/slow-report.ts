// A report over all past orders was ordered: the database works on it most of the time and everyone else waits. It is
// kept in the database, so only the flag stops it.
import type { Fault } from './fault.ts'

export const slowReport: Fault = {
  name: 'slow-report',
  kind: 'slow_database',
  service: 'shop-db',
  loudest: 'checkout',
  mends: 'toggle',
  mendsOn: 'shop-db',
  flag: { name: 'report-jobs', to: 'off' },
  minSeconds: 10,
  inject: async (platform, random) => {
    await platform.trouble('shop-db', {
      kind: 'heavy-report',
      queryMs: random.int(450, 800),
      busyShare: random.between(0.85, 0.92),
    })
    return {}
  },
  heal: async (platform) => {
    await platform.trouble('shop-db', { kind: 'no-report' })
    if (platform.flag('report-jobs') === 'off') await platform.setFlag('report-jobs', 'on')
  },
}
