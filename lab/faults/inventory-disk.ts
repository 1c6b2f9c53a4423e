// A debug trace fills the disk of inventory: reservations cannot be written down, and checkouts fail.
import type { Fault } from './fault.ts'
import { fillDisk, freeDisk } from './trace-left-on.ts'

export const inventoryDisk: Fault = {
  name: 'inventory-disk',
  kind: 'disk_full',
  service: 'inventory',
  loudest: 'checkout',
  mends: 'restart',
  mendsOn: 'inventory',
  minSeconds: 12,
  inject: (platform, random) => fillDisk(platform, 'inventory', random),
  heal: (platform) => freeDisk(platform, 'inventory'),
}
