// The stand-in as a process, asked as the official client asks a provider.
import { fork } from 'node:child_process'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FromProcess, StartMessage, Trouble } from '../shop/messages.ts'
import { OPENING } from './answer.ts'

const child = fork(new URL('./provider.ts', import.meta.url), [], { execArgv: [] })
let client: OpenAI

const next = (type: FromProcess['type']) =>
  new Promise<FromProcess>((resolve) => {
    child.on('message', (message: FromProcess) => {
      if (message.type === type) resolve(message)
    })
  })

beforeAll(async () => {
  const start: Partial<StartMessage> = { type: 'start', service: 'model-provider' }
  child.send(start)
  const ready = await next('ready')
  const port = ready.type === 'ready' ? ready.ports['model-provider'] : undefined
  client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'any', maxRetries: 0 })
})
afterAll(() => child.disconnect())

const asked = { model: 'scripted', messages: [{ role: 'user', content: 'Can I send goods back?' }] } as const

test('an answer comes whole, with what it used', async () => {
  const answer = await client.chat.completions.create({ ...asked, messages: [...asked.messages] })
  expect(answer.choices[0]?.message.content).toMatch(new RegExp(`^${OPENING}`))
  expect(answer.usage?.total_tokens).toBe((answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0))
})

test('the same answer comes as a stream that ends with its usage', async () => {
  const stream = await client.chat.completions.create({
    ...asked,
    messages: [...asked.messages],
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  let finished: string | null | undefined
  let tokens: number | undefined
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    finished = chunk.choices[0]?.finish_reason ?? finished
    tokens = chunk.usage?.completion_tokens ?? tokens
  }
  expect(text).toMatch(new RegExp(`^${OPENING}`))
  expect([finished, tokens]).toEqual(['stop', Math.ceil(text.length / 4)])
})

test('it fails as a provider fails when it is told to, and is well again', async () => {
  const tell = async (trouble: Trouble) => {
    const taken = next('troubled')
    child.send({ type: 'trouble', trouble })
    await taken
  }
  const ask = () => client.chat.completions.create({ ...asked, messages: [...asked.messages] })
  await tell({ kind: 'failing-answers', share: 1, status: 429 })
  await expect(ask()).rejects.toMatchObject({ status: 429, type: 'rate_limit_error' })
  await tell({ kind: 'well' })
  expect((await ask()).choices).toHaveLength(1)
})
