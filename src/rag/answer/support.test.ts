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

describe('what is said of one thing is no evidence for another that stands beside it', () => {
  test.each([
    // The word of one clause with the number of its neighbour.
    ['Visitors park in the north yard, staff in yard 7.', 'Visitors park in yard 7.'],
    ['The red line runs every 4 minutes and the blue line every 9.', 'The blue line runs every 4 minutes.'],
    ['Twelve members voted, five of them from Oslo.', 'Twelve members from Oslo voted.'],
    ['Printers are leased for 36 months, scanners for 12.', 'Scanners are leased for 36 months.'],
    // Denied behind the clause that it borrows its verb from.
    ['Standard tickets are refunded; tickets from `auction` are not.', 'Tickets from `auction` are refunded.'],
    [
      'The gate may be opened at night; in the last 2 hours it must not be opened.',
      'The gate may be opened in the last 2 hours.',
    ],
    // Of another time.
    ['A client may open 40 sessions an hour and 300 a day.', 'A client may open 300 sessions an hour.'],
    // Of all, where it is said of some, or with an exception.
    ['Half of the crews were trained in May.', 'All crews were trained in May.'],
    ['Each valve is tested in May except the smallest.', 'Every valve is tested in May.'],
    // Of whom another sentence speaks.
    ['The owner signs first. The agent pays 900 euros in March.', 'The owner must pay 900 euros in March.'],
    // The word before which the negation stands, among many others.
    [
      'Close the valve, call the plumber and do not touch the burner.',
      'Close the valve, call the plumber and touch the burner.',
    ],
    ['Dogs are allowed in the garden without a leash.', 'Dogs are not allowed in the garden.'],
  ])('%s / %s', (passage, said) => {
    expect(support(said, passage)).toMatchObject({ kind: 'unsupported' })
  })

  test.each([
    ['Visitors park in the north yard, staff in yard 7.', 'Visitors park in the north yard.'],
    ['Printers are leased for 36 months, scanners for 12.', 'Printers are leased for 36 months.'],
    ['A client may open 40 sessions an hour and 300 a day.', 'A client may open 40 sessions an hour and 300 a day.'],
    [
      'If the pump stops, the crew must drain the tank within 3 hours.',
      'The crew must drain the tank within 3 hours if the pump stops.',
    ],
    ['The owner signs first. He pays 900 euros in March.', 'The owner must pay 900 euros in March.'],
    ['Each valve is tested in May except the smallest.', 'Every valve is tested in May except the smallest.'],
    ['The tank must be cleaned; it does not have to be dried.', 'The tank does not have to be dried.'],
  ])('%s / %s', (passage, said) => {
    expect(support(said, passage)).toMatchObject({ kind: 'supported' })
  })
})
