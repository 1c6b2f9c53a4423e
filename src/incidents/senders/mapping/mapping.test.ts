import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { intakeSchema } from '../../../config/intake-schema.ts'
import { createSenders } from '../all.ts'
import { parsePath, valuesAt } from './paths.ts'

const NOW = Date.UTC(2026, 10, 26)

function read(mapping: unknown, body: Record<string, unknown>) {
  const config = intakeSchema.parse({ senders: { mine: mapping } })
  return createSenders(config).find('mine')?.read(body, { headers: {}, nowMs: NOW }).alerts ?? []
}

test.each<[string, unknown, readonly unknown[]]>([
  ['a', { a: 1 }, [1]],
  ['$.a.b', { a: { b: 2 } }, [2]],
  ['a[1].b', { a: [{}, { b: 3 }] }, [3]],
  ['a[*].b', { a: [{ b: 1 }, {}, { b: 2 }] }, [1, 2]],
  ['a["x.y"].z', { a: { 'x.y': { z: 4 } } }, [4]],
  ['a.b', { a: '{"b":5}' }, [5]],
  ['a.0', { a: [6] }, [6]],
  ['constructor', {}, []],
  ['__proto__.x', {}, []],
  ['a.b.c', { a: null }, []],
])('the path %s finds what stands there, and nothing that was inherited', (path, value, found) => {
  expect(valuesAt(value, parsePath(path))).toEqual(found)
})

test('a mapping reads a body as it says: fallbacks, words of its own, constants and lists', () => {
  const mapping = {
    alerts: 'events[*]',
    name: ['missing', 'what'],
    status: { path: 'color', values: { RED: 'firing', green: 'resolved' } },
    severity: { path: 'prio', values: { '1': 'critical' }, default: 'warning' },
    service: { default: 'mainframe' },
    host: 'where.machine',
    at: 'when',
    identity: ['id'],
    labels: { region: 'where.region' },
    annotations: { runbook: 'docs' },
    url: 'docs',
  }
  const alerts = read(mapping, {
    events: [
      {
        id: 7,
        what: 'Tape is full',
        color: 'red',
        prio: 1,
        where: { machine: 'z1', region: 'eu' },
        when: 1764127800,
        docs: 'https://docs.example/1',
      },
      { id: 8, what: 'Tape is empty', color: 'green' },
    ],
  })
  expect(alerts).toMatchObject([
    {
      name: 'Tape is full',
      status: 'firing',
      severity: 'critical',
      service: 'mainframe',
      labels: { host: 'z1', region: 'eu' },
      startsAtMs: 1764127800000,
      url: 'https://docs.example/1',
      annotations: { runbook: 'https://docs.example/1' },
    },
    { name: 'Tape is empty', status: 'resolved', severity: 'warning' },
  ])
})

describe('what the mapping does not find is kept with what was looked for', () => {
  test.each<[string, unknown, Record<string, unknown>, RegExp]>([
    ['a name', { name: ['title', 'subject'] }, { x: 1 }, /nothing names the alert \(title, subject\)/],
    ['a state', { name: 'n', status: 's' }, { n: 'A', s: 'purple' }, /"purple" says neither.*\(s\)/],
    ['a list', { alerts: 'e[*]', name: 'n' }, { e: [] }, /e\[\*\] has 0 alerts/],
  ])('%s', (_, mapping, body, reason) => {
    expect(read(mapping, body)).toMatchObject([
      { decided: { kind: 'not_understood', reason: expect.stringMatching(reason) } },
    ])
  })
})

test.each([
  { name: 'a..b' },
  { name: '' },
  { name: 'a[b]' },
  { name: {} },
  { name: 'a', colour: 'b' },
  { status: 'a' },
])('the config refuses the mapping %j', (mapping) => {
  expect(intakeSchema.safeParse({ senders: { mine: mapping } }).success).toBe(false)
})

test('whatever body meets a mapping, it becomes an alert or is kept', () => {
  const mapping = { alerts: 'a[*]', name: 'n', status: 's', severity: 'v', host: 'h', at: 't', labels: { x: 'l.x' } }
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.constantFrom('n', 's', 'v', 'h', 't', 'l'), fc.jsonValue()), { maxLength: 3 }),
      (a) => {
        expect(read(mapping, { a }).length).toBe(Math.max(1, a.length))
      },
    ),
    { numRuns: 200 },
  )
})
