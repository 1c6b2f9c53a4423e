import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Edge } from '../../core/telemetry.ts'
import { alertKeys, decide, type FoldableAlert, keysToJoin, type OpenIncident } from './decide.ts'
import { neighboursOf } from './neighbours.ts'

const RULES = { windowMs: 300_000, textSimilarity: 0.6 }
const EDGES: readonly Edge[] = [
  { caller: 'storefront', callee: 'checkout' },
  { caller: 'storefront', callee: 'search' },
  { caller: 'checkout', callee: 'payment' },
  { caller: 'payment', callee: 'bank' },
  { caller: 'checkout', callee: 'inventory' },
  { caller: 'cart', callee: 'inventory' },
]

const alert = (more: Partial<FoldableAlert> = {}): FoldableAlert => ({
  name: 'HighErrorRate',
  service: 'checkout',
  severity: 'critical',
  status: 'firing',
  fingerprint: 'f1',
  groupKey: null,
  grouping: null,
  places: [],
  text: { scope: '', words: [] },
  atMs: 1_000_000,
  ...more,
})

const incident = (number: number, first: FoldableAlert, more: Partial<OpenIncident> = {}): OpenIncident => ({
  id: `inc_${number}`,
  number,
  keys: new Set(alertKeys(first)),
  services: first.service === null ? [] : [{ service: first.service, firstAtMs: first.atMs }],
  texts: first.service === null ? [first.text] : [],
  firstAtMs: first.atMs,
  lastAtMs: first.atMs,
  ...more,
})

const other = (more: Partial<FoldableAlert> = {}) => alert({ fingerprint: 'f2', ...more })

test('with nothing open, an alert opens an incident', () => {
  expect(decide(alert(), [], EDGES, RULES)).toMatchObject({ kind: 'opened', rule: 'new' })
})

test('the same alert again joins its incident however long ago that began', () => {
  const open = [incident(7, alert())]
  expect(decide(alert({ atMs: 90_000_000 }), open, [], RULES)).toEqual({
    kind: 'joined',
    rule: 'fingerprint',
    reason: 'incident 7 has the same alert',
    incidentId: 'inc_7',
  })
})

test('another alert of the same service joins within the window and not after it', () => {
  const open = [incident(1, alert())]
  expect(decide(other({ atMs: 1_300_000 }), open, [], RULES)).toMatchObject({
    rule: 'service',
    reason: 'also checkout, 5 min apart',
  })
  expect(decide(other({ atMs: 1_300_001 }), open, [], RULES)).toMatchObject({ kind: 'opened' })
})

test.each([
  ['payment', 'checkout calls payment, 12 s apart'],
  ['bank', 'checkout calls bank through payment, 12 s apart'],
  ['storefront', 'storefront calls checkout, 12 s apart'],
  ['cart', 'cart and checkout both call inventory, 12 s apart'],
])('an alert of %s joins the incident of checkout over the calls between them', (service, reason) => {
  const open = [incident(1, alert())]
  expect(decide(other({ service, atMs: 1_012_000 }), open, EDGES, RULES)).toEqual({
    kind: 'joined',
    rule: 'dependency',
    reason,
    incidentId: 'inc_1',
  })
})

test('two faults without a relation are two incidents, even with a caller in common', () => {
  const open = [incident(1, alert())]
  expect(decide(other({ service: 'search' }), open, EDGES, RULES)).toMatchObject({ kind: 'opened' })
  expect(decide(other({ service: 'billing' }), open, EDGES, RULES)).toMatchObject({ kind: 'opened' })
})

test('two faults under a caller that is hurt by both do not become one by it', () => {
  const storefront = other({ service: 'storefront', fingerprint: 's', atMs: 1_010_000 })
  const one = incident(1, alert(), {
    services: [
      { service: 'checkout', firstAtMs: 1_000_000 },
      { service: 'storefront', firstAtMs: 1_010_000 },
    ],
    keys: new Set([...alertKeys(alert()), ...alertKeys(storefront)]),
  })
  expect(decide(other({ service: 'search', atMs: 1_020_000 }), [one], EDGES, RULES)).toMatchObject({ kind: 'opened' })
  expect(decide(other({ service: 'payment', atMs: 1_020_000 }), [one], EDGES, RULES)).toMatchObject({ kind: 'joined' })
})

test('a caller that was hurt first explains trouble in what it calls, one that was hurt later does not', () => {
  const edges = ['a', 'b', 'c'].map((callee) => ({ caller: 'front', callee }))
  const members = (front: number) => [
    { service: 'front', firstAtMs: front },
    { service: 'a', firstAtMs: 1000 },
  ]
  const joined = (front: number) => {
    const open = incident(1, alert({ service: 'front' }), { services: members(front) })
    return decide(other({ service: 'b' }), [open], edges, RULES).kind
  }
  expect(joined(500)).toBe('joined')
  expect(joined(1500)).toBe('opened')
})

test('what people took apart stays apart, what they put together is together, and the reason says so', () => {
  const open = [incident(4, alert())]
  const apart = [{ kind: 'apart' as const, other: 'service:checkout', reason: 'ann took it out' }]
  expect(decide(other({ service: 'payment' }), open, EDGES, RULES, { lessons: apart })).toEqual({
    kind: 'opened',
    rule: 'new',
    reason: 'no open incident within 5 min is related, and people took such alerts apart from those of incident 4',
  })
  expect(decide(alert(), open, EDGES, RULES, { lessons: apart })).toMatchObject({ rule: 'fingerprint' })
  const together = [{ kind: 'together' as const, other: 'service:checkout', reason: 'ann merged incident 2 into 1' }]
  expect(decide(other({ service: 'billing' }), open, EDGES, RULES, { lessons: together })).toMatchObject({
    rule: 'lesson',
    reason: 'ann merged incident 2 into 1',
    incidentId: 'inc_4',
  })
})

test('what many services call says nothing about two of them', () => {
  const edges = ['checkout', 'a', 'b', 'c', 'd', 'e'].map((caller) => ({ caller, callee: 'signin' }))
  expect(neighboursOf('checkout', edges, 3).map(({ service }) => service)).toEqual(['signin'])
})

test('the nearer relation wins over the nearer time, and the same service over any', () => {
  const far = incident(1, alert({ service: 'bank', fingerprint: 'x' }))
  const near = incident(2, alert({ service: 'payment', fingerprint: 'y', atMs: 900_000 }))
  const same = incident(3, alert({ service: 'checkout', fingerprint: 'z', atMs: 800_000 }))
  expect(decide(alert(), [far, near], EDGES, RULES)).toMatchObject({ incidentId: 'inc_2' })
  expect(decide(alert(), [far, near, same], EDGES, RULES)).toMatchObject({ incidentId: 'inc_3', rule: 'service' })
})

test('without a service, the same machine or the same group of the sender joins', () => {
  const open = [incident(1, alert({ places: ['web1'] })), incident(2, other({ service: null, groupKey: 'g' }))]
  const bare = { service: null, fingerprint: 'f3' }
  expect(decide(alert({ ...bare, places: ['web1'] }), open, [], RULES)).toMatchObject({
    rule: 'place',
    incidentId: 'inc_1',
  })
  expect(decide(alert({ ...bare, groupKey: 'g' }), open, [], RULES)).toMatchObject({
    rule: 'group',
    incidentId: 'inc_2',
  })
  expect(decide(alert({ ...bare, places: ['web2'] }), open, [], RULES)).toMatchObject({ kind: 'opened' })
})

test.each([
  [{ status: 'resolved' as const }, 'ended'],
  [{ severity: 'info' }, 'severity'],
  [{ name: 'Watchdog' }, 'watchdog'],
  [{ name: 'DeadMansSwitch' }, 'watchdog'],
  [{ name: 'dead-man-switch' }, 'watchdog'],
  [{ name: 'InfoInhibitor' }, 'watchdog'],
])('%o is ignored by the rule %s, even when its incident is open', (more, rule) => {
  expect(decide(alert(more), [incident(1, alert())], EDGES, RULES)).toMatchObject({ kind: 'ignored', rule })
})

const service = fc.constantFrom('storefront', 'checkout', 'payment', 'bank', 'search', 'inventory', null)
const anyAlert = fc.record({
  name: fc.constantFrom('A', 'Watchdog'),
  service,
  severity: fc.constantFrom('critical', 'warning', 'info'),
  status: fc.constantFrom('firing' as const, 'resolved' as const),
  fingerprint: fc.constantFrom('1', '2', '3', '4'),
  groupKey: fc.constantFrom('g', 'h', null),
  grouping: fc.constantFrom('team=a', 'team=b', null),
  text: fc.record({ scope: fc.constantFrom('', 'x'), words: fc.subarray(['cpu', 'disk', 'full', 'slow']) }),
  places: fc.subarray(['p', 'q']),
  atMs: fc.integer({ min: 0, max: 2e6 }),
})

test('only keysToJoin matter: incidents that have none of them change no decision', () => {
  fc.assert(
    fc.property(anyAlert, fc.array(anyAlert, { maxLength: 6 }), (given, firsts) => {
      const open = firsts.map((first, i) => incident(i, first))
      const keys = keysToJoin(given, EDGES)
      const related = open
        .map((one) => ({ ...one, keys: new Set(keys.filter((key) => one.keys.has(key))) }))
        // Those that speak alike are found by that.
        .filter((one) => one.keys.size > 0 || given.service === null)
      expect(decide(given, related, EDGES, RULES)).toEqual(decide(given, open, EDGES, RULES))
    }),
  )
})

test('the order in which open incidents are given does not matter', () => {
  fc.assert(
    fc.property(anyAlert, fc.array(anyAlert, { maxLength: 6 }), (given, firsts) => {
      const open = firsts.map((first, i) => incident(i, first))
      expect(decide(given, open.toReversed(), EDGES, RULES)).toEqual(decide(given, open, EDGES, RULES))
    }),
  )
})

test('who is near whom is near in return', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  fc.assert(
    fc.property(fc.array(fc.record({ caller: name, callee: name }), { maxLength: 12 }), fc.nat(4), (edges, hops) => {
      for (const from of 'abcdef')
        for (const { service, hops: away } of neighboursOf(from, edges, hops)) {
          expect(away).toBeLessThanOrEqual(hops)
          expect(neighboursOf(service, edges, hops).find((back) => back.service === from)?.hops).toBe(away)
        }
    }),
  )
})
