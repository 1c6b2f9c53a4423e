import { expect, test } from 'vitest'
import type { AnswerView } from '../rag/answer/view.ts'
import { renderAnswer } from './render-answer.ts'

const answerFrom = (source: Partial<AnswerView['sources'][number]>): AnswerView => ({
  answer: 'The valve is red [1].',
  answered: true,
  mode: 'extract',
  reason: null,
  sentences: [],
  sources: [
    {
      n: 1,
      collection: 'runbooks',
      document: 'valve.md',
      title: 'Valve',
      source: null,
      headings: [],
      start: 0,
      end: 17,
      page: null,
      quote: 'The valve is red.',
      ...source,
    },
  ],
  nearest: [],
  confidence: 1,
  dropped_sentences: 0,
  removed_links: 0,
  model: null,
  tokens_used: 0,
  cost_usd: 0,
  missing: [],
  request_id: 'req_1',
})

test('a document that says it is from a device is not looked for there: reading that would never end', () => {
  expect(renderAnswer(answerFrom({ source: '/dev/zero' }))).toContain('[1] /dev/zero (characters 0 to 17)')
})

test('names and quotes of documents cannot steer the terminal', () => {
  const told = renderAnswer(answerFrom({ document: 'a\u001b[2J\nb.md', quote: 'red\u001b]0;owned\u0007 \u202eleft' }))
  // oxlint-disable-next-line no-control-regex -- they are what must not be in it
  expect(told.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  expect(told).toContain('[1] runbooks/a[2Jb.md')
})
