import { expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { parseAs } from '../core/parse.ts'
import { changesBody, listChanges, storeChanges } from './changes.ts'
import { openTestDb } from './testing.ts'

const AT = Date.UTC(2026, 10, 23, 3, 12)
const deploy = {
  id: 'd1',
  at: AT,
  service: 'inventory',
  kind: 'deploy',
  summary: 'inventory 8f31c',
  from: '7e10b',
  to: '8f31c',
}

const read = (body: unknown) => parseAs(changesBody, body)
const all = { tenant: 'default', fromMs: 0, toMs: 8.64e15 }

test('one change or many, with ISO times or milliseconds', () => {
  expect(read(deploy)).toEqual([deploy])
  expect(read({ changes: [deploy, { ...deploy, id: 'd2', at: '2026-11-23T03:12:00Z' }] }).map(({ at }) => at)).toEqual([
    AT,
    AT,
  ])
  expect(read({ ...deploy, kind: 'flag', from: false, to: 3 })[0]).toMatchObject({ from: 'false', to: '3' })
  expect(read({ ...deploy, unknown: { field: 1 } })).toEqual([deploy])
})

test.each<[unknown, RegExp]>([
  [[deploy], /expected one change/],
  ['deploy', /expected one change/],
  [{ ...deploy, id: undefined }, /The field id /],
  [{ ...deploy, id: '' }, /The field id /],
  [{ ...deploy, kind: 'reboot' }, /The field kind .*deploy, config, flag/],
  [{ ...deploy, at: 'yesterday' }, /The field at .*2026-11-23T03:12:40Z/],
  [{ ...deploy, at: AT / 1000 }, /The field at .*looks like seconds/],
  [{ changes: [deploy, { ...deploy, service: 5 }] }, /The field changes\.1\.service /],
  [{ changes: [] }, /The field changes .*holds no change/],
  [{ changes: Array.from({ length: 1001 }, () => deploy) }, /more than 1000/],
])('%#: what is wrong is named', (body, message) => {
  expect(() => read(body)).toThrow(AppError)
  expect(() => read(body)).toThrow(message)
})

test('the same id again changes nothing, within its tenant', async () => {
  const { db } = await openTestDb()
  expect(await storeChanges(db, 'default', read(deploy), AT)).toBe(1)
  expect(await storeChanges(db, 'default', read({ ...deploy, summary: 'other' }), AT)).toBe(0)
  expect(await storeChanges(db, 'default', read({ changes: [deploy, { ...deploy, id: 'd2' }] }), AT)).toBe(1)
  expect(await storeChanges(db, 'other', read({ ...deploy, summary: 'theirs' }), AT)).toBe(1)
  expect((await listChanges(db, all)).map(({ id, summary }) => [id, summary])).toEqual([
    ['d1', 'inventory 8f31c'],
    ['d2', 'inventory 8f31c'],
  ])
})

test('changes are listed in order of time, both ends included, and of too many the newest', async () => {
  const { db } = await openTestDb()
  const changes = [3, 1, 2, 4].map((n) => ({ ...deploy, id: `d${n}`, at: AT + n }))
  await storeChanges(db, 'default', read({ changes }), AT)
  const ids = async (range: object) => (await listChanges(db, { ...all, ...range })).map(({ id }) => id)
  expect(await ids({})).toEqual(['d1', 'd2', 'd3', 'd4'])
  expect(await ids({ fromMs: AT + 2, toMs: AT + 3 })).toEqual(['d2', 'd3'])
  expect(await ids({ limit: 2 })).toEqual(['d3', 'd4'])
})

test('hostile text is stored harmlessly', async () => {
  const { db } = await openTestDb()
  const summary = `a\0b\ud800 😀 ${'x'.repeat(5000)}`
  await storeChanges(db, 'default', read({ ...deploy, summary, author: null }), AT)
  const [change] = await listChanges(db, all)
  expect(change?.summary).toMatch(/^a\uFFFDb\uFFFD 😀 x+ … \(clipped\)$/)
  expect(change).not.toHaveProperty('author')
})
