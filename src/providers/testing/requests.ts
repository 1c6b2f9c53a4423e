// Arbitrary requests in no dialect, also such as no decent client sends: turns in any order, blank texts, results of calls
// that nobody made, ids and names of any characters.
import fc from 'fast-check'
import { signedCallId } from '../../dialects/call-id.ts'
import { given } from '../../dialects/json.ts'
import { markProof } from '../../dialects/proof.ts'
import type { AssistantPart, CacheMark, Message, NeutralChat, ToolDefinition, UserPart } from '../../llm/request.ts'

const words = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('', ' ', '\n', 'Hi. '))
const cache: fc.Arbitrary<CacheMark | undefined> = fc.constantFrom(undefined, undefined, { ttl: '5m' }, { ttl: '1h' })
const text = fc
  .tuple(words, cache)
  .map(([said, mark]) => ({ kind: 'text' as const, text: said, ...given({ cache: mark }) }))
const id = fc.oneof(
  fc.constantFrom('a', 'b', 'call_1', signedCallId('call_1', 'c2lnbmVk')),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
)
const base64 = fc.base64String({ minLength: 4, maxLength: 16 })
const image = base64.map((data) => ({
  kind: 'image' as const,
  source: { kind: 'base64' as const, mediaType: 'image/png', data },
}))
const file = fc.tuple(base64, fc.option(words, { nil: undefined })).map(([data, name]) => ({
  kind: 'file' as const,
  source: { kind: 'base64' as const, mediaType: 'application/pdf', data },
  ...given({ name }),
}))
const result = fc
  .tuple(id, fc.array(fc.oneof(text, image, file), { maxLength: 2 }), fc.boolean(), cache)
  .map(([callId, parts, isError, mark]) => ({
    kind: 'tool-result' as const,
    callId,
    parts,
    isError,
    ...given({ cache: mark }),
  }))
const userPart: fc.Arbitrary<UserPart> = fc.oneof(text, text, image, file, result)
const assistantPart: fc.Arbitrary<AssistantPart> = fc.oneof(
  text,
  words.map((said) => ({ kind: 'refusal' as const, text: said })),
  fc
    .tuple(words, fc.option(fc.constantFrom(markProof('anthropic', 'x'), markProof('gemini', 'y')), { nil: undefined }))
    .map(([said, signature]) => ({ kind: 'reasoning' as const, text: said, ...given({ signature }) })),
  fc
    .tuple(id, fc.constantFrom('{"x":1}', '', '[1]', 'not JSON'))
    .map(([callId, json]) => ({ kind: 'tool-call' as const, id: callId, name: 'search', arguments: json })),
)

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.array(text, { maxLength: 2 }).map((parts) => ({ role: 'system' as const, parts })),
  fc.array(userPart, { maxLength: 4 }).map((parts) => ({ role: 'user' as const, parts })),
  fc.array(assistantPart, { maxLength: 4 }).map((parts) => ({ role: 'assistant' as const, parts })),
)

const schema = fc.constantFrom<Readonly<Record<string, unknown>>>(
  { type: 'object', properties: {} },
  {},
  {
    type: 'object',
    properties: { city: { type: 'string', pattern: '^[A-Z]', minLength: 2 }, at: { $ref: '#/definitions/at' } },
    definitions: { at: { const: 'now' } },
    additionalProperties: false,
    $schema: 'http://json-schema.org/draft-07/schema#',
  },
)
const tool: fc.Arbitrary<ToolDefinition> = fc
  .tuple(fc.constantFrom('search', 'f'), words, schema, cache)
  .map(([name, description, parameters, mark]) => ({ name, description, parameters, ...given({ cache: mark }) }))

export const anyRequest: fc.Arbitrary<NeutralChat> = fc
  .record({
    messages: fc.array(message, { minLength: 1, maxLength: 6 }),
    tools: fc.uniqueArray(tool, { maxLength: 2, selector: ({ name }) => name }),
    choice: fc.constantFrom(undefined, 'auto' as const, 'none' as const, 'required' as const, 'tool' as const),
    structured: fc.constantFrom(undefined, 'json' as const, 'schema' as const),
    schema,
    maxOutputTokens: fc.option(fc.integer({ min: 1, max: 9999 }), { nil: undefined }),
    temperature: fc.constantFrom(undefined, 0, 2),
    topP: fc.constantFrom(undefined, 0.1, 1),
    topK: fc.constantFrom(undefined, 40),
    effort: fc.constantFrom(undefined, 'none' as const, 'low' as const, 'high' as const),
  })
  .map(({ messages, tools, choice, structured, schema: like, effort, ...rest }) => ({
    kind: 'chat',
    messages,
    tools,
    ...given({
      ...rest,
      toolChoice:
        choice === 'tool' ? { kind: 'tool' as const, name: tools[0]?.name ?? 'f' } : choice && { kind: choice },
      output:
        structured === 'schema'
          ? { kind: 'schema' as const, name: 'the answer', schema: like }
          : structured && { kind: structured },
      reasoning: effort && { effort },
    }),
  }))
