// The channels of the config, in its order.
import type { AgentConfig } from '../../config/schema.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Channel } from './channel.ts'
import { createEmail } from './email/email.ts'
import type { GithubCredentials } from './github/credentials.ts'
import { createGithub } from './github/github.ts'
import { createJira } from './jira/jira.ts'
import { createPagerduty } from './pagerduty/pagerduty.ts'
import { createSlackChannels } from './slack/slack.ts'
import { createWebhook } from './webhook/webhook.ts'

export function channelsOf({ notify, tickets }: AgentConfig, clock: Clock = systemClock): readonly Channel[] {
  const { webhook, slack, status, pagerduty, email } = notify
  const { jira, github } = tickets
  return [
    ...(webhook ? [createWebhook(webhook)] : []),
    ...(slack ? createSlackChannels(slack, { ...status, clock }) : []),
    ...(pagerduty ? [createPagerduty(pagerduty)] : []),
    ...(email ? [createEmail(email)] : []),
    ...(jira ? [createJira(jira)] : []),
    ...(github ? [createGithub({ ...github, credentials: githubCredentials(github), clock })] : []),
  ]
}

/** The schema takes one of the two. */
function githubCredentials({
  token,
  appId = '',
  privateKey,
}: NonNullable<AgentConfig['tickets']['github']>): GithubCredentials {
  if (token) return { kind: 'token', token }
  if (privateKey) return { kind: 'app', appId, privateKey }
  throw new AppError('malformed', 'agent.tickets.github needs a token, or the appId and privateKey of an App.')
}
