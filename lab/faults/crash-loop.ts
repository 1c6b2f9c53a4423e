// A process that dies with a half-written state file in its scratch folder: the supervisor starts it again and again
// in the same place, and it gives up each time.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Platform, ServiceName } from '../platform/platform.ts'
import type { Random } from '../platform/random.ts'

const HALF_WRITTEN = ['{"starts":', '{"sta', '{"starts":1,"pid"']

export async function crashForGood(
  platform: Platform,
  service: ServiceName,
  random: Random,
): Promise<{ changeId?: string }> {
  writeFileSync(join(platform.scratchDir(service), 'state.json'), random.pick(HALF_WRITTEN))
  await platform.trouble(service, { kind: 'die' })
  return {}
}

export async function revive(platform: Platform, service: ServiceName): Promise<void> {
  if (platform.instances(service).some(({ state }) => state !== 'ready')) await platform.restart(service)
}
