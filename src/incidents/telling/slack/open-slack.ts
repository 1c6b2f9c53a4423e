// The way to one workspace, made when something is told for the first time: Slack's own library takes a third of a second and
// some memory to load, which nobody pays who does not use it.
import type { SlackConfig } from '../../../config/slack-schema.ts'
import type { Clock } from '../../../core/clock.ts'
import type { News } from '../channel.ts'
import { createSlackClient } from './client.ts'
import { createIdentity } from './identity.ts'
import { createPlaces } from './places.ts'
import { postOnce, type Told } from './post-once.ts'

export type TellSlack = (news: News, place: string, told: Told, signal: AbortSignal) => Promise<void>

/** See post-once.ts. */
export function openSlack(config: SlackConfig, clock: Clock): TellSlack {
  const client = createSlackClient(config, clock)
  const deps = { client, places: createPlaces(client), identity: createIdentity(client) }
  return (news, place, told, signal) => postOnce(deps, news, { place, told }, signal)
}
