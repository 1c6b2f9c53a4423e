import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import { signedCallId } from '../../dialects/call-id.ts'
import { isObject, type Json, objectsIn } from '../../dialects/json.ts'
import type { NeutralChat } from '../../llm/request.ts'
import { anyRequest } from '../testing/requests.ts'
import { traitsOf } from './models.ts'
import { writeGenerateContent } from './write-request.ts'

const MODELS = ['gemini-2.0-flash', 'gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3-pro-preview', 'gemini-flash-latest']
const DATA = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse']
const KEYWORDS =
  /^(\$id|\$defs|\$ref|\$anchor|type|format|title|description|enum|items|prefixItems|minItems|maxItems|minimum|maximum|anyOf|oneOf|properties|additionalProperties|required|propertyOrdering)$/

const written = (request: NeutralChat, model = 'gemini-3-pro-preview') =>
  JSON.parse(writeGenerateContent(request, model).toString()) as Json

/** What Gemini would refuse of a body, first of all; undefined when nothing is known. */
function whatIsWrong(body: Json, model: string): string | undefined {
  const traits = traitsOf(model)
  const contents = objectsIn(body['contents'])
  if (contents[0]?.['role'] !== 'user') return 'the user does not begin'
  const calls = new Set<unknown>()
  for (const [i, content] of contents.entries()) {
    const parts = objectsIn(content['parts'])
    if (parts.length === 0) return 'a turn is empty'
    if (parts.some((part) => DATA.filter((name) => part[name] !== undefined).length !== 1)) return 'a part of two kinds'
    if (parts.some(({ text }) => text === '')) return 'an empty text'
    const results = parts.flatMap(({ functionResponse: one }) => (isObject(one) ? [one] : []))
    if (results.length > 0 && results.length < parts.length) return 'results among other parts'
    if (results.some(({ name, id }) => !calls.has(`${String(name)} ${String(id)}`))) return 'a result before its call'
    if (results.some(({ response }) => !isObject(response))) return 'a result that is no object'
    const before = contents[i - 1]
    const beforeResults = objectsIn(before?.['parts'])[0]?.['functionResponse'] !== undefined
    if (before?.['role'] === content['role'] && beforeResults === results.length > 0) return 'turns are not merged'
    const made = parts.filter(({ functionCall }) => functionCall !== undefined)
    for (const { functionCall: call } of made) {
      if (!isObject(call) || !isObject(call['args'])) return 'arguments that are no object'
      calls.add(`${String(call['name'])} ${String(call['id'])}`)
    }
    const signed = made.some(({ thoughtSignature }) => thoughtSignature !== undefined)
    if (traits.signsCalls && made.length > 0 && !signed) return 'calls without a signature'
  }
  for (const tool of objectsIn(body['tools']).flatMap((one) => objectsIn(one['functionDeclarations']))) {
    const unknown = keywordsIn(tool['parametersJsonSchema']).find((keyword) => !KEYWORDS.test(keyword))
    if (unknown !== undefined) return `the keyword ${unknown}`
  }
  const config = isObject(body['generationConfig']) ? body['generationConfig'] : {}
  const unknown = keywordsIn(config['responseJsonSchema']).find((keyword) => !KEYWORDS.test(keyword))
  if (unknown !== undefined) return `the keyword ${unknown}`
  if (config['responseMimeType'] !== undefined && body['tools'] !== undefined && !traits.schemaWithTools) {
    return 'JSON beside tools'
  }
  const thinking = isObject(config['thinkingConfig']) ? config['thinkingConfig'] : {}
  if (thinking['thinkingLevel'] !== undefined && thinking['thinkingBudget'] !== undefined) return 'a level and a budget'
  if (Object.keys(thinking).length > 0 && traits.thinking === 'none') return 'a model that does not think'
  return undefined
}

function keywordsIn(schema: unknown): string[] {
  if (!isObject(schema)) return []
  return Object.entries(schema).flatMap(([key, value]) => [
    key,
    ...(key === 'properties' || key === '$defs' ? Object.values(isObject(value) ? value : {}).flatMap(keywordsIn) : []),
    ...(key === 'items' || key === 'additionalProperties' ? keywordsIn(value) : []),
    ...(key === 'anyOf' || key === 'oneOf' ? objectsIn(value).flatMap(keywordsIn) : []),
  ])
}

test('whatever is asked in no dialect, no model of Google has a known reason to refuse it', () => {
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

test('a signature comes back with the call that carried it; others’ calls get Google’s word for none', () => {
  const call = (id: string) => ({ kind: 'tool-call' as const, id, name: 'f', arguments: '{"x":1}' })
  const body = (ids: string[]) =>
    objectsIn(
      written(
        chat({
          messages: [
            { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] },
            { role: 'assistant', parts: ids.map(call) },
          ],
        }),
      )['contents'],
    )[1]?.['parts']
  expect(body([signedCallId('a', 'c2lnbmVk'), 'b'])).toEqual([
    { functionCall: { id: 'a', name: 'f', args: { x: 1 } }, thoughtSignature: 'c2lnbmVk' },
    { functionCall: { id: 'b', name: 'f', args: { x: 1 } } },
  ])
  expect(body(['a', 'b'])).toMatchObject([{ thoughtSignature: 'skip_thought_signature_validator' }, {}])
})

test('results stand by name in a turn of their own behind the calls', () => {
  const signed = signedCallId('a', 'c2lnbmVk')
  const body = written(
    chat({
      messages: [
        { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] },
        { role: 'assistant', parts: [{ kind: 'tool-call', id: signed, name: 'f', arguments: '{}' }] },
        {
          role: 'user',
          parts: [
            { kind: 'text', text: 'And?' },
            { kind: 'tool-result', callId: signed, parts: [{ kind: 'text', text: '4' }] },
          ],
        },
      ],
    }),
  )
  expect(objectsIn(body['contents']).slice(2)).toEqual([
    { role: 'user', parts: [{ functionResponse: { id: 'a', name: 'f', response: { output: '4' } } }] },
    { role: 'user', parts: [{ text: 'And?' }] },
  ])
})

test.each([
  [{ kind: 'auto' as const }, { mode: 'AUTO' }],
  [{ kind: 'none' as const }, { mode: 'NONE' }],
  [{ kind: 'required' as const }, { mode: 'ANY' }],
  [
    { kind: 'tool' as const, name: 'f' },
    { mode: 'ANY', allowedFunctionNames: ['f'] },
  ],
])('the choice %j is %j', (toolChoice, functionCallingConfig) => {
  const tools = [{ name: 'f', parameters: { type: 'object', properties: { x: { type: 'number' } } } }]
  expect(written(chat({ tools, toolChoice }))).toMatchObject({
    tools: [{ functionDeclarations: [{ name: 'f', parametersJsonSchema: { properties: { x: { type: 'number' } } } }] }],
    toolConfig: { functionCallingConfig },
  })
})

test.each([
  ['gemini-2.5-flash', { effort: 'none' as const }, { includeThoughts: false, thinkingBudget: 0 }],
  ['gemini-2.5-pro', { effort: 'none' as const }, { includeThoughts: false, thinkingBudget: 128 }],
  ['gemini-2.5-flash', { budgetTokens: 4000 }, { includeThoughts: true, thinkingBudget: 4000 }],
  ['gemini-3-pro-preview', { effort: 'medium' as const }, { includeThoughts: true, thinkingLevel: 'low' }],
  [
    'gemini-3-flash',
    { effort: 'minimal' as const, visible: false },
    { includeThoughts: false, thinkingLevel: 'minimal' },
  ],
  ['gemini-3-pro-preview', { budgetTokens: 20_000 }, { includeThoughts: true, thinkingLevel: 'high' }],
])('%s is asked to think %j as %j', (model, reasoning, thinkingConfig) => {
  expect(written(chat({ reasoning }), model)).toMatchObject({ generationConfig: { thinkingConfig } })
})
