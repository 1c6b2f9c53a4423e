import { expect, test } from 'vitest'
import { OPENING, scriptedAnswer } from './answer.ts'

test('every answer in words begins by saying that no model gave it', () => {
  for (const prompt of ['How long does delivery take?', 'Name the cause.', ''])
    expect(scriptedAnswer(prompt, undefined).startsWith(OPENING)).toBe(true)
})

test('a wanted shape is kept, with the least that it allows', () => {
  const schema = {
    type: 'object',
    required: ['verdict', 'note', 'causes', 'service', 'confidence', 'agree'],
    properties: {
      verdict: { enum: ['agree', 'disagree', 'unknown'] },
      note: { type: 'string' },
      causes: { type: 'array', items: { type: 'string' } },
      service: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      confidence: { type: 'number', minimum: 0 },
      agree: { type: 'boolean' },
    },
  }
  const answer = scriptedAnswer('judge this', { type: 'json_schema', json_schema: { name: 'judgement', schema } })
  expect(JSON.parse(answer)).toEqual({
    verdict: 'unknown',
    note: OPENING,
    causes: [],
    service: null,
    confidence: 0,
    agree: false,
  })
})
