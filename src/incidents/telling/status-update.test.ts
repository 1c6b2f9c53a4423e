import fc from 'fast-check'
import { expect, test } from 'vitest'
import { INCIDENT_TOLD, PROPOSAL } from './testing/news.ts'
import { sayStatus, statusUpdateOf } from './status-update.ts'

const names = { storefront: 'the shop' }
const told = (parts: Partial<typeof INCIDENT_TOLD> = {}) => ({ ...INCIDENT_TOLD, ...parts })

test('says what people notice, since when, what is done and when they hear again', () => {
  expect(sayStatus(statusUpdateOf(told({ state: 'awaiting_approval' }), names))).toBe(
    [
      'The shop: some requests fail, about 31 in 100. Trying again can help.',
      'Since 14:13 UTC.',
      'A fix is ready and is being decided on.',
      'The next update comes when the fix is in place.',
    ].join('\n'),
  )
})

test('says that it is over, how long it was, and promises nothing more', () => {
  const closed = told({ state: 'closed', closedAt: INCIDENT_TOLD.openedAt + 720_000 })
  expect(statusUpdateOf(closed, names)).toEqual({
    headline: 'The shop: it works again.',
    doing: 'The problem is over. Nothing has to be done any more.',
    since: 'From 14:13 UTC to 14:25 UTC, 12 min.',
    next: null,
    isKnown: true,
  })
})

test('of what is part of another problem now does not say that it works again', () => {
  const merged = told({ state: 'closed', mergedInto: 3, closedAt: INCIDENT_TOLD.openedAt + 720_000 })
  expect(sayStatus(statusUpdateOf(merged, names))).toBe(
    [
      'The shop: it is part of another problem.',
      'Since 14:13 UTC.',
      'The people on call look after both together. What follows is told there.',
    ].join('\n'),
  )
})

test.each([
  [null, 'What exactly is affected is not known yet'],
  ['storefront fails for 98 % of requests', 'it does not work at the moment'],
  ['storefront fails for 0.4 % of requests', 'a few requests fail'],
  ['storefront fails for 12.5 % of requests', 'about 12 in 100'],
  ['storefront succeeds less often: 71 %', 'it fails more often than usual'],
  ['storefront answers in 4.1 s instead of 80 ms', 'it is slower than usual'],
  ['something is out of its normal range', 'What exactly is affected is not known yet'],
])('%s', (effect, says) => expect(statusUpdateOf(told({ effect }), names).headline).toContain(says))

test('whatever an incident says, nothing of it is passed on but numbers of ours', () => {
  const text = fc.string({ minLength: 3 }).map((some) => `Zq${some}`)
  const state = fc.constantFrom(
    'open',
    'investigating',
    'awaiting_approval',
    'acting',
    'verifying',
    'watching',
    'closed',
  )
  fc.assert(
    fc.property(text, state, (some, state) => {
      const service = some
      const cause = { service: some, kind: some, confidence: 1 }
      const approval = { ...PROPOSAL, title: some, decidedBy: some, reason: some }
      const incident = { service, cause, approval, state, title: some, sentence: some, evidence: [some], past: some }
      for (const effect of [
        some,
        `${some} fails for 31 % of requests`,
        `${some} answers in ${some} instead of ${some}`,
      ])
        expect(sayStatus(statusUpdateOf(told({ ...incident, effect }), names))).not.toContain('Zq')
    }),
  )
})
