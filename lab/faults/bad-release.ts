// What the faults that come with a release have in common: a deploy like any other, and the way back.
import type { Platform, ServiceName } from '../platform/platform.ts'
import type { Random } from '../platform/random.ts'
import { newRelease } from '../platform/release-notes.ts'
import type { Behaviour } from '../shop/messages.ts'

export async function deployBad(
  platform: Platform,
  service: ServiceName,
  random: Random,
  behaviour: Behaviour,
): Promise<{ changeId: string }> {
  return platform.deploy(service, newRelease(random, behaviour))
}

/** Back through the releases until one behaves; nothing to do when somebody went back already. */
export async function undeployBad(platform: Platform, service: ServiceName): Promise<void> {
  while (Object.keys(platform.revision(service).release.behaviour).length > 0) await platform.rollBack(service)
}
