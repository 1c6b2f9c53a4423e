import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import { isObject, type Json, objectsIn } from '../../dialects/json.ts'
import type { NeutralChat } from '../../llm/request.ts'
import { anyRequest } from '../testing/requests.ts'
import { traitsOf } from './models.ts'
import { writeConverse } from './write-request.ts'

const CLAUDE = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
const MODELS = [
  CLAUDE,
  'anthropic.claude-3-haiku-20240307-v1:0',
  'us.anthropic.claude-opus-4-8',
  'us.amazon.nova-pro-v1:0',
  'mistral.mistral-large-2402-v1:0',
  'meta.llama3-1-70b-instruct-v1:0',
  'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123',
]
const BLOCKS = ['text', 'image', 'document', 'toolUse', 'toolResult', 'reasoningContent', 'cachePoint']

const written = (request: NeutralChat, model = CLAUDE) =>
  JSON.parse(writeConverse(request, model).body.toString()) as Json

/** What Bedrock would refuse of a body, first of all; undefined when nothing is known. */
function whatIsWrong(body: Json, model: string): string | undefined {
  const traits = traitsOf(model)
  const messages = objectsIn(body['messages'])
  const blocks = messages.flatMap(({ content }) => objectsIn(content))
  const config = isObject(body['toolConfig']) ? body['toolConfig'] : undefined
  if (messages[0]?.['role'] !== 'user') return 'the user does not begin'
  for (const [i, message] of messages.entries()) {
    if (message['role'] === messages[i - 1]?.['role']) return 'turns do not alternate'
    const content = objectsIn(message['content'])
    if (content.every(({ cachePoint }) => cachePoint !== undefined)) return 'a turn is empty'
    if (content.some((block) => Object.keys(block).length !== 1)) return 'a block of two kinds'
    const wrong = content.map((block) => wrongBlock(block)).find(Boolean)
    if (wrong !== undefined) return wrong
    const kinds = content.map((block) => Object.keys(block)[0]).filter((kind) => kind !== 'cachePoint')
    if (kinds.lastIndexOf('toolResult') >= kinds.filter((kind) => kind === 'toolResult').length)
      return 'results are not first'
    if (kinds.includes('document') && !kinds.includes('text')) return 'a document without text'
  }
  if (objectsIn(body['system']).some(({ text }) => typeof text === 'string' && text.trim() === ''))
    return 'blank system'
  const marks = [...blocks, ...objectsIn(body['system']), ...objectsIn(config?.['tools'])]
  if (!traits.cachePoints && marks.some(({ cachePoint }) => cachePoint !== undefined)) return 'a cache point'
  const used = blocks.some(({ toolUse, toolResult }) => toolUse !== undefined || toolResult !== undefined)
  const specs = objectsIn(config?.['tools']).flatMap(({ toolSpec }) => (isObject(toolSpec) ? [toolSpec] : []))
  if (used && specs.length === 0) return 'tools that are not defined'
  if (config && specs.length === 0) return 'an empty list of tools'
  if (specs.some(({ description }) => description === '')) return 'an empty description'
  if (specs.some(({ inputSchema: s }) => !isObject(s) || !isObject(s['json']) || s['json']['type'] !== 'object'))
    return 'a schema of no object'
  const choice = isObject(config?.['toolChoice']) ? Object.keys(config['toolChoice'])[0] : 'auto'
  if (choice !== 'auto' && traits.forcedTools === 'none') return 'a forced tool'
  if (choice === 'tool' && traits.forcedTools !== 'tool') return 'a tool forced by name'
  return wrongSampling(body, traits)
}

function wrongBlock(block: Json): string | undefined {
  if (!BLOCKS.includes(Object.keys(block)[0] ?? '')) return 'an unknown block'
  if (typeof block['text'] === 'string' && block['text'].trim() === '') return 'blank text'
  const { toolUse, toolResult, document } = block
  if (isObject(toolUse) && !isObject(toolUse['input'])) return 'an input that is no object'
  const id = isObject(toolUse) ? toolUse['toolUseId'] : isObject(toolResult) ? toolResult['toolUseId'] : 'a'
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(String(id))) return `the id ${String(id)}`
  if (isObject(toolResult)) {
    const content = objectsIn(toolResult['content'])
    if (content.length === 0) return 'an empty result'
    return content.map(wrongBlock).find(Boolean)
  }
  if (isObject(document) && !/^[a-zA-Z0-9\-()[\]]+( [a-zA-Z0-9\-()[\]]+)*$/.test(String(document['name'])))
    return 'the name of a document'
  return undefined
}

function wrongSampling(body: Json, { family, claude }: ReturnType<typeof traitsOf>): string | undefined {
  const inference = isObject(body['inferenceConfig']) ? body['inferenceConfig'] : {}
  const more = isObject(body['additionalModelRequestFields']) ? body['additionalModelRequestFields'] : {}
  const thinking = isObject(more['thinking']) ? more['thinking'] : {}
  const { temperature, topP, maxTokens } = inference
  if (temperature !== undefined && (Number(temperature) > 1 || Number(temperature) < 0)) return 'a temperature'
  if (family !== 'claude') return Object.keys(thinking).length > 0 ? 'thinking' : undefined
  if (temperature !== undefined && topP !== undefined) return 'temperature and topP'
  const sampled = temperature !== undefined || topP !== undefined || more['top_k'] !== undefined
  if (sampled && (claude?.sampling === false || thinking['type'] === 'enabled')) return 'sampling'
  if (thinking['type'] === 'enabled' && Number(thinking['budget_tokens']) >= Number(maxTokens))
    return 'too large a budget'
  return undefined
}

test('whatever is asked in no dialect, no model behind Bedrock has a known reason to refuse it', () => {
  let asked = 0
  fc.assert(
    fc.property(anyRequest, fc.constantFrom(...MODELS), (request, model) => {
      try {
        expect(whatIsWrong(written(request, model), model)).toBeUndefined()
        asked++
      } catch (error) {
        // Nothing to answer, say.
        if (!(error instanceof AppError)) throw error
      }
    }),
    { numRuns: 500 },
  )
  expect(asked).toBeGreaterThan(300)
})

const chat = (more: Partial<NeutralChat>): NeutralChat => ({
  kind: 'chat',
  messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
  tools: [],
  ...more,
})
const schema = { type: 'object', properties: { name: { type: 'string' } } }

test.each([
  ['eu.anthropic.claude-sonnet-4-5-20250929-v1:0', 'native'],
  ['anthropic.claude-3-haiku-20240307-v1:0', 'tool'],
  ['us.amazon.nova-pro-v1:0', 'tool'],
  ['meta.llama3-1-70b-instruct-v1:0', 'told'],
])('of %s an answer by a schema is had as %s', (model, how) => {
  const { body, answerTool } = writeConverse(chat({ output: { kind: 'schema', name: 'city', schema } }), model)
  const value = JSON.parse(body.toString()) as Json
  expect(answerTool).toBe(how === 'tool' ? 'city' : null)
  expect(value['outputConfig'] !== undefined).toBe(how === 'native')
  expect(value['system'] !== undefined).toBe(how === 'told')
  if (how === 'tool') expect(value['toolConfig']).toMatchObject({ toolChoice: { tool: { name: 'city' } } })
})

test('what a caller marks for the cache is marked, for an hour only where that is known', () => {
  const request = chat({
    messages: [
      { role: 'system', parts: [{ kind: 'text', text: 'Be brief', cache: { ttl: '1h' } }] },
      { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] },
    ],
    tools: [{ name: 'f', parameters: schema, cache: { ttl: '5m' } }],
  })
  const marked = (ttl?: string) => ({
    system: [{ text: 'Be brief' }, { cachePoint: { type: 'default', ...(ttl === undefined ? {} : { ttl }) } }],
    toolConfig: { tools: [{ toolSpec: { name: 'f' } }, { cachePoint: { type: 'default' } }] },
  })
  expect(written(request)).toMatchObject(marked('1h'))
  expect(written(request, 'us.amazon.nova-pro-v1:0')).toMatchObject(marked())
  expect(JSON.stringify(written(request, 'meta.llama3-1-70b-instruct-v1:0'))).not.toContain('cachePoint')
})

test('thinking that Claude signed goes back to it, also when Anthropic itself answered before', () => {
  const request = chat({
    messages: [
      { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] },
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'Hm', signature: 'midwatch:anthropic:abc' },
          { kind: 'reasoning', text: '', encrypted: 'midwatch:bedrock:ZGVm' },
          { kind: 'reasoning', text: 'foreign', signature: 'midwatch:gemini:x' },
          { kind: 'tool-call', id: 'a', name: 'f', arguments: '{}' },
        ],
      },
      { role: 'user', parts: [{ kind: 'tool-result', callId: 'a', parts: [], isError: true }] },
    ],
    reasoning: { effort: 'low' },
  })
  const messages = [
    { role: 'user' },
    {
      content: [
        { reasoningContent: { reasoningText: { text: 'Hm', signature: 'abc' } } },
        { reasoningContent: { redactedContent: 'ZGVm' } },
        { toolUse: { toolUseId: 'a' } },
      ],
    },
    { content: [{ toolResult: { toolUseId: 'a', status: 'error' } }] },
  ]
  expect(written(request)).toMatchObject({ messages, additionalModelRequestFields: { thinking: { type: 'enabled' } } })
  expect(JSON.stringify(written(request, 'us.amazon.nova-pro-v1:0'))).not.toContain('reasoningContent')
})
