// OpenAI and everything that speaks its API: vLLM, Ollama, Groq, OpenRouter and many more. Only OpenAI itself is taken to
// have Responses where the config does not say so.
import type { Secret } from '../../core/secret.ts'
import type { Provider } from '../../llm/provider.ts'
import { type Api, createOpenAiLikeProvider } from '../openai-like.ts'

export interface OpenAiOptions {
  readonly name: string
  /** Up to and with the version: `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly apiKey?: Secret | undefined
  readonly api?: Api | undefined
  readonly headers?: Readonly<Record<string, string | Secret>>
}

export function createOpenAiProvider({ name, baseUrl, apiKey, api, headers = {} }: OpenAiOptions): Provider {
  const { origin, pathname, search, hostname } = new URL(baseUrl)
  const before = pathname.replace(/\/+$/, '')
  // Also eu.api.openai.com and its like.
  const isOpenAi = /(?:^|\.)api\.openai\.com$/.test(hostname)
  return createOpenAiLikeProvider({
    name,
    origin,
    api: api ?? (isOpenAi ? 'both' : 'chat'),
    pathOf: (end) => `${before}${end}${search}`,
    apiKey,
    keyHeader: apiKey ? { authorization: `Bearer ${apiKey.reveal()}` } : {},
    headers,
    tokenLimit: isOpenAi ? 'max_completion_tokens' : undefined,
  })
}
