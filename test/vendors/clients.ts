// The SDKs that people have, each with the same errand: a question that takes two calls of a tool at once, their results
// sent back, the answer streamed; then an answer in JSON; then a plain one. They know nothing of Midwatch but an address
// and a key.
import Anthropic from '@anthropic-ai/sdk'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { ChatAnthropic } from '@langchain/anthropic'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { type AIMessageChunk, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { embedMany, generateText, type LanguageModel, Output, streamText, tool } from 'ai'
import OpenAI from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { weatherIn } from './mind.ts'

export interface Place {
  readonly url: string
  readonly key: string
}

export interface Errand {
  /** The cities that the tool was called for, in order. */
  readonly called: readonly string[]
  /** The streamed answer at last. */
  readonly said: string
  readonly report: unknown
  readonly plain: string
}

/** The names that these clients would use at home. */
export const GPT = 'gpt-5-mini'
export const CLAUDE = 'claude-sonnet-4-5'
export const EMBEDDING = 'text-embedding-3-small'

const QUESTION = 'How is the weather in Oslo and in Rome? “Quotes”, ümlauts and 🌦️ included.'
const SYSTEM = 'You are brief.'
const DESCRIPTION = 'The weather in a city'
const citySchema = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'],
  additionalProperties: false,
}
const report = z.object({ city: z.string(), degrees: z.number() })
const reportSchema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
}

export const CLIENTS: Readonly<Record<string, (place: Place) => Promise<Errand>>> = {
  'openai chat': runOpenAiChat,
  'openai responses': runOpenAiResponses,
  anthropic: runAnthropic,
  'ai sdk, openai chat': (place) => runAiSdk(openAiOf(place).chat(GPT)),
  'ai sdk, openai responses': (place) => runAiSdk(openAiOf(place).responses(GPT), { openai: { store: false } }),
  'ai sdk, anthropic': ({ url, key }) => runAiSdk(createAnthropic({ baseURL: `${url}/v1`, apiKey: key })(CLAUDE)),
  'langchain, openai chat': (place) => runLangChain(langChainOpenAi(place, false)),
  'langchain, openai responses': (place) => runLangChain(langChainOpenAi(place, true)),
  'langchain, anthropic': ({ url, key }) =>
    runLangChain(
      new ChatAnthropic({ model: CLAUDE, apiKey: key, anthropicApiUrl: url, maxRetries: 0, maxTokens: 500 }),
    ),
}

/** Vectors of two texts, by each SDK that asks for any. */
export const EMBEDDERS: Readonly<Record<string, (place: Place, texts: string[]) => Promise<number[][]>>> = {
  openai: async (place, input) => {
    const { data } = await openAi(place).embeddings.create({ model: EMBEDDING, input })
    return data.map(({ embedding }) => embedding)
  },
  'ai sdk': async (place, values) => {
    const model = openAiOf(place).embedding(EMBEDDING)
    return (await embedMany({ model, values, maxRetries: 0 })).embeddings
  },
  langchain: ({ url, key }, texts) =>
    new OpenAIEmbeddings({
      model: EMBEDDING,
      apiKey: key,
      maxRetries: 0,
      configuration: { baseURL: `${url}/v1` },
    }).embedDocuments(texts),
}

const openAi = ({ url, key }: Place) => new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })
const openAiOf = ({ url, key }: Place) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key })

async function runOpenAiChat(place: Place): Promise<Errand> {
  const client = openAi(place)
  const called: string[] = []
  const runner = client.chat.completions.runTools({
    model: GPT,
    stream: true,
    messages: [
      { role: 'developer', content: SYSTEM },
      { role: 'user', content: QUESTION },
    ],
    tools: [
      {
        type: 'function',
        function: {
          name: 'weather',
          description: DESCRIPTION,
          parameters: citySchema,
          parse: JSON.parse,
          function: ({ city }: { city: string }) => {
            called.push(city)
            return weatherIn(city)
          },
        },
      },
    ],
  })
  const said = (await runner.finalContent()) ?? ''
  const parsed = await client.chat.completions.parse({
    model: GPT,
    messages: [{ role: 'user', content: QUESTION }],
    response_format: zodResponseFormat(report, 'report'),
  })
  const plain = await client.chat.completions.create({ model: GPT, messages: [{ role: 'user', content: 'Hello' }] })
  return {
    called,
    said,
    report: parsed.choices[0]?.message.parsed,
    plain: plain.choices[0]?.message.content ?? '',
  }
}

async function runOpenAiResponses(place: Place): Promise<Errand> {
  const client = openAi(place)
  const tools = [
    { type: 'function' as const, name: 'weather', description: DESCRIPTION, strict: true, parameters: citySchema },
  ]
  const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: QUESTION }]
  const asked = {
    model: GPT,
    instructions: SYSTEM,
    tools,
    store: false,
    include: ['reasoning.encrypted_content' as const],
  }
  const called: string[] = []
  let said = ''
  for (let turn = 0; turn < 3 && said === ''; turn++) {
    const stream = client.responses.stream({ ...asked, input })
    let text = ''
    stream.on('response.output_text.delta', ({ delta }) => (text += delta))
    const response = await stream.finalResponse()
    const calls = response.output.flatMap((one) => (one.type === 'function_call' ? [one] : []))
    if (calls.length === 0) said = text
    input.push(...(response.output as OpenAI.Responses.ResponseInputItem[]))
    for (const { call_id, arguments: json } of calls) {
      const { city } = JSON.parse(json) as { city: string }
      called.push(city)
      input.push({ type: 'function_call_output', call_id, output: weatherIn(city) })
    }
  }
  const parsed = await client.responses.parse({
    model: GPT,
    input: QUESTION,
    text: { format: zodTextFormat(report, 'report') },
  })
  const plain = await client.responses.create({ model: GPT, input: 'Hello' })
  return { called, said, report: parsed.output_parsed, plain: plain.output_text }
}

async function runAnthropic({ url, key }: Place): Promise<Errand> {
  const client = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 })
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: QUESTION }]
  const tools = [{ name: 'weather', description: DESCRIPTION, input_schema: citySchema }]
  const called: string[] = []
  let said = ''
  for (let turn = 0; turn < 3 && said === ''; turn++) {
    const stream = client.messages.stream({ model: CLAUDE, max_tokens: 500, system: SYSTEM, tools, messages })
    let text = ''
    stream.on('text', (piece) => (text += piece))
    const { content, stop_reason: reason } = await stream.finalMessage()
    if (reason === 'end_turn') said = text
    messages.push({ role: 'assistant', content })
    const results = content.flatMap((block) => {
      if (block.type !== 'tool_use') return []
      const { city } = block.input as { city: string }
      called.push(city)
      return [{ type: 'tool_result' as const, tool_use_id: block.id, content: weatherIn(city) }]
    })
    if (results.length > 0) messages.push({ role: 'user', content: results })
  }
  const ask = { model: CLAUDE, max_tokens: 500, messages: [{ role: 'user' as const, content: 'Hello' }] }
  const json = await client.messages.create({
    ...ask,
    output_config: { format: { type: 'json_schema', schema: reportSchema } },
  })
  return {
    called,
    said,
    report: JSON.parse(wordsOf(json)),
    plain: wordsOf(await client.messages.create(ask)),
  }
}

const wordsOf = ({ content }: Anthropic.Message): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')

async function runAiSdk(
  model: LanguageModel,
  providerOptions: Record<string, Record<string, boolean>> = {},
): Promise<Errand> {
  const called: string[] = []
  const weather = tool({
    description: DESCRIPTION,
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => {
      called.push(city)
      return weatherIn(city)
    },
  })
  const always = { model, providerOptions, maxRetries: 0 }
  let failure: unknown
  const result = streamText({
    ...always,
    instructions: SYSTEM,
    prompt: QUESTION,
    tools: { weather },
    stopWhen: ({ steps }) => steps.length === 3,
    onError: ({ error }) => {
      failure = error
    },
  })
  const said = await Promise.resolve(result.text).catch((error: unknown) => {
    throw failure ?? error
  })
  const { output } = await generateText({ ...always, prompt: QUESTION, output: Output.object({ schema: report }) })
  const plain = await generateText({ ...always, prompt: 'Hello' })
  return { called, said, report: output, plain: plain.text }
}

const langChainOpenAi = ({ url, key }: Place, useResponsesApi: boolean) =>
  new ChatOpenAI({
    model: GPT,
    apiKey: key,
    useResponsesApi,
    maxRetries: 0,
    configuration: { baseURL: `${url}/v1` },
  })

async function runLangChain(model: BaseChatModel): Promise<Errand> {
  const bound = model.bindTools?.([
    { type: 'function', function: { name: 'weather', description: DESCRIPTION, parameters: citySchema } },
  ])
  if (!bound) throw new Error('this model takes no tools')
  const called: string[] = []
  const messages: (HumanMessage | AIMessageChunk | ToolMessage)[] = [new HumanMessage(QUESTION)]
  let said = ''
  for (let turn = 0; turn < 3 && said === ''; turn++) {
    let whole: AIMessageChunk | undefined
    for await (const chunk of await bound.stream(messages)) whole = whole ? whole.concat(chunk) : chunk
    if (!whole) throw new Error('nothing came')
    messages.push(whole)
    for (const { id = '', args } of whole.tool_calls ?? []) {
      const { city } = args as { city: string }
      called.push(city)
      messages.push(new ToolMessage({ content: weatherIn(city), tool_call_id: id }))
    }
    if ((whole.tool_calls ?? []).length === 0) said = whole.text
  }
  const structured = await model.withStructuredOutput(report).invoke(QUESTION)
  const plain = await model.invoke('Hello')
  return { called, said, report: structured, plain: plain.text }
}
