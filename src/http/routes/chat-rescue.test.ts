import OpenAI from 'openai'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import {
  answers,
  answersStatus,
  type Behaviour,
  chunk,
  cutsAfter,
  DONE,
  goodStream,
  startUpstream,
  stream,
  type Upstream,
} from '../../gateway/testing/upstream.ts'

let first: Upstream
let second: Upstream
let stack: Stack

beforeEach(async () => {
  first = await startUpstream()
  second = await startUpstream()
  stack = await startStack({
    yaml: `
providers:
  first: { kind: openai, baseUrl: "${first.baseUrl}" }
  second: { kind: openai, baseUrl: "${second.baseUrl}" }
models:
  fast:
    targets: [{ provider: first, model: a, price: { inputUsd: 1, outputUsd: 1 } }, { provider: second, model: b, price: { inputUsd: 1, outputUsd: 1 } }]
    retries: { max: 0 }
  alone:
    targets: [{ provider: first, model: a }]
    retries: { max: 2, backoffMs: 1 }
  hedged:
    targets: [{ provider: first, model: a }, { provider: second, model: b }]
    hedge: { share: 0.5, afterMs: 40 }
`,
  })
})

afterEach(async () => {
  await stack.stop()
  await first.stop()
  await second.stop()
})

const HALF = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'One, two, ' }), chunk({ content: 'thr' })]

/** What a client reads of a stream, and the ids it saw. */
async function readAsClient(model: string, headers: Record<string, string> = {}) {
  const client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const ids = new Set<string>()
  let text = ''
  const answer = await client.chat.completions.create(
    { model, stream: true, messages: [{ role: 'user', content: 'Count' }] },
    { headers },
  )
  for await (const part of answer) {
    ids.add(part.id)
    text += part.choices[0]?.delta.content ?? ''
  }
  return { text, ids }
}

test('an answer that breaks off is gone on with elsewhere, and the caller reads one answer of one id', async () => {
  first.behave(cutsAfter(...HALF))
  second.behave(answers('One, ', 'two, three,', ' four.'))
  expect(await readAsClient('fast')).toEqual({ text: 'One, two, three, four.', ids: new Set(['chatcmpl-1']) })
  const [row] = await stack.rows()
  // Both are paid: the half by what was seen of it, the whole by what its provider says.
  expect(row).toMatchObject({ outcome: 'served', attempts: 2, provider: 'second', usage_source: 'estimated' })
  expect(row?.output_tokens).toBe(4 + 5)
})

test('an answer of a server that leaves away the role, names its events or changes its ids is gone on with too', async () => {
  const odd = ['One, two, ', 'thr'].map(
    (content, i) => `event: message\n${chunk({ content }).replace('chatcmpl-1', `chatcmpl-${i}`)}`,
  )
  first.behave(cutsAfter(...odd))
  second.behave(answers('One, ', 'two, three', ', four'))
  expect((await readAsClient('fast')).text).toBe('One, two, three, four')
})

test('an answer that cannot be gone on with ends in an error, and never in two halves of two answers', async () => {
  first.behave(cutsAfter(...HALF))
  second.behave(answers('Uno, dos, tres.'))
  const text = await (await stack.chat({ stream: true })).text()
  expect(text.startsWith(HALF.join(''))).toBe(true)
  expect(text).not.toContain('Uno')
  expect(text).not.toContain('[DONE]')
  expect(text.slice(HALF.join('').length)).toMatch(/^data: \{"error":\{"message":"[^\n]+broke off[^\n]+\}\}\n\n$/)
  expect(await stack.rows()).toMatchObject([{ outcome: 'failed', error_code: 'upstream_cut', attempts: 2 }])
})

test('a second answer that ends before it has said what was said is no end of the first', async () => {
  first.behave(cutsAfter(...HALF))
  second.behave(streams(chunk({ role: 'assistant', content: '' }), chunk({ content: 'One, t' }), DONE))
  const text = await (await stack.chat({ stream: true })).text()
  expect(text).not.toContain('[DONE]')
  expect(text.slice(HALF.join('').length)).toContain('broke off')
  expect(await stack.rows()).toMatchObject([{ outcome: 'failed', error_code: 'upstream_cut' }])
})

test('with one target alone, the same one is asked again', async () => {
  first.behave(({ call, response }) =>
    call === 1
      ? cutsAfter(...HALF)({ response } as never)
      : answers('One, two, three.')({ body: { stream: true }, response } as never),
  )
  expect((await readAsClient('alone')).text).toBe('One, two, three.')
})

test('a caller who would rather wait gets only a whole answer: none of the one that broke off', async () => {
  first.behave(cutsAfter(...HALF))
  second.behave(answers('Uno, dos, tres.'))
  expect((await readAsClient('fast', { 'x-midwatch-on-cut': 'restart' })).text).toBe('Uno, dos, tres.')
  expect(await stack.rows()).toMatchObject([{ outcome: 'served', attempts: 2 }])
})

test('a caller who wants neither is told at once', async () => {
  first.behave(cutsAfter(...HALF))
  await expect(readAsClient('fast', { 'x-midwatch-on-cut': 'fail' })).rejects.toThrow('broke off')
  expect(second.asked).toHaveLength(0)
  const odd = await stack.chat({}, { headers: { 'x-midwatch-on-cut': 'hope' } })
  expect(odd.status).toBe(400)
})

test('a frame that is not JSON but lost nothing is put right and passes on', async () => {
  const glued = `${chunk({ content: 'One' }).trimEnd()}\n${chunk({ content: ', two' })}`
  first.behave(streams(glued, chunk({}, { finish_reason: 'stop' }), DONE))
  expect((await readAsClient('alone')).text).toBe('One, two')
  expect(first.asked).toHaveLength(1)
})

test('a target that fails once is asked again before its first content', async () => {
  first.behave((asked) => (asked.call === 1 ? answersStatus(500, '')(asked) : answers('There you are')(asked)))
  expect((await readAsClient('alone')).text).toBe('There you are')
  expect(await stack.rows()).toMatchObject([{ outcome: 'served', attempts: 2 }])
})

test('a call slower than nearly all before it is asked elsewhere too, and the slower one is ended', async () => {
  first.behave(answers('quick'))
  for (let i = 0; i < 25; i++) await (await stack.chat({ model: 'hedged', stream: true })).text()
  first.behave(() => undefined)
  second.behave(answers('hedged'))
  const response = await stack.chat({ model: 'hedged', stream: true })
  expect(response.headers.get('x-midwatch-provider')).toBe('second')
  expect(await response.text()).toContain('hedged')
  await (
    await first.arrived(26)
  ).hungUp
  expect((await stack.rows()).at(-1)).toMatchObject({ outcome: 'served', attempts: 2, provider: 'second' })
})

test('when all targets keep failing, they are left alone for a while and the caller is told when to come again', async () => {
  first.behave(answersStatus(500, ''))
  for (let i = 0; i < 8; i++) await (await stack.chat({ model: 'alone' })).text()
  const before = first.asked.length
  await Promise.all(Array.from({ length: 20 }, async () => (await stack.chat({ model: 'alone' })).text()))
  expect(first.asked.length - before).toBeLessThan(20)
  expect(await stack.metric('llm_provider_state{provider="first",state="open"}')).toBe(1)
})

function streams(...events: string[]): Behaviour {
  return async ({ response }) => {
    await stream(response, events)
    response.end()
  }
}

test('what the caller reads is whole wherever the first answer was cut', async () => {
  const whole = goodStream('Wie', ' schön ', '🌙', ' ist die Nacht').join('')
  const bytes = Buffer.from(whole)
  second.behave(answers('Wie schön 🌙', ' ist die Nacht'))
  for (let at = 1; at < bytes.length; at += 37) {
    first.behave(async ({ response }) => {
      await stream(response, [bytes.subarray(0, at)])
      response.socket?.resetAndDestroy()
    })
    const { text } = await readAsClient('fast')
    expect(text, `cut at byte ${at}`).toBe('Wie schön 🌙 ist die Nacht')
  }
})
