// From `#oncall` to the id that Slack wants: read once, and again when a name is not among them.
import { createKeyedLock } from '../../../core/keyed-lock.ts'
import { type SlackClient, SlackCallError } from './client.ts'
import { failureOf } from './failures.ts'
import { webApi } from '@slack/bolt'

export type ResolvePlace = (place: string, signal: AbortSignal) => Promise<string>

const PAGE = 1000
const MOST_PAGES = 100

/** Of a channel's id gives that id. Throws SlackCallError where no channel of that name can be seen. */
export function createPlaces(client: SlackClient): ResolvePlace {
  const known = new Map<string, string>()
  const lock = createKeyedLock()
  return async (place, signal) => {
    if (!place.startsWith('#')) return place
    const name = place.slice(1).toLowerCase()
    const found =
      known.get(name) ??
      (await lock('read', async () => {
        if (!known.has(name)) for (const [its, id] of await readAll(client, place, signal)) known.set(its, id)
        return known.get(name)
      }))
    if (found === undefined)
      throw new SlackCallError(
        failureOf(new webApi.WebAPIPlatformError({ ok: false, error: 'channel_not_found' }), place),
      )
    return found
  }
}

async function readAll(client: SlackClient, where: string, signal: AbortSignal): Promise<[string, string][]> {
  const names: [string, string][] = []
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const asked = {
      types: 'public_channel,private_channel',
      exclude_archived: false,
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    }
    const { channels = [], response_metadata } = await client.call(
      where,
      'conversations.list',
      (web) => web.conversations.list(asked),
      signal,
    )
    for (const { id, name } of channels) if (id !== undefined && name !== undefined) names.push([name, id])
    cursor = response_metadata?.next_cursor
    if (!cursor) break
  }
  return names
}
