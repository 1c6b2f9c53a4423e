import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { openTestDb } from '../../incidents/testing.ts'
import { changeRoutes } from './changes.ts'
import { startTestServer } from './testing.ts'

const NOW = Date.UTC(2026, 10, 23, 3, 12)

test('changes go in once and come out by time, for their tenant', async () => {
  const { db, connection } = await openTestDb()
  const server = await startTestServer(changeRoutes({ db, clock: new ManualClock(NOW) }))
  const change = (id: string, at: number | string) => ({ id, at, service: 'cart', kind: 'deploy', summary: 'cart 2' })
  const post = (json: unknown, token = 'default') => server.request('POST', '/v1/changes', { json, token })
  const ids = async (query = '', token = 'default') =>
    (await server.request('GET', `/v1/changes${query}`, { token })).json.changes.map(({ id }: { id: string }) => id)

  expect(await post(change('a', NOW - 1000))).toMatchObject({ status: 202, json: { accepted: 1, known: 0 } })
  const more = { changes: [change('a', NOW), change('b', '2026-11-22T00:00:00Z')] }
  expect(await post(more)).toMatchObject({ status: 202, json: { accepted: 2, known: 1 } })
  expect(await post({ changes: [change('c', NOW), { ...change('d', NOW), at: 'soon' }] })).toMatchObject({
    status: 400,
    json: { error: { field: 'changes.1.at' } },
  })
  await post(change('theirs', NOW), 'other')

  expect(await ids()).toEqual(['a'])
  expect(await ids('?from=2026-11-21T00:00:00Z')).toEqual(['b', 'a'])
  expect(await ids(`?from=${NOW - 5000}&to=${NOW}`)).toEqual(['a'])
  expect(await ids('', 'other')).toEqual(['theirs'])
  expect((await server.request('GET', '/v1/changes?from=soon')).status).toBe(400)
  expect((await post(change('e', NOW), 'default:incidents:read')).status).toBe(403)
  await server.stop()
  await connection.close()
})
