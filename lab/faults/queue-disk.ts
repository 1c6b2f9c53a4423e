// A debug trace fills the disk of the queue: no order can be written down, so no checkout ends well.
import type { Fault } from './fault.ts'
import { fillDisk, freeDisk } from './trace-left-on.ts'

export const queueDisk: Fault = {
  name: 'queue-disk',
  kind: 'disk_full',
  service: 'orders-queue',
  loudest: 'checkout',
  mends: 'restart',
  mendsOn: 'orders-queue',
  minSeconds: 12,
  inject: (platform, random) => fillDisk(platform, 'orders-queue', random),
  heal: (platform) => freeDisk(platform, 'orders-queue'),
}
