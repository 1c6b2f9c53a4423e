// Providers whose language no caller speaks, as the callers' own clients see them.
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkStream } from '../../dialects/anthropic-messages/testing/recorded.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import { type Asked, startUpstream, type Upstream } from '../../gateway/testing/upstream.ts'
import { event, exception, recorded } from '../../providers/bedrock/testing/recorded.ts'
import { chunk, recordedAnswer, recordedStream, streamOf } from '../../providers/gemini/testing/recorded.ts'

let google: Upstream
let aws: Upstream
let openai: Upstream
let stack: Stack
let client: OpenAI
let claude: Anthropic

beforeEach(async () => {
  google = await startUpstream()
  aws = await startUpstream()
  openai = await startUpstream()
  const origin = ({ baseUrl }: Upstream) => new URL(baseUrl).origin
  stack = await startStack({
    yaml: `
providers:
  google: { kind: gemini, baseUrl: "${origin(google)}", apiKey: google-secret }
  aws: { kind: bedrock, region: eu-central-1, baseUrl: "${origin(aws)}", accessKeyId: AKIDEXAMPLE, secretAccessKey: aws-secret }
  gpt: { kind: openai, baseUrl: "${openai.baseUrl}", apiKey: sk-secret }
models:
  gemini: { targets: [{ provider: google, model: gemini-3-pro-preview }], retries: { max: 0 } }
  bedrock: { targets: [{ provider: aws, model: "eu.anthropic.claude-sonnet-4-5-20250929-v1:0" }], retries: { max: 0 } }
  gpt: { targets: [{ provider: gpt, model: gpt-real }] }
`,
  })
  client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: 'none', maxRetries: 0 })
  claude = new Anthropic({ baseURL: stack.url, apiKey: 'none', maxRetries: 0 })
})

afterEach(async () => {
  await stack.stop()
  await Promise.all([google.stop(), aws.stop(), openai.stop()])
})

const answers =
  (body: Buffer | string, type = 'text/event-stream', status = 200) =>
  ({ response }: Asked) => {
    response.writeHead(status, { 'content-type': type })
    response.end(body)
  }

/** One byte a write: no character arrives whole that is longer. */
const byteByByte =
  (body: Buffer) =>
  async ({ response }: Asked) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.socket?.setNoDelay(true)
    for (const byte of body) await new Promise<void>((resolve) => response.write(Buffer.of(byte), () => resolve()))
    response.end()
  }

const EVENT_STREAM = 'application/vnd.amazon.eventstream'
const tools = [
  {
    type: 'function' as const,
    function: {
      name: 'weather',
      description: 'Tells the weather',
      parameters: { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] },
    },
  },
]
const QUESTION = { role: 'user' as const, content: 'What is the weather in San Francisco?' }

/** The call that a streamed answer of the OpenAI client makes, and its usage. */
async function streamedCall(model: string) {
  const stream = client.chat.completions.stream({
    model,
    messages: [QUESTION],
    tools,
    stream_options: { include_usage: true },
  })
  const completion = await stream.finalChatCompletion()
  return { choice: completion.choices[0], usage: completion.usage }
}

const signatureIn = (stream: Buffer) => /"thoughtSignature":"([^"]+)"/.exec(stream.toString())?.[1]

describe('with Gemini behind it', () => {
  test('OpenAI’s client streams a tool call, with what was thought in the count of the output', async () => {
    google.behave(answers(recordedStream('tool-call-gemini3')))
    const { choice, usage } = await streamedCall('gemini')
    expect(choice?.finish_reason).toBe('tool_calls')
    expect(choice?.message.tool_calls).toMatchObject([
      { type: 'function', function: { name: 'weather', arguments: '{"location":"San Francisco"}' } },
    ])
    expect(usage).toMatchObject({
      prompt_tokens: 29,
      completion_tokens: 819,
      completion_tokens_details: { reasoning_tokens: 804 },
    })
    expect(google.asked[0]?.request.url).toBe('/v1beta/models/gemini-3-pro-preview:streamGenerateContent?alt=sse')
    expect(google.asked[0]?.request.headers['x-goog-api-key']).toBe('google-secret')
    expect((await stack.rows())[0]).toMatchObject({ outcome: 'served', input_tokens: 29, output_tokens: 819 })
  })

  test('the stream ends with [DONE], which Gemini does not send', async () => {
    google.behave(answers(recordedStream('text')))
    const text = await (await stack.chat({ model: 'gemini', stream: true })).text()
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(text.match(/\[DONE\]/g)).toHaveLength(1)
    expect(text).toContain('"finish_reason":"stop"')
  })

  test('the signature of a call comes back with its result, from a client that knows nothing of it', async () => {
    const first = recordedStream('tool-call-gemini3')
    google.behave(answers(first))
    const { choice } = await streamedCall('gemini')
    const call = choice?.message.tool_calls?.[0]
    google.behave(answers(recordedAnswer('text'), 'application/json'))
    const answer = await client.chat.completions.create({
      model: 'gemini',
      tools,
      messages: [
        QUESTION,
        { role: 'assistant', tool_calls: choice?.message.tool_calls ?? [] },
        { role: 'tool', tool_call_id: call?.id ?? '', content: 'Sunny' },
      ],
    })
    expect(answer.choices[0]?.message.content).toContain('strawberry')
    expect(google.asked[1]?.body['contents']).toMatchObject([
      { role: 'user' },
      {
        role: 'model',
        parts: [
          {
            functionCall: { name: 'weather', args: { location: 'San Francisco' } },
            thoughtSignature: signatureIn(first),
          },
        ],
      },
      { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { output: 'Sunny' } } }] },
    ])
  })

  test('Anthropic’s client keeps the signature as well, in a stream of its own grammar', async () => {
    const first = recordedStream('tool-call-gemini3')
    google.behave(answers(first))
    const request = { model: 'gemini', max_tokens: 500, messages: [QUESTION] }
    const said = await claude.messages.stream(request).finalMessage()
    expect(said).toMatchObject({ stop_reason: 'tool_use', usage: { input_tokens: 29, output_tokens: 819 } })
    const [block] = said.content.filter(({ type }) => type === 'tool_use')
    await claude.messages
      .stream({
        ...request,
        messages: [
          QUESTION,
          { role: 'assistant', content: said.content },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: block?.type === 'tool_use' ? block.id : '', content: '4' }],
          },
        ],
      })
      .finalMessage()
    expect(JSON.stringify(google.asked[1]?.body)).toContain(
      JSON.stringify({ thoughtSignature: signatureIn(first) }).slice(1, -1),
    )
    const raw = await fetch(`${stack.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ ...request, stream: true }),
    })
    expect(checkStream(Buffer.from(await raw.arrayBuffer()))).toBeNull()
  })

  test('a conversation that goes on elsewhere goes there without the signature', async () => {
    google.behave(answers(recordedStream('tool-call-gemini3')))
    const { choice } = await streamedCall('gemini')
    const call = choice?.message.tool_calls?.[0]
    await client.chat.completions.create({
      model: 'gpt',
      messages: [
        QUESTION,
        { role: 'assistant', tool_calls: choice?.message.tool_calls ?? [] },
        { role: 'tool', tool_call_id: call?.id ?? '', content: 'Sunny' },
      ],
    })
    const messages = openai.asked[0]?.body['messages'] as { tool_call_id?: string; tool_calls?: { id: string }[] }[]
    const id = messages[2]?.tool_call_id ?? ''
    expect(id.length).toBeLessThanOrEqual(40)
    expect(messages[1]?.tool_calls?.[0]?.id).toBe(id)
  })

  test('no character is cut at the border of a chunk', async () => {
    const said = 'Ünïcödé 漢字 🌊👩‍🚀'
    google.behave(byteByByte(streamOf(chunk([{ text: said }]), chunk([{ text: '!' }], { finishReason: 'STOP' }))))
    const stream = client.chat.completions.stream({ model: 'gemini', messages: [QUESTION] })
    expect((await stream.finalChatCompletion()).choices[0]?.message.content).toBe(`${said}!`)
  })

  test('a stream that breaks off without a reason to finish is no clean end', async () => {
    google.behave(answers(streamOf(chunk([{ text: 'Half' }]))))
    const text = await (await stack.chat({ model: 'gemini', stream: true })).text()
    expect(text).toContain('Half')
    expect(text).toContain('"error"')
    expect(text).not.toContain('"finish_reason":"stop"')
  })

  test('a prompt that Google blocks is told as forbidden, not as an empty answer', async () => {
    google.behave(answers(JSON.stringify({ promptFeedback: { blockReason: 'SAFETY' } }), 'application/json'))
    const response = await stack.chat({ model: 'gemini' })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('SAFETY')
  })

  test('embeddings are Google’s, in order', async () => {
    google.behave(answers(JSON.stringify({ embeddings: [{ values: [1, 2] }, { values: [3, 4] }] }), 'application/json'))
    const answer = await client.embeddings.create({ model: 'gemini', input: ['a', 'b'], encoding_format: 'float' })
    expect(answer.data.map(({ embedding }) => embedding)).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(google.asked[0]?.request.url).toBe('/v1beta/models/gemini-3-pro-preview:batchEmbedContents')
    expect(google.asked[0]?.body['requests']).toMatchObject([{ content: { parts: [{ text: 'a' }] } }, {}])
  })
})

describe('with Bedrock behind it', () => {
  test('OpenAI’s client streams text and a tool call', async () => {
    aws.behave(answers(recorded('tool-stream.bin'), EVENT_STREAM))
    const { choice, usage } = await streamedCall('bedrock')
    expect(choice).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: "I'll check the current weather in San Francisco, CA for you.",
        tool_calls: [{ function: { name: 'get_weather', arguments: '{"location": "San Francisco, CA"}' } }],
      },
    })
    expect(usage).toMatchObject({ prompt_tokens: 446, completion_tokens: 76 })
    const [asked] = aws.asked
    expect(asked?.request.url).toBe('/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream')
    expect(asked?.request.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
    )
    expect(asked?.body).toMatchObject({ toolConfig: { tools: [{ toolSpec: { name: 'weather' } }] } })
    expect((await stack.rows())[0]).toMatchObject({ outcome: 'served', input_tokens: 446, output_tokens: 76 })
  })

  test('Anthropic’s client streams thinking, and hands its signature back', async () => {
    aws.behave(answers(recorded('thinking-stream.bin'), EVENT_STREAM))
    const thinking = { type: 'enabled' as const, budget_tokens: 2000 }
    const request = { model: 'bedrock', max_tokens: 4000, thinking, messages: [QUESTION] }
    const said = await claude.messages.stream(request).finalMessage()
    expect(said.content.map(({ type }) => type)).toEqual(['thinking', 'text'])
    aws.behave(answers(recorded('text.json'), 'application/json'))
    await claude.messages.create({
      ...request,
      messages: [QUESTION, { role: 'assistant', content: said.content }, { role: 'user', content: 'And then?' }],
    })
    const [block] = said.content
    const text = block?.type === 'thinking' ? block.thinking : ''
    const sent = (aws.asked[1]?.body['messages'] as { content: unknown[] }[] | undefined)?.[1]?.content[0]
    expect(sent).toMatchObject({
      reasoningContent: { reasoningText: { text, signature: expect.stringMatching(/^E/) as string } },
    })
    expect(aws.asked[1]?.body).toMatchObject({ additionalModelRequestFields: { thinking } })
  })

  test('an exception in the midst of a stream is no clean end', async () => {
    const start = event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Half' } })
    aws.behave(answers(Buffer.concat([start, exception('internalServerException', 'Trouble')]), EVENT_STREAM))
    const text = await (await stack.chat({ model: 'bedrock', stream: true })).text()
    expect(text).toContain('Half')
    expect(text).toContain('"error"')
    expect(text).not.toContain('"finish_reason":"stop"')
  })
})
