// A provider of the kind its config names.
import type { ProviderConfig } from '../config/schema.ts'
import type { Provider } from '../llm/provider.ts'
import { createAnthropicProvider } from './anthropic/provider.ts'
import { createAzureProvider } from './azure/provider.ts'
import { createBedrockProvider } from './bedrock/provider.ts'
import { createGeminiProvider } from './gemini/provider.ts'
import { createLocalProvider } from './local/provider.ts'
import { createOpenAiProvider } from './openai/provider.ts'

export function createProvider(name: string, settings: ProviderConfig): Provider {
  switch (settings.kind) {
    case 'openai':
      return createOpenAiProvider({ name, ...settings })
    case 'anthropic':
      return createAnthropicProvider({ name, ...settings })
    case 'azure':
      return createAzureProvider({ name, ...settings })
    case 'gemini':
      return createGeminiProvider({ name, ...settings })
    case 'bedrock':
      return createBedrockProvider({ name, ...settings })
    case 'local':
      return createLocalProvider({ name, ...settings })
  }
}
