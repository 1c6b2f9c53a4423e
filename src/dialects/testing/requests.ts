// For tests of dialects: arbitrary requests in no dialect, of what OpenAI's two APIs can both say.
import fc from 'fast-check'
import type { AssistantPart, Message, NeutralChat, UserPart } from '../../llm/request.ts'
import { given } from '../json.ts'

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const id = fc.stringMatching(/^[a-z]{1,8}$/)
const text = words.map((text) => ({ kind: 'text' as const, text }))
const schema = fc.dictionary(id, fc.constantFrom({ type: 'string' }, { type: 'integer' })).map((properties) => ({
  type: 'object',
  properties,
}))
const image: fc.Arbitrary<UserPart> = fc
  .tuple(
    fc.oneof(
      fc.constant({ kind: 'url' as const, url: 'https://example.com/a.png' }),
      fc.base64String({ maxLength: 16 }).map((data) => ({ kind: 'base64' as const, mediaType: 'image/png', data })),
    ),
    fc.constantFrom('low', 'high', 'auto'),
  )
  .map(([source, detail]) => ({ kind: 'image', source, detail }))
const file: fc.Arbitrary<UserPart> = fc
  .base64String({ maxLength: 16 })
  .map((data) => ({ kind: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data }, name: 'a.pdf' }))

/** What a user says; then what an assistant says, with the results of the tools that it called. */
const turn: fc.Arbitrary<Message[]> = fc
  .tuple(
    fc.array(fc.oneof(text, image, file), { minLength: 1, maxLength: 3 }),
    fc.option(text, { nil: undefined }),
    fc.uniqueArray(id, { maxLength: 2 }),
    words,
  )
  .map(([said, answer, calls, result]): Message[] => {
    const parts: AssistantPart[] = [
      ...(answer ? [answer] : []),
      ...calls.map((id) => ({ kind: 'tool-call' as const, id, name: 'f', arguments: '{"x":1}' })),
    ]
    const results = calls.map((callId) => ({
      kind: 'tool-result' as const,
      callId,
      parts: [{ kind: 'text' as const, text: result }],
    }))
    return [
      { role: 'user', parts: said },
      ...(parts.length > 0 ? [{ role: 'assistant' as const, parts }] : []),
      ...(results.length > 0 ? [{ role: 'user' as const, parts: results }] : []),
    ]
  })

export const arbitraryRequest: fc.Arbitrary<NeutralChat> = fc
  .record({
    system: fc.option(text),
    turns: fc.array(turn, { minLength: 1, maxLength: 3 }),
    names: fc.uniqueArray(id, { maxLength: 2 }),
    schema,
    choice: fc.option(fc.constantFrom('auto' as const, 'none' as const, 'required' as const, 'tool' as const)),
    parallelToolCalls: fc.option(fc.boolean()),
    structured: fc.constantFrom(null, 'json' as const, 'schema' as const),
    maxOutputTokens: fc.option(fc.integer({ min: 1, max: 9999 })),
    temperature: fc.option(fc.constantFrom(0, 0.5, 2)),
    topP: fc.option(fc.constantFrom(0.1, 1)),
    user: fc.option(words),
  })
  .map(({ system, turns, names, schema, choice, parallelToolCalls, structured, ...rest }): NeutralChat => {
    const [first] = names
    return {
      kind: 'chat',
      messages: [...(system ? [{ role: 'system' as const, parts: [system] }] : []), ...turns.flat()],
      tools: names.map((name) => ({ name, description: 'does it', parameters: schema, strict: false })),
      ...(first === undefined
        ? {}
        : given({
            parallelToolCalls,
            toolChoice: choice && (choice === 'tool' ? { kind: 'tool' as const, name: first } : { kind: choice }),
          })),
      ...given({
        ...rest,
        output:
          structured === 'schema'
            ? { kind: 'schema' as const, name: 'out', schema, strict: true }
            : structured && { kind: 'json' as const },
      }),
    }
  })
