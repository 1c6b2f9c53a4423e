import { expect, test } from 'vitest'
import { summary } from '../testing/fixtures.ts'
import { inOrder, rowsOf } from './order.ts'

const old = summary({ id: 'old', number: 1, state: 'watching', severity: 'warning', openedAt: 1000 })
const bad = summary({ id: 'bad', number: 2, state: 'investigating', severity: 'critical', openedAt: 2000 })
const asks = summary({ id: 'asks', number: 3, state: 'awaiting_approval', severity: 'warning', openedAt: 500 })
const done = summary({ id: 'done', number: 4, state: 'closed', outcome: 'fixed', closedAt: 3000 })

test('what waits for a decision comes first, then the worst, then the closed', () => {
  expect(inOrder([old, done, bad, asks])).toEqual({ open: ['asks', 'bad', 'old'], closed: ['done'] })
})

test('a new incident waits to be shown and moves nothing', () => {
  const shown = inOrder([old, bad])
  const rows = rowsOf(shown, [asks, old, bad])
  expect(rows.open.map(({ id }) => id)).toEqual(['bad', 'old'])
  expect(rows.waiting).toBe(1)
})

test('an incident that changes or closes stays in its place, with its new state', () => {
  const shown = inOrder([old, bad])
  const closed = { ...bad, state: 'closed' as const, closedAt: 9000 }
  const rows = rowsOf(shown, [{ ...old, state: 'awaiting_approval' }, closed])
  expect(rows.open.map(({ id, state }) => [id, state])).toEqual([
    ['bad', 'closed'],
    ['old', 'awaiting_approval'],
  ])
  expect(rows.waiting).toBe(0)
})

test('an old closed incident that comes into the answer is not announced as new', () => {
  const shown = inOrder([asks])
  const older = summary({ id: 'older', number: 2, state: 'closed', closedAt: 100 })
  expect(rowsOf(shown, [asks, older]).waiting).toBe(0)
  expect(rowsOf(shown, [asks, done]).waiting).toBe(1)
})
