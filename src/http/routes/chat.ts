// OpenAI's chat dialect at the door: `POST /v1/chat/completions`.
import { openAiChat } from '../../dialects/openai-chat/dialect.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Route } from '../exchange.ts'
import { modelCallRoute } from './model-call.ts'

export const chatRoutes = (gateway: Gateway): Route[] => [modelCallRoute(gateway, openAiChat, 'openai')]
