// The model provider fails, by errors of its own or by refusing so many requests. The assistant's callers feel it.
import type { Fault } from './fault.ts'

export const modelFailing: Fault = {
  name: 'model-failing',
  kind: 'provider_failure',
  service: 'model-provider',
  loudest: 'assistant',
  mends: 'toggle',
  mendsOn: 'assistant',
  flag: { name: 'assistant-model-off', to: 'on' },
  minSeconds: 12,
  inject: async (platform, random) => {
    await platform.trouble('model-provider', {
      kind: 'failing-answers',
      share: random.between(0.75, 1),
      status: random.pick([500, 503, 429]),
    })
    return {}
  },
  heal: async (platform) => {
    await platform.trouble('model-provider', { kind: 'well' })
    if (platform.flag('assistant-model-off') === 'on') await platform.setFlag('assistant-model-off', 'off')
  },
}
