import { describe, expect, test } from 'vitest'
import type { Dialect } from '../llm/dialect.ts'
import { openAiChat } from './openai-chat/dialect.ts'
import { openAiResponses } from './openai-responses/dialect.ts'

const MANY = 40_000
const numbers = Array.from({ length: MANY }, (_, i) => i)

const ANSWERS: readonly (readonly [string, Dialect, unknown])[] = [
  [
    'chat',
    openAiChat,
    {
      choices: [
        {
          message: {
            tool_calls: numbers.map((i) => ({ id: `c${i}`, function: { name: 'f', arguments: `{"n":${i}}` } })),
          },
          finish_reason: 'tool_calls',
        },
      ],
    },
  ],
  [
    'Responses',
    openAiResponses,
    {
      status: 'completed',
      output: numbers.map((i) => ({ type: 'function_call', call_id: `c${i}`, name: 'f', arguments: `{"n":${i}}` })),
    },
  ],
]

// Were each call looked for among all that came before it, these would take far longer than a test may.
describe.each(ANSWERS)('in %s', (_name, dialect, answer) => {
  test('an answer of tens of thousands of tool calls is read in one pass, each with its own arguments', () => {
    const reader = dialect.createReader({ decode: true, choices: 1 })
    const { events } = reader.whole(Buffer.from(JSON.stringify(answer)))
    const ids = events.flatMap((event) => (event.kind === 'tool-call' ? [event.id] : []))
    const said = events.flatMap((event) => (event.kind === 'tool-arguments' ? [event.json] : []))
    expect(ids.length).toBe(MANY)
    expect([ids[7], ids.at(-1)]).toEqual(['c7', `c${MANY - 1}`])
    expect(said.join('')).toBe(numbers.map((i) => `{"n":${i}}`).join(''))
  })
})
