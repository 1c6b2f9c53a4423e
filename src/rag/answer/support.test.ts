import { describe, expect, test } from 'vitest'
import { readEvidence } from './evidence.ts'
import { findSupport } from './support.ts'

const support = (said: string, text: string) =>
  findSupport(
    said,
    readEvidence({
      collection: 'c',
      document: 'd',
      title: 't',
      source: null,
      headings: [],
      text,
      start: 0,
      end: text.length,
      page: null,
      score: 1,
      metadata: {},
    }),
  )

describe('a sentence is no evidence of its opposite, in whatever form the verb stands', () => {
  test.each([
    ['Latency falls when the cache is warm.', 'Latency rises when the cache is warm.'],
    ['Latency fell when the cache was warm.', 'Latency rose when the cache was warm.'],
    ['Latency was falling while the cache was warm.', 'Latency was rising while the cache was warm.'],
    ['Latency has fallen since the cache is warm.', 'Latency has increased since the cache is warm.'],
    ['The label is added by the scheduler to the node.', 'The label is removed by the scheduler from the node.'],
    ['The agent is installed by the script on every host.', 'The agent is uninstalled by the script on every host.'],
    ['Access to the bucket is denied by the policy.', 'Access to the bucket is allowed by the policy.'],
    ['The policy denies access to the bucket.', 'The policy allows access to the bucket.'],
    ['The migration succeeds on the second attempt.', 'The migration fails on the second attempt.'],
    ['The migration succeeded on the second attempt.', 'The migration failed on the second attempt.'],
    ['The broker is selling the shares at the open.', 'The broker is buying the shares at the open.'],
    ['The worker pulls the image from the registry.', 'The worker pushes the image to the registry.'],
  ])('%s', (said, passage) => {
    expect(support(said, passage)).toMatchObject({ kind: 'unsupported' })
    expect(support(passage, passage)).toMatchObject({ kind: 'supported' })
  })
})

test('another form of a word, or another word for the same direction, is the same', () => {
  expect(support('Throughput fell at noon.', 'Throughput decreases at noon.')).toMatchObject({ kind: 'supported' })
  expect(support('The policy denied access.', 'The policy denies access.')).toMatchObject({ kind: 'supported' })
  expect(support('The quota was exceeded.', 'The quota exceeds the limit.')).toMatchObject({ kind: 'supported' })
})
