// Through the door, over real sockets: what the provider gets to see, and what the caller.
import OpenAI from 'openai'
import { afterEach, expect, test } from 'vitest'
import { createKey } from '../access/keys.ts'
import { systemClock } from '../core/clock.ts'
import { tempFolder } from '../../test/temp.ts'
import {
  answers,
  chunk,
  cutsAfter,
  DONE,
  goodStream,
  plainAnswer,
  startUpstream,
  stream,
  type Upstream,
} from './testing/upstream.ts'
import { type Stack, startStack } from './testing/stack.ts'

let stack: Stack | undefined
const upstreams: Upstream[] = []

afterEach(async () => {
  await stack?.stop()
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.stop()))
})

async function start(privacy: string, more = '') {
  const [first, second] = [await startUpstream(), await startUpstream()]
  upstreams.push(first, second)
  stack = await startStack({
    yaml: `
data: ${tempFolder()}
providers:
  main: { kind: openai, baseUrl: "${first.baseUrl}", apiKey: sk-secret }
  other: { kind: openai, baseUrl: "${second.baseUrl}", apiKey: sk-secret }
models:
  fast: { targets: [{ provider: main, model: gpt-real }, { provider: other, model: gpt-real }], ${more} }
privacy: ${privacy}
`,
  })
  const about = { tenant: 'default', name: 'shop', scopes: ['llm:chat'] as const }
  const { key } = await createKey(stack.access, about, systemClock)
  const client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 })
  return { first, second, stack, client }
}

const PSEUDONYMS = '{ pii: { action: pseudonymise } }'
const ask = [{ role: 'user' as const, content: 'I am jo@example.com, call +44 20 7946 0958' }]

test('the provider sees placeholders, the caller of a plain answer the originals', async () => {
  const { first, client, stack } = await start(PSEUDONYMS)
  first.behave(answers('Hello [EMAIL-1], or [PHONE-1]? Not [EMAIL-2].'))
  const answer = await client.chat.completions.create({ model: 'fast', messages: ask, logit_bias: { 7: -100 } })
  expect(first.asked[0]?.body['logit_bias']).toEqual({ 7: -100 })
  expect(answer.choices[0]?.message.content).toBe('Hello jo@example.com, or +44 20 7946 0958? Not [EMAIL-2].')
  expect(first.asked[0]?.body['messages']).toEqual([{ role: 'user', content: 'I am [EMAIL-1], call [PHONE-1]' }])
  expect(await stack.metric('midwatch_pii_found_total{type="email"}')).toBe(1)
  expect(await stack.rows()).toMatchObject([{ outcome: 'served', output_tokens: 5 }])
})

test('in a stream they come back whatever the cuts, in text and in the arguments of a tool', async () => {
  const { first, client } = await start(PSEUDONYMS)
  const call = (json: string, more: object = {}) =>
    chunk({ tool_calls: [{ index: 0, function: { arguments: json }, ...more }] })
  first.behave(async ({ response }) => {
    await stream(response, [
      chunk({ role: 'assistant', content: '' }),
      ...'To [EMAIL-1]: [EMA'.split('').map((character) => chunk({ content: character })),
      chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'mail', arguments: '' } }] }),
      ...'{"to":"[EMAIL-1]"}'.split('').map((character) => call(character)),
      chunk({}, { finish_reason: 'tool_calls' }),
      DONE,
    ])
    response.end()
  })
  let [text, json] = ['', '']
  for await (const part of await client.chat.completions.create({ model: 'fast', messages: ask, stream: true })) {
    text += part.choices[0]?.delta.content ?? ''
    json += part.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? ''
  }
  expect(text).toBe('To jo@example.com: [EMA')
  expect(JSON.parse(json)).toEqual({ to: 'jo@example.com' })
})

test('an answer that breaks off is gone on with elsewhere under the same placeholders', async () => {
  const { first, second, client } = await start(PSEUDONYMS, 'stream: { onCut: continue }')
  const words = ['Write to ', '[EMAIL-1] today', ' or tomorrow.']
  first.behave(cutsAfter(...goodStream(...words).slice(0, 2), chunk({ content: '[EMAI' })))
  second.behave(answers(...words))
  let text = ''
  for await (const part of await client.chat.completions.create({ model: 'fast', messages: ask, stream: true }))
    text += part.choices[0]?.delta.content ?? ''
  expect(text).toBe('Write to jo@example.com today or tomorrow.')
  expect(second.asked[0]?.raw).not.toContain('jo@example.com')
})

test('with nothing found both ways pass byte for byte', async () => {
  const { first, stack } = await start(PSEUDONYMS)
  const odd = plainAnswer('[EMAIL-1]', { big: 1.5 }).replace('1.5', '1.50')
  first.behave(({ response }) => void response.writeHead(200, { 'content-type': 'application/json' }).end(odd))
  const body = '{ "model":"fast", "messages":[{"role":"user","content":"at 10:30"}],"n":1 }'
  expect(await (await stack.chat(body)).text()).toBe(odd)
  expect(first.asked[0]?.raw).toBe(body.replace('"fast"', '"gpt-real"'))
})

test('a blocked request reaches no provider; the refusal tells where and not what', async () => {
  const { first, stack } = await start('{ pii: { action: block } }')
  const response = await stack.chat({ messages: ask })
  const told = await response.text()
  expect(response.status).toBe(422)
  expect(told).toContain('an e-mail address in messages.0.content')
  expect(told).not.toContain('jo@')
  expect(first.asked).toHaveLength(0)
  expect(await stack.rows()).toMatchObject([{ outcome: 'refused', status: 422, error_code: 'content_blocked' }])
})

test('what is masked stays so', async () => {
  const { first, client } = await start('{ pii: { action: mask, types: [email] } }')
  first.behave(answers('Dear [email]'))
  const answer = await client.chat.completions.create({ model: 'fast', messages: ask })
  expect(answer.choices[0]?.message.content).toBe('Dear [email]')
  expect(first.asked[0]?.raw).toContain('I am [email], call +44 20 7946 0958')
})

test('the provider gets the same pseudonym for the same user, and never the id', async () => {
  const { first, client } = await start('{ anonymiseUserIds: true }')
  for (const user of ['jo@example.com', 'jo@example.com', 'other'])
    await client.chat.completions.create({ model: 'fast', messages: ask, user })
  const users = first.asked.map(({ body }) => body['user'])
  expect(users[0]).toMatch(/^user_[\w-]{27}$/)
  expect(users).toEqual([users[0], users[0], expect.not.stringMatching(String(users[0]))])
})
