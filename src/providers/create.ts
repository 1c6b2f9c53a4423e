// A provider of the kind its config names.
import type { Secret } from '../core/secret.ts'
import type { Provider } from '../llm/provider.ts'
import { createOpenAiProvider } from './openai/provider.ts'

export interface ProviderSettings {
  readonly kind: 'openai'
  readonly baseUrl: string
  readonly apiKey?: Secret | undefined
}

export function createProvider(name: string, settings: ProviderSettings): Provider {
  switch (settings.kind) {
    case 'openai':
      return createOpenAiProvider({ name, baseUrl: settings.baseUrl, apiKey: settings.apiKey })
  }
}
