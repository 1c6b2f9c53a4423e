// Who the bot is and in which workspace, asked once of the token itself.
import type { SlackClient } from './client.ts'

export interface Bot {
  readonly teamId: string
  readonly team: string
  readonly botId: string
  readonly userId: string
  readonly user: string
  /** What the token may do. */
  readonly scopes: readonly string[]
}

export type Identity = (signal: AbortSignal) => Promise<Bot>

/** Throws SlackCallError; what failed is asked again the next time. */
export function createIdentity(client: SlackClient): Identity {
  let known: Bot | undefined
  return async (signal) => {
    known ??= await ask(client, signal)
    return known
  }
}

async function ask(client: SlackClient, signal: AbortSignal): Promise<Bot> {
  const told = await client.call('the workspace', 'auth.test', (web) => web.auth.test(), signal)
  return {
    teamId: told.team_id ?? '',
    team: told.team ?? '',
    botId: told.bot_id ?? '',
    userId: told.user_id ?? '',
    user: told.user ?? '',
    scopes: told.response_metadata?.scopes ?? [],
  }
}
