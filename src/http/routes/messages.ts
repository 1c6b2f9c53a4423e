// Anthropic's dialect at the door: `POST /v1/messages`.
import { anthropicMessages } from '../../dialects/anthropic-messages/dialect.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Route } from '../exchange.ts'
import { modelCallRoute } from './model-call.ts'

export const messagesRoutes = (gateway: Gateway): Route[] => [modelCallRoute(gateway, anthropicMessages, 'anthropic')]
