// Recorded streams of each dialect, cut behind every one of their events. A caller of the same dialect gets them verbatim up
// to the cut; whatever follows has to go on in the grammar, and to the same end or to an error.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SseSplitter } from '../../core/sse.ts'
import { recordedStream } from '../../dialects/anthropic-messages/testing/recorded.ts'
import { DIALECT } from '../../dialects/all.ts'
import { collected, eventsOf, recorded } from '../../dialects/testing/answers.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import { startUpstream, type Upstream } from '../../gateway/testing/upstream.ts'
import type { Dialect } from '../../llm/dialect.ts'

let upstream: Upstream
let stack: Stack

beforeEach(async () => {
  upstream = await startUpstream()
  // A model of its own for every cut: else the breakers would soon lead past the target that cuts.
  const model = (provider: string, at: number) =>
    `${provider}-${at}: { targets: [{ provider: ${provider}, model: cuts-${at} }, { provider: ${provider}, model: good-${at} }], retries: { max: 0 } }`
  const models = ['chat', 'responses', 'messages'].flatMap((provider) =>
    Array.from({ length: 70 }, (_, at) => model(provider, at)),
  )
  stack = await startStack({
    yaml: `
providers:
  chat: { kind: openai, baseUrl: "${upstream.baseUrl}", api: chat }
  responses: { kind: openai, baseUrl: "${upstream.baseUrl}", api: responses }
  messages: { kind: anthropic, baseUrl: "${upstream.baseUrl.replace('/v1', '')}", apiKey: k }
models:
  ${models.join('\n  ')}
`,
  })
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
})

const STREAMS: [model: 'chat' | 'responses' | 'messages', name: string, bytes: Buffer, always: boolean][] = [
  ['chat', 'xai-tool-call', recorded('openai-chat/xai-tool-call.chunks.txt'), false],
  ['chat', 'azure-text', recorded('openai-chat/azure-text.chunks.txt'), true],
  ['responses', 'azure-text', recorded('openai-responses/azure-text.chunks.txt', true), true],
  ['responses', 'azure-tool-call', recorded('openai-responses/azure-tool-call.chunks.txt', true), false],
  ['responses', 'reasoning', recorded('openai-responses/reasoning.chunks.txt', true), false],
  ['messages', 'text', recordedStream('text'), true],
  ['messages', 'clear-thinking.1', recordedStream('clear-thinking.1'), false],
  ['messages', 'json-other-tool.1', recordedStream('json-other-tool.1'), false],
  ['messages', 'web-fetch-tool.1', recordedStream('web-fetch-tool.1'), false],
]

const NAME = { chat: 'openai-chat', responses: 'openai-responses', messages: 'anthropic-messages' } as const
const BODY = {
  chat: { messages: [{ role: 'user', content: 'Hi' }] },
  responses: { input: 'Hi' },
  messages: { max_tokens: 900, messages: [{ role: 'user', content: 'Hi' }] },
}

/** Text and calls, without what a second answer never repeats. */
const saidIn = (dialect: Dialect, bytes: Buffer) =>
  collected(eventsOf(dialect, [bytes])).choices[0]?.parts.flatMap((part) =>
    part.kind === 'text' ? [part.text] : part.kind === 'tool-call' ? [part.name, part.json] : [],
  )

/** What is wrong with what the caller got; `error` for an error that is in order, null for the whole answer. */
function judge(dialect: Dialect, got: Buffer, bytes: Buffer): string | null {
  const checker = dialect.createChecker()
  let failed = false
  for (const { event, data } of new SseSplitter().push(got)) {
    if (data === null) continue
    const value: unknown = data === '[DONE]' ? data : JSON.parse(data)
    const wrong = checker.see(event, value)
    if (wrong !== null) return wrong
    if (event === 'error' || (value as { error?: unknown }).error) failed = true
  }
  const missing = checker.end()
  if (missing !== null) return missing
  if (failed) return 'error'
  const [said, all] = [saidIn(dialect, got), saidIn(dialect, bytes)]
  return JSON.stringify(said) === JSON.stringify(all) ? null : `it says ${JSON.stringify(said)?.slice(-200)}`
}

test.each(STREAMS)('%s %s is gone on with in the grammar wherever it was cut', async (model, _name, bytes, always) => {
  const dialect = DIALECT[NAME[model]]
  if (!dialect) throw new Error('no such dialect')
  const clean = judge(dialect, bytes, bytes)
  const events = new SseSplitter().push(bytes).map((event) => event.bytes)
  const ends: Record<string, string> = {}
  for (let at = 1; at < events.length; at++) {
    upstream.behave(async ({ response, body }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const first = String(body['model']).startsWith('cuts')
      await new Promise<void>((resolve) =>
        response.write(first ? Buffer.concat(events.slice(0, at)) : bytes, () => resolve()),
      )
      if (first) response.socket?.resetAndDestroy()
      else response.end()
    })
    const response = await fetch(`${stack.url}${dialect.endpoint}`, {
      method: 'POST',
      body: JSON.stringify({ ...BODY[model], model: `${model}-${at}`, stream: true }),
    })
    const verdict = judge(dialect, Buffer.from(await response.arrayBuffer()), bytes)
    // What breaks its grammar as it was recorded cannot be held to it.
    if (verdict !== null && verdict !== clean)
      ends[`after ${events[at - 1]?.toString().trim().slice(0, 60)} (${at})`] = verdict
  }
  const wrong = always ? ends : Object.fromEntries(Object.entries(ends).filter(([, verdict]) => verdict !== 'error'))
  expect(wrong).toEqual({})
  expect(upstream.asked.length, 'the cuts were met, and someone else was asked').toBeGreaterThan(events.length)
})
