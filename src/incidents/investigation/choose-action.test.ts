import { describe, expect, test } from 'vitest'
import { configSchema, type ActionConfig } from '../../config/schema.ts'
import { Secret } from '../../core/secret.ts'
import type { Change } from '../../core/telemetry.ts'
import type { Cause } from '../../diagnosis/evidence.ts'
import { NO_RECORD } from './acting/record.ts'
import { checkFor, findApproved, fingerprintOf, requestFor } from './acting/request.ts'
import { type ChoiceInput, chooseAction } from './choose-action.ts'
import { type RiskInput, weighRisk } from './risk.ts'

const action = (more: Record<string, unknown> = {}): ActionConfig => {
  const entry = {
    name: 'roll-back',
    does: 'roll-back',
    services: ['*'],
    fits: ['bad_deploy'],
    title: 'Roll {service} back to {from}',
    expected: 'ok',
    undo: 'Deploy {to}',
    risk: 3,
    request: { url: 'http://deploy/{service}?to={from}', body: { to: '{from}', run: '{run}' } },
    ...more,
  }
  return configSchema.parse({ agent: { actions: [entry] } }).agent.actions[0] as ActionConfig
}
const restart = (more: Record<string, unknown> = {}) =>
  action({
    name: 'restart',
    does: 'restart',
    title: 'Restart {service}',
    undo: 'None',
    request: { url: 'http://deploy/{service}/restart' },
    ...more,
  })

const onset = 1_000_000
const change = (more: Partial<Change> = {}): Change => ({
  id: 'd1',
  at: onset - 11_000,
  service: 'inventory',
  kind: 'deploy',
  summary: 's',
  from: '7e10b',
  to: '8f2c1',
  ...more,
})
const cause: Cause = {
  service: 'inventory',
  kind: 'bad_deploy',
  metric: 'm',
  score: 1,
  confidence: 0.9,
  onset,
  evidence: [],
  against: [],
}
const choose = (more: Partial<ChoiceInput> = {}) =>
  chooseAction({
    catalogue: [action()],
    cause,
    effect: 'checkout fails',
    incidentNumber: 7,
    alertAtMs: onset + 20_000,
    changes: [change()],
    topology: [],
    knownServices: new Set(['inventory']),
    tried: [],
    resting: new Map(),
    records: new Map(),
    ...more,
  })
const reason = async (more: Partial<ChoiceInput> = {}) => {
  const choice = await choose(more)
  return choice.kind === 'none' ? choice.reason : 'proposed'
}

describe('a proposal', () => {
  test('is filled from the change that came shortly before', async () => {
    expect(await choose()).toMatchObject({
      kind: 'proposed',
      action: {
        name: 'roll-back',
        service: 'inventory',
        title: 'Roll inventory back to 7e10b',
        undo: 'Deploy 8f2c1',
        parameters: { service: 'inventory', change: 'd1', from: '7e10b', to: '8f2c1' },
        risk: 3,
        ifNothing: 'It goes on as it is: checkout fails.',
      },
    })
  })

  test('is the first of the catalogue that fits and can be filled', async () => {
    const catalogue = [
      restart({ fits: ['down'] }),
      action({ services: ['payment'] }),
      action(),
      restart({ name: 'second', fits: ['bad_deploy'] }),
    ]
    expect(await choose({ catalogue })).toMatchObject({ action: { name: 'roll-back' } })
    expect(await choose({ catalogue, changes: [] })).toMatchObject({ action: { name: 'second' } })
  })

  test('is not made twice for the same service', async () => {
    expect(await reason({ tried: ['roll-back inventory'] })).toContain('nothing (more)')
    expect(await reason({ tried: ['roll-back payment'] })).toBe('proposed')
  })

  test('prefers the change that the evidence cites over a later one', async () => {
    const cited = {
      id: 'e',
      claim: 'c',
      weight: 1,
      ref: {
        kind: 'change' as const,
        id: 'd1',
        at: 1,
        service: 'inventory',
        changeKind: 'deploy' as const,
        summary: '',
      },
    }
    const changes = [change(), change({ id: 'd2', at: onset - 1000 })]
    expect(await choose({ changes })).toMatchObject({ action: { parameters: { change: 'd2' } } })
    expect(await choose({ changes, cause: { ...cause, evidence: [cited] } })).toMatchObject({
      action: { parameters: { change: 'd1' } },
    })
  })
})

describe('nothing is proposed', () => {
  test.each([
    ['no change is known', { changes: [] }, 'no change of inventory'],
    ['the change is another service’s', { changes: [change({ service: 'payment' })] }, 'no change of inventory'],
    ['the change is hours old', { changes: [change({ at: onset - 7_200_000 })] }, 'no change of inventory'],
    ['the change came after', { changes: [change({ at: onset + 120_000 })] }, 'no change of inventory'],
    ['the change was a restart', { changes: [change({ kind: 'restart' })] }, 'no change of inventory'],
    ['the change does not say from what', { changes: [change({ from: undefined })] }, '{from}'],
    ['the service is unknown', { knownServices: new Set(['payment']) }, 'not a service that Midwatch knows'],
    ['the kind fits nothing', { cause: { ...cause, kind: 'down' as const } }, 'nothing (more)'],
    ['a value holds a line break', { changes: [change({ from: 'a\r\nx-evil: 1' })] }, 'characters that no name'],
    ['a value is invisible', { changes: [change({ from: 'a\u202Eb' })] }, 'characters that no name'],
    ['a value climbs a path', { changes: [change({ from: '..' })] }, 'characters that no name'],
    ['a value holds half a character', { changes: [change({ from: 'a\uD800' })] }, 'characters that no name'],
    [
      'a header cannot carry its value',
      {
        catalogue: [restart({ fits: ['bad_deploy'], request: { url: 'http://d/', headers: { 'x-who': 'gelöst ✓' } } })],
      },
      'its header "x-who" holds characters that no header can carry',
    ],
    [
      'the address cannot be asked',
      { catalogue: [restart({ fits: ['bad_deploy'], request: { url: 'http://u:p@d/{service}' } })] },
      'its address holds a user name or a password',
    ],
    ['a value is endless', { changes: [change({ from: 'x'.repeat(5000) })] }, 'characters that no name'],
  ])('when %s', async (_name, more, expected) => {
    expect(await reason(more)).toContain(expected)
  })
})

describe('a request', () => {
  const parameters = { service: 'a b/../c', from: '1&x=2', to: 't', change: 'c', kind: 'k', incident: '7' }

  test('carries values encoded where they stand in an address, and as they are in the body', () => {
    const request = requestFor(action(), parameters, 'run 1')
    expect(request).toMatchObject({
      url: 'http://deploy/a%20b%2F..%2Fc?to=1%26x%3D2',
      body: { to: '1&x=2', run: 'run 1' },
    })
    expect(checkFor(action({ check: { url: 'http://deploy/runs/{run}' } }), parameters, 'run 1')).toMatchObject({
      url: 'http://deploy/runs/run%201',
    })
  })

  test('has the same fingerprint until what it does changes', () => {
    const one = fingerprintOf(requestFor(action(), parameters, ''))
    expect(fingerprintOf(requestFor(action({ title: 'Other' }), parameters, ''))).toBe(one)
    expect(fingerprintOf(requestFor(action({ request: { url: 'http://other/{service}' } }), parameters, ''))).not.toBe(
      one,
    )
  })

  test('has another fingerprint when it speaks as someone else, and shows nothing of the secret', () => {
    const as = (authorization: unknown) =>
      fingerprintOf(
        requestFor(action({ request: { url: 'http://deploy/', headers: { authorization } } }), parameters, ''),
      )
    const prints = [as(new Secret('one')), as(new Secret('two')), as('one'), as('{service}')]
    expect(prints[0]).toBe(prints[2])
    expect(new Set(prints).size).toBe(3)
    expect(prints.join()).not.toContain('one')
  })
})

describe('what runs is what was approved', () => {
  const parameters = { service: 'inventory' }
  const approved = { name: 'restart', parameters, fingerprint: fingerprintOf(requestFor(restart(), parameters, '')) }
  const differs = (reason: string) => ({ kind: 'differs', reason })

  test('when nothing changed that is sent', () => {
    const entry = restart({ title: 'Other' })
    expect(findApproved([action(), entry], approved)).toEqual({ kind: 'same', entry })
  })

  test('and nothing runs when the catalogue asks for a value that the approved one did not need', () => {
    const changed = differs('was changed since it was approved')
    expect(findApproved([restart({ request: { url: 'http://deploy/{from}' } })], approved)).toEqual(changed)
    expect(findApproved([restart({ check: { url: 'http://deploy/runs/{to}' } })], approved)).toEqual(changed)
  })

  test('and nothing runs that is gone, or cannot be compared', () => {
    expect(findApproved([action()], approved)).toEqual(differs('is no longer in the catalogue'))
    expect(findApproved([restart()], { name: 'restart', parameters })).toEqual(
      differs('cannot be compared with what was approved'),
    )
  })
})

describe('the risk', () => {
  const calls = (...callers: string[]) =>
    callers.map((caller, i) => ({ caller, callee: callers[i - 1] ?? 'inventory' }))
  const weigh = (more: Partial<RiskInput> = {}) =>
    weighRisk({ base: 3, service: 'inventory', topology: [], confidence: 0.9, record: NO_RECORD, ...more })

  test('is the catalogue’s for a lonely service and a sure cause', () => {
    expect(weigh()).toEqual({ risk: 3, reasons: ['base 3'], callers: [] })
  })
  test('grows with what depends on the service, directly or not', () => {
    expect(weigh({ topology: calls('a') }).risk).toBe(3)
    expect(weigh({ topology: calls('a', 'b') }).risk).toBe(4)
    expect(weigh({ topology: calls('a', 'b', 'c', 'd') })).toEqual({
      risk: 5,
      reasons: ['base 3', '+2: 4 services depend on inventory'],
      callers: ['a', 'b', 'c', 'd'],
    })
  })
  test('grows with doubt, and ends at 10', () => {
    expect(weigh({ confidence: 0.7 }).risk).toBe(4)
    expect(weigh({ base: 9, topology: calls('a', 'b', 'c', 'd'), confidence: 0.5 }).risk).toBe(10)
  })
  test('grows at a risky hour', () => {
    expect(weigh({ hour: 'Fri 16:40 is a risky hour' })).toMatchObject({
      risk: 4,
      reasons: ['base 3', '+1: Fri 16:40 is a risky hour'],
    })
  })
  test.each([
    [{ judged: 5, worked: 5, worse: 0 }, 2, '−1: it worked 5 of 5 times'],
    [{ judged: 4, worked: 1, worse: 0 }, 4, '+1: it worked only 1 of 4 times'],
    [{ judged: 9, worked: 8, worse: 1 }, 5, '+2: after 1 of 9 runs it was worse'],
  ])('follows the record of the action: %j', (record, risk, reason) => {
    expect(weigh({ record })).toMatchObject({ risk, reasons: ['base 3', reason] })
  })
  test('learns nothing from two runs that went well', () => {
    expect(weigh({ record: { judged: 2, worked: 2, worse: 0 } }).risk).toBe(3)
  })
  test('comes to an end where services call in a circle', () => {
    const circle = [...calls('a', 'b'), { caller: 'inventory', callee: 'b' }]
    expect(weigh({ base: 1, topology: circle }).risk).toBe(2)
  })
})
