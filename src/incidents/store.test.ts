import { expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { addEvent, moveIncident } from './store.ts'
import { insertIncident, openTestDb } from './testing.ts'

test('events of one incident are numbered without a hole, events of a tenant in the order of commits', async () => {
  const { db } = await openTestDb()
  await insertIncident(db, 'inc_a', 1)
  await insertIncident(db, 'inc_b', 2)
  for (const id of ['inc_a', 'inc_b', 'inc_a', 'inc_b', 'inc_a'])
    await db.transaction().execute((trx) => addEvent(trx, id, { at: 5, kind: 'note', text: 'x' }))
  const events = await db
    .selectFrom('incident_events')
    .select(['incident_id', 'seq', 'position'])
    .orderBy('position')
    .execute()
  expect(events.map(({ incident_id, seq, position }) => [incident_id, seq, position])).toEqual([
    ['inc_a', 1, 1],
    ['inc_b', 1, 2],
    ['inc_a', 2, 3],
    ['inc_b', 2, 4],
    ['inc_a', 3, 5],
  ])
})

test('a move that the machine refuses changes nothing and says why', async () => {
  const { db } = await openTestDb()
  await insertIncident(db, 'inc_a', 1)
  const event = { at: 9, kind: 'acting', text: 'Acting.' }
  expect(await moveIncident(db, 'inc_a', 'acting', { title: 'other' }, event)).toEqual({
    moved: false,
    reason: 'An incident that is open cannot become acting.',
  })
  const row = await db.selectFrom('incidents').selectAll().executeTakeFirstOrThrow()
  expect(row).toMatchObject({ state: 'open', title: 'title', updated_at: 1 })
  expect(await db.selectFrom('incident_events').selectAll().execute()).toEqual([])
})

test('a move takes its patch, its event and its times along', async () => {
  const { db } = await openTestDb()
  await insertIncident(db, 'inc_a', 1)
  const event = { at: 9, kind: 'closed', text: 'It recovered.', data: { by: 'itself' } }
  expect(await moveIncident(db, 'inc_a', 'closed', { outcome: 'recovered' }, event)).toEqual({ moved: true })
  const row = await db.selectFrom('incidents').selectAll().executeTakeFirstOrThrow()
  expect(row).toMatchObject({ state: 'closed', outcome: 'recovered', updated_at: 9, closed_at: 9 })
  const [told] = await db.selectFrom('incident_events').selectAll().execute()
  expect(told).toMatchObject({ kind: 'closed', text: 'It recovered.', data: '{"by":"itself"}', seq: 1 })
  expect(await moveIncident(db, 'inc_a', 'closed', {}, event)).toEqual({
    moved: false,
    reason: 'The incident is already closed.',
  })
})

test('of two who move the same incident at the same moment one is refused', async () => {
  const { db } = await openTestDb()
  await insertIncident(db, 'inc_a', 1)
  const move = () =>
    db.transaction().execute((trx) => moveIncident(trx, 'inc_a', 'investigating', {}, { at: 2, kind: 'x', text: 'x' }))
  const moves = await Promise.all([move(), move()])
  expect(moves.filter((move) => move.moved)).toHaveLength(1)
})

test('an incident that does not exist is told as such', async () => {
  const { db } = await openTestDb()
  await expect(addEvent(db, 'inc_none', { at: 1, kind: 'note', text: '' })).rejects.toThrow(AppError)
  await expect(moveIncident(db, 'inc_none', 'closed', {}, { at: 1, kind: 'x', text: '' })).rejects.toThrow(AppError)
})

test('what an event quotes of another system commands no terminal', async () => {
  const { db } = await openTestDb()
  await insertIncident(db, 'inc_a', 1)
  await addEvent(db, 'inc_a', { at: 5, kind: 'acted', text: 'refused: \u001B]0;owned\u0007\u0000 no' })
  const { text } = await db.selectFrom('incident_events').select('text').executeTakeFirstOrThrow()
  expect(text).toBe('refused: \uFFFD]0;owned\uFFFD\uFFFD no')
})
