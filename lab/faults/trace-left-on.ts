// A debug trace that someone forgot: it really writes to the service's volume until the quota is reached. A restart
// ends it and cleans the temporary folder.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Platform, ServiceName } from '../platform/platform.ts'
import type { Random } from '../platform/random.ts'

export async function fillDisk(
  platform: Platform,
  service: ServiceName,
  random: Random,
): Promise<{ changeId?: string }> {
  await platform.trouble(service, { kind: 'trace-to-disk', megabytesPerSecond: random.between(4, 10) })
  return {}
}

export async function freeDisk(platform: Platform, service: ServiceName): Promise<void> {
  await platform.trouble(service, { kind: 'well' })
  const dir = platform.volumeDir(service)
  if (dir !== undefined && existsSync(join(dir, 'tmp'))) await platform.restart(service)
}
