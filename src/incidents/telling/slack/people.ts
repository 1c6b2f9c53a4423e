// Who pressed a button: a Slack user, mapped by the config to the name of an API key of the incident's tenant. The key's
// rights are the person's, so that taking them away there takes them away here. By e-mail only where Slack vouches for it:
// a full member of our workspace with a confirmed address.
import type { SlackConfig } from '../../../config/slack-schema.ts'
import { type Caller, mayDo, type Scope } from '../../../core/caller.ts'
import { AppError } from '../../../core/errors.ts'
import { type SlackClient, SlackCallError } from './client.ts'
import type { Identity } from './identity.ts'

/** The caller of that name in a tenant, as its key is now; undefined where there is none. */
export type FindCaller = (tenant: string, name: string, scope: Scope) => Promise<Caller | undefined>

export interface People {
  /** Throws `forbidden`, with what to do, unless this user may do that in that tenant. */
  get(user: string, tenant: string, scope: Scope, signal: AbortSignal): Promise<Caller>
}

export interface PeopleOptions {
  readonly people: SlackConfig['people']
  readonly client: SlackClient
  readonly identity: Identity
  readonly findCaller: FindCaller
}

/** Somebody whom our token cannot see. */
const NOT_OURS = new Set(['user_not_found', 'user_not_visible'])

export function createPeople({ people, client, identity, findCaller }: PeopleOptions): People {
  const byAddress = new Map(
    Object.entries(people).flatMap(([who, name]) => (who.includes('@') ? [[who.toLowerCase(), name] as const] : [])),
  )
  const addressOf = async (user: string, signal: AbortSignal): Promise<string | null> => {
    const { teamId } = await identity(signal)
    const told = await client
      .call('the workspace', 'users.info', (web) => web.users.info({ user }), signal)
      .catch((error: unknown) => {
        if (error instanceof SlackCallError && NOT_OURS.has(error.failure.code ?? '')) return undefined
        throw error
      })
    const { team_id, deleted, is_bot, is_restricted, is_ultra_restricted, is_stranger, profile, ...more } =
      told?.user ?? {}
    const isMember = !deleted && !is_bot && !is_restricted && !is_ultra_restricted && !is_stranger && team_id === teamId
    // It is not in the types of the client, and Slack leaves it out for addresses that single sign-on gave.
    const isConfirmed = (more as { readonly is_email_confirmed?: boolean }).is_email_confirmed !== false
    return isMember && isConfirmed ? (profile?.email?.toLowerCase() ?? null) : null
  }
  const nameOf = async (user: string, signal: AbortSignal): Promise<string | undefined> => {
    if (Object.hasOwn(people, user)) return people[user]
    if (byAddress.size === 0) return undefined
    const address = await addressOf(user, signal)
    return address === null ? undefined : byAddress.get(address)
  }
  return {
    get: async (user, tenant, scope, signal) => {
      const name = await nameOf(user, signal)
      if (name === undefined)
        throw new AppError(
          'forbidden',
          `Midwatch does not know you. An admin can add ${user} (or your e-mail address) to agent.notify.slack.people.`,
        )
      const caller = await findCaller(tenant, name, scope)
      if (!caller)
        throw new AppError(
          'forbidden',
          `There is no API key called ${name} in this incident's tenant. An admin can make one.`,
        )
      if (!mayDo(caller, scope))
        throw new AppError('forbidden', `${name} lacks the scope ${scope}. An admin can make a key that has it.`)
      return caller
    },
  }
}
