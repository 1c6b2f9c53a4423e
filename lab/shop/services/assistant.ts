// Answers shoppers' questions with a language model, reached through the gateway with the assistant's own key. With the
// model switched off it answers from a short list.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import { parseBody } from '../parse-body.ts'

const question = z.object({ question: z.string().max(2000) })
const products = z.array(z.object({ name: z.string() }))
const secrets = z.object({ gatewayKey: z.string().optional() })
const completion = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1) })

const COMMON_ANSWERS: readonly (readonly [RegExp, string])[] = [
  [/deliver|ship/i, 'Orders are delivered within three working days.'],
  [/return|refund/i, 'You can return anything within thirty days.'],
  [/pay|card/i, 'We take cards and bank transfers.'],
]

export const assistant: MakeService = ({ call, flags, setting, amount, secretsFile }) => {
  const { gatewayKey } = secrets.parse(JSON.parse(readFileSync(secretsFile, 'utf8')))
  const model = setting('model', 'assistant')
  // Without a gateway (the shop alone) the model is asked itself.
  const peer = setting('gateway', 'midwatch')
  const timeoutMs = amount('model.timeoutMs', 4500)

  return {
    routes: [
      {
        method: 'POST',
        path: '/ask',
        handle: async ({ body, requestId }) => {
          const asked = parseBody(question, body).question
          if (flags()['assistant-model-off'] === 'on') {
            const known = COMMON_ANSWERS.find(([pattern]) => pattern.test(asked))
            return { text: known?.[1] ?? 'Please write to our support team.', from: 'common questions' }
          }
          const found = products.parse(
            await call('catalogue', 'GET', '/search?q=tea', { requestId, timeoutMs: amount('timeoutMs', 2000) }),
          )
          const answer = await call(peer, 'POST', '/v1/chat/completions', {
            requestId,
            timeoutMs,
            ...(gatewayKey === undefined ? {} : { headers: { authorization: `Bearer ${gatewayKey}` } }),
            body: {
              model,
              max_tokens: 200,
              messages: [
                { role: 'system', content: `You help in a shop that sells ${found.map((p) => p.name).join(', ')}.` },
                { role: 'user', content: asked },
              ],
            },
          })
          return { text: completion.parse(answer).choices[0]?.message.content, from: 'model' }
        },
      },
    ],
  }
}
