// The channels of the config, in its order.
import type { AgentConfig } from '../../config/schema.ts'
import type { Channel } from './channel.ts'
import { createSlackChannels } from './slack/slack.ts'
import { createWebhook } from './webhook/webhook.ts'

export function channelsOf({ notify }: AgentConfig): readonly Channel[] {
  const { webhook, slack, status } = notify
  return [...(webhook ? [createWebhook(webhook)] : []), ...(slack ? createSlackChannels(slack, status) : [])]
}
