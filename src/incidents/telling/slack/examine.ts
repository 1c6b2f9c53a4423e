// For `midwatch doctor`: whether the token works, whether it may do what it has to, and whether the channels are there.
import type { SlackConfig } from '../../../config/slack-schema.ts'
import { systemClock } from '../../../core/clock.ts'
import { AppError } from '../../../core/errors.ts'
import { createSlackClient, SlackCallError } from './client.ts'
import { createIdentity } from './identity.ts'
import { createPlaces } from './places.ts'

const NEEDED = ['chat:write', 'channels:read', 'channels:history']

/** One line for people. Throws AppError with what to do. */
export async function examineSlack(config: SlackConfig, signal: AbortSignal): Promise<string> {
  const client = createSlackClient(config, systemClock)
  try {
    const { user, team, scopes } = await createIdentity(client)(signal)
    const byMail = Object.keys(config.people).some((who) => who.includes('@'))
    const lacks = [...NEEDED, ...(byMail ? ['users:read', 'users:read.email'] : [])].filter(
      (one) => !scopes.includes(one),
    )
    if (scopes.length > 0 && lacks.length > 0)
      throw new AppError(
        'forbidden',
        `The Slack app lacks ${lacks.join(', ')}. Add them under "OAuth & Permissions" and install the app again.`,
      )
    const places = createPlaces(client)
    const wanted = [config.channel, ...(config.statusChannel === undefined ? [] : [config.statusChannel])]
    for (const place of wanted) await places(place, signal)
    return `@${user} of ${team} can tell in ${wanted.join(' and ')}`
  } catch (error) {
    throw error instanceof SlackCallError ? error.failure.error : error
  }
}
