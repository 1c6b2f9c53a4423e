import { expect, test } from 'vitest'
import type { ApprovalView } from '../../src/incidents/view.ts'
import { approval } from '../testing/fixtures.ts'
import { standOf } from './stand.ts'

const approved = approval({ state: 'approved', decidedAt: 1, decidedBy: 'Mina' })
const ran = (state: NonNullable<ApprovalView['run']>['state']): ApprovalView => ({
  ...approved,
  run: { state, startedAt: 2, finishedAt: state === 'intended' ? null : 3, detail: null },
})

test('an action that may or may not have run is never called done', () => {
  const stand = standOf({ state: 'watching', outcome: null }, ran('uncertain'))
  expect(stand.tone).toBe('bad')
  expect(stand.text).toContain('not known whether')
})

test('carried out is not yet fixed: that is said only when it was verified', () => {
  expect(standOf({ state: 'verifying', outcome: null }, ran('done')).tone).toBe('working')
  expect(standOf({ state: 'watching', outcome: null }, ran('done')).text).toBe('Carried out.')
  expect(standOf({ state: 'closed', outcome: 'recovered' }, ran('done')).text).toBe('Carried out.')
  expect(standOf({ state: 'closed', outcome: 'fixed' }, ran('done')).tone).toBe('good')
})

test('what was not approved says that nothing was run', () => {
  for (const state of ['refused', 'expired', 'void'] as const)
    expect(standOf({ state: 'watching', outcome: null }, approval({ state })).text).toContain('Nothing was run')
})

test('an approval that has not started says so', () => {
  expect(standOf({ state: 'acting', outcome: null }, approved).tone).toBe('working')
  expect(standOf({ state: 'acting', outcome: null }, ran('intended')).text).toBe('Being carried out now.')
})
