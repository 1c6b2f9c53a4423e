// What `midwatch doctor` asks of the channels that tell people, with nobody told: whether each would take what it is given.
import type { Config } from '../config/schema.ts'
import { channelsOf } from '../incidents/telling/channels.ts'
import type { Look } from './doctor-sources.ts'

/** A mail server may take a few seconds to greet. */
const DEADLINE_MS = 8000

export function channelLooks({ agent }: Config): Look[] {
  try {
    return channelsOf(agent).flatMap(({ name, examine }) =>
      examine ? [{ what: name, look: () => examine(AbortSignal.timeout(DEADLINE_MS)) }] : [],
    )
  } catch (error) {
    // What no start would survive either, such as a certificate that cannot be read.
    return [{ what: 'channels', look: () => Promise.reject(error) }]
  }
}
