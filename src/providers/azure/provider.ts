// OpenAI's models at Azure, where a model is a deployment that its owner named. The v1 API is OpenAI's under another path;
// the classic one has the deployment in the path and its version in the query, and is asked for chat alone.
import type { Secret } from '../../core/secret.ts'
import type { Provider } from '../../llm/provider.ts'
import { createOpenAiLikeProvider } from '../openai-like.ts'

export interface AzureOptions {
  readonly name: string
  /** `https://NAME.openai.azure.com`, also with `/openai` or `/openai/v1` at its end. */
  readonly baseUrl: string
  readonly apiKey: Secret
  /** Of the classic API; without it the v1 API is asked. */
  readonly apiVersion?: string | undefined
  readonly headers: Readonly<Record<string, string | Secret>>
}

export function createAzureProvider({ name, baseUrl, apiKey, apiVersion, headers }: AzureOptions): Provider {
  const { origin, pathname } = new URL(baseUrl)
  const before = `${pathname.replace(/\/+$/, '').replace(/\/openai(?:\/v1)?$/, '')}/openai`
  return createOpenAiLikeProvider({
    name,
    origin,
    api: apiVersion === undefined ? 'both' : 'chat',
    pathOf: (end, deployment) =>
      apiVersion === undefined
        ? `${before}/v1${end}`
        : `${before}/deployments/${encodeURIComponent(deployment)}${end}?api-version=${encodeURIComponent(apiVersion)}`,
    apiKey,
    keyHeader: { 'api-key': apiKey.reveal() },
    headers,
    // A deployment's name does not tell what it is; of all of them Azure takes this one.
    tokenLimit: 'max_completion_tokens',
  })
}
