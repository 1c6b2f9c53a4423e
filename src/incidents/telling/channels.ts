// The channels of the config, in its order.
import type { AgentConfig } from '../../config/schema.ts'
import type { Channel } from './channel.ts'
import { createWebhook } from './webhook/webhook.ts'

export function channelsOf({ notify }: AgentConfig): readonly Channel[] {
  const { webhook } = notify
  return [...(webhook ? [createWebhook(webhook)] : [])]
}
