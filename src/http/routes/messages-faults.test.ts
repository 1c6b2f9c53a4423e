// What goes wrong at a provider, as Anthropic's own SDK sees it at our door: the whole right answer where somebody else can
// give it, else an error that is correct in the protocol and comes in time.
import Anthropic from '@anthropic-ai/sdk'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKey } from '../../access/keys.ts'
import { systemClock } from '../../core/clock.ts'
import { checkStream, recordedStream } from '../../dialects/anthropic-messages/testing/recorded.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import { type Asked, type Behaviour, goodStream, startUpstream, type Upstream } from '../../gateway/testing/upstream.ts'

const GOOD = recordedStream('text').toString()
const EVENTS = GOOD.split(/(?<=\n\n)/)
/** A greeting, an open block, a ping. */
const GREETING = EVENTS.slice(0, 3).join('')
/** With the first content. */
const BEGUN = EVENTS.slice(0, 5).join('')
const SAID = 'Hello! I'

let broken: Upstream
let good: Upstream
let stack: Stack
let client: Anthropic
let key: string

beforeEach(async () => {
  broken = await startUpstream()
  good = await startUpstream(({ response }) => void response.end(goodStream(SAID, "'m fine").join('')))
  const quick = 'timeouts: { connectMs: 500, firstTokenMs: 250, idleMs: 250, totalMs: 3000 }, retries: { max: 0 }'
  stack = await startStack({
    yaml: `
providers:
  claude: { kind: anthropic, baseUrl: "${broken.baseUrl}", apiKey: k }
  gpt: { kind: openai, baseUrl: "${good.baseUrl}", apiKey: k }
models:
  alone: { targets: [{ provider: claude, model: claude-opus-4-6 }], ${quick} }
  safe: { targets: [{ provider: claude, model: claude-opus-4-6 }, { provider: gpt, model: gpt-real }], ${quick} }
`,
  })
  key = (await createKey(stack.access, { tenant: 'default', name: 't', scopes: ['llm:chat'] }, systemClock)).key
  client = new Anthropic({ baseURL: stack.url, apiKey: key, maxRetries: 0 })
})

afterEach(async () => {
  await stack.stop()
  await broken.stop()
  await good.stop()
})

const says =
  (text: string, then: 'end' | 'reset' | 'stall' = 'end'): Behaviour =>
  async ({ response, hungUp }: Asked) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    await new Promise<void>((resolve) => response.write(text, () => resolve()))
    if (then === 'end') response.end()
    else if (then === 'reset') response.destroy()
    else await hungUp
  }

const refuses =
  (status: number, type: string, message: string, headers: Record<string, string> = {}): Behaviour =>
  ({ response }) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify({ type: 'error', error: { type, message } }))
  }

const errorEvent = (type: string) =>
  `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type, message: 'Overloaded' } })}\n\n`

const BEFORE_CONTENT: [string, Behaviour][] = [
  ['429', refuses(429, 'rate_limit_error', 'Slow down')],
  ['429 with a long wait', refuses(429, 'rate_limit_error', 'Slow down', { 'retry-after': '60' })],
  ['500', refuses(500, 'api_error', 'Oops')],
  ['529', refuses(529, 'overloaded_error', 'Overloaded')],
  ['a key that it does not know', refuses(401, 'authentication_error', 'invalid x-api-key')],
  ['a model that it does not have', refuses(404, 'not_found_error', 'model: x')],
  ['a prompt that is too long for it', refuses(400, 'invalid_request_error', 'prompt is too long: 9 > 8')],
  ['an empty account', refuses(400, 'invalid_request_error', 'Your credit balance is too low')],
  ['a reset before the headers', ({ request }) => void request.socket.destroy()],
  ['no response', ({ hungUp }) => hungUp],
  ['a slow first token', says(GREETING, 'stall')],
  ['an error under 200', says(GREETING + errorEvent('overloaded_error'))],
  ['a cut before the first content', says(GREETING, 'reset')],
  ['a page of HTML', says('<html>Bad gateway</html>')],
  ['nothing', says('')],
  ['an event that is no JSON', says(`${GREETING}event: content_block_delta\ndata: {"type":\n\n`)],
]

const AFTER_CONTENT: [string, Behaviour][] = [
  ['a reset', says(BEGUN, 'reset')],
  ['an end without an end', says(BEGUN)],
  ['a stall', says(BEGUN, 'stall')],
  ['an event that is no JSON', says(`${BEGUN}event: content_block_delta\ndata: {"type":\n\n`)],
  ['an error event', says(BEGUN + errorEvent('overloaded_error'))],
  ['a second answer', says(BEGUN + GOOD)],
]

const ask = { max_tokens: 50, messages: [{ role: 'user' as const, content: 'Hi' }] }

async function bytesOf(model: string, headers: Record<string, string> = {}): Promise<Buffer> {
  const response = await fetch(`${stack.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': key, ...headers },
    body: JSON.stringify({ ...ask, model, stream: true }),
  })
  return Buffer.from(await response.arrayBuffer())
}

describe('before the first content', () => {
  test.each(BEFORE_CONTENT)('%s: another target gives the whole answer', async (_name, behaviour) => {
    broken.behave(behaviour)
    const message = await client.messages.stream({ ...ask, model: 'safe' }).finalMessage()
    expect(message).toMatchObject({ content: [{ type: 'text', text: `${SAID}'m fine` }], stop_reason: 'end_turn' })
  })

  test.each(BEFORE_CONTENT)('%s: alone it comes to an error of the SDK, in time', async (_name, behaviour) => {
    broken.behave(behaviour)
    const startedAt = performance.now()
    const error: unknown = await client.messages
      .stream({ ...ask, model: 'alone' })
      .finalMessage()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Anthropic.APIError)
    expect((error as { type: unknown }).type).toMatch(/_error$/)
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })
})

describe('after the first content', () => {
  test.each(AFTER_CONTENT)('%s: another target goes on, and the caller sees one answer', async (_name, behaviour) => {
    broken.behave(behaviour)
    expect(checkStream(await bytesOf('safe'))).toBeNull()
    const message = await client.messages.stream({ ...ask, model: 'safe' }).finalMessage()
    expect(message.content).toMatchObject([{ type: 'text', text: `${SAID}'m fine` }])
  })

  test.each(AFTER_CONTENT)(
    '%s: without anybody else it is an error event, never a clean end',
    async (_name, behaviour) => {
      broken.behave(behaviour)
      const text = await bytesOf('alone', { 'x-midwatch-on-cut': 'fail' })
      expect(text.toString()).not.toContain('event: message_stop')
      expect(text.toString()).toContain('event: error\n')
      expect(checkStream(text)).toBeNull()
    },
  )

  test('all is said and only the end mark is missing: the answer is whole, and gets it', async () => {
    broken.behave(says(GOOD.slice(0, GOOD.indexOf('event: message_stop')), 'reset'))
    expect((await bytesOf('alone')).toString()).toBe(GOOD)
  })
})
