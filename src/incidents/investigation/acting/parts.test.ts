import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { configSchema, type ActionConfig } from '../../../config/schema.ts'
import { whyRiskyHour } from './hours.ts'
import { whyHarmful, whyUnfit } from './parameters.ts'
import { peopleFor, personOf } from './policy.ts'
import { findApproved, fingerprintOf, requestFor } from './request.ts'

const approval = (more: Record<string, unknown>) => configSchema.parse({ agent: { approval: more } }).agent.approval
const problems = (agent: Record<string, unknown>) =>
  configSchema.safeParse({ agent }).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []

describe('an hour', () => {
  const config = approval({
    timeZone: 'Europe/Berlin',
    businessHours: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00' },
    riskyHours: [
      { days: ['fri'], from: '15:00', to: '24:00' },
      { days: ['tue'], from: '22:00', to: '02:00' },
    ],
  })
  test.each([
    ['2026-11-25T10:00:00Z', undefined], // Wednesday 11:00
    ['2026-11-25T07:59:00Z', 'Wed 08:59 is outside business hours'],
    ['2026-11-25T16:00:00Z', 'Wed 17:00 is outside business hours'],
    ['2026-11-27T13:59:00Z', undefined],
    ['2026-11-27T14:00:00Z', 'Fri 15:00 is a risky hour'],
    ['2026-11-28T10:00:00Z', 'Sat 11:00 is outside business hours'],
    ['2026-11-25T00:30:00Z', 'Wed 01:30 is a risky hour'], // what began on Tuesday
    ['2026-07-01T06:59:00Z', 'Wed 08:59 is outside business hours'], // in summer time
  ])('is judged by the clock of the people there: %s', (at, expected) => {
    expect(whyRiskyHour(config, Date.parse(at))).toBe(expected)
  })
  test('is never risky where none is declared', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (at) => whyRiskyHour(approval({}), at.getTime()) === undefined),
    )
  })
})

describe('how many people agree', () => {
  test('is never nobody unless the policy says so', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10 }), (risk) => peopleFor(risk, approval({})) >= 1))
  })
  test('never falls while the risk grows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 1, max: 10 }), (nobody, more) => {
        const config = approval({ policy: { nobodyUpToRisk: nobody, twoFromRisk: Math.min(11, nobody + more) } })
        const people = Array.from({ length: 11 }, (_, risk) => peopleFor(risk, config))
        return people.every((count, risk) => risk === 0 || count >= (people[risk - 1] ?? 0))
      }),
    )
  })
  test('cannot be nobody and two at once', () => {
    expect(problems({ approval: { policy: { nobodyUpToRisk: 9 } } })).toEqual([
      'agent.approval.policy.nobodyUpToRisk: must be less than twoFromRisk',
    ])
  })
  test('counts a person once, however the name is written', () => {
    expect(personOf(' Ada  Lovelace')).toBe(personOf('ADA lovelace'))
    expect(personOf('Ａda')).toBe(personOf('ada'))
  })
})

describe('a parameter', () => {
  const number = { type: 'number', min: 1, max: 5, integer: true, value: undefined } as const
  test.each(['0', '6', '1.5', '1e0', ' 1', '١', '', 'Infinity', '0x1', '+1'])(
    'that is a number takes no %j',
    (value) => {
      expect(whyUnfit(number, value)).toBeDefined()
    },
  )
  test('that is a number takes what lies between its bounds', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), (value) => whyUnfit(number, String(value)) === undefined))
  })
  test('with a pattern takes only what matches it whole', () => {
    const version = { type: 'string', pattern: 'v\\d+|latest', maxLength: 20, value: undefined } as const
    expect(['v12', 'latest'].map((value) => whyUnfit(version, value))).toEqual([undefined, undefined])
    expect(
      ['v12; rm', 'xlatest', 'v', 'v1\n'].map((value) => whyUnfit(version, value)).every((why) => why !== undefined),
    ).toBe(true)
  })
  test('is never harmless with something invisible in it', () => {
    for (const value of ['', '.', '..', 'a\nb', 'a\u202Eb', 'a\u0000', 'x'.repeat(201)])
      expect(whyHarmful(value)).toBeDefined()
    expect(whyHarmful('v1.2-rc_3')).toBeUndefined()
  })
})

const command = (argv: readonly string[], more: Record<string, unknown> = {}) => ({
  name: 'scale',
  does: 'scale',
  services: ['*'],
  fits: ['traffic_surge'],
  title: 'Scale {service}',
  expected: 'ok',
  undo: 'Scale back',
  risk: 1,
  parameters: { count: { type: 'enum', values: ['2', '4'], value: '2' } },
  command: { argv },
  ...more,
})
const entry = (argv: readonly string[], more: Record<string, unknown> = {}): ActionConfig =>
  configSchema.parse({ agent: { actions: [command(argv, more)] } }).agent.actions[0] as ActionConfig

describe('a declared command', () => {
  test('is filled argument by argument, and no value becomes an option', () => {
    const scale = entry(['kubectl', 'scale', 'deployment/{service}', '{service}'], { parameters: {} })
    expect(requestFor(scale, { service: 'a b;c' }, 'k')).toMatchObject({
      argv: ['kubectl', 'scale', 'deployment/a b;c', 'a b;c'],
    })
    expect(() => requestFor(scale, { service: '--kubeconfig=/etc/x' }, 'k')).toThrow(RangeError)
  })
  test.each([
    [command(['{service}']), 'agent.actions.0.command.argv.0: must be the name of a program'],
    [
      command(['x'], { request: { url: 'http://x/' } }),
      'agent.actions.0.request: needs a request or a command, and not both',
    ],
    [command(['x'], { command: undefined }), 'agent.actions.0.request: needs a request or a command, and not both'],
    [command(['x', '{servce}']), 'agent.actions.0.command.argv.1: {servce} is not known here; did you mean {service}?'],
    [
      command(['x'], { undo: { text: 'back', action: 'other' } }),
      'agent.actions.0.undo.action: no action of the catalogue is called other',
    ],
    [
      command(['x'], { undo: { text: 'back', action: 'scale', parameters: { by: '1' } } }),
      'agent.actions.0.undo.parameters.by: scale has no parameter by',
    ],
    [command(['x'], { undo: { text: 'back' } }), 'agent.actions.0.undo'],
    [command(['x'], { parameters: { a: { type: 'string', pattern: '(' } } }), 'agent.actions.0.parameters.a'],
    [
      command(['x'], { preconditions: [{ kind: 'http', says: 's', url: 'http://{service}/' }] }),
      'agent.actions.0.preconditions.0.url: must be an http://',
    ],
  ])('is told what is wrong with it', (action, expected) => {
    expect(problems({ actions: [action] }).join('\n')).toContain(expected)
  })
  test('that was approved is not carried out with a value that its type no longer takes', () => {
    const parameters = { service: 'inventory', count: '4' }
    const approved = entry(['kubectl', '{service}', '{count}'])
    const fingerprint = fingerprintOf(requestFor(approved, parameters, ''))
    expect(findApproved([approved], { name: 'scale', parameters, fingerprint }).kind).toBe('same')
    const narrowed = entry(['kubectl', '{service}', '{count}'], {
      parameters: { count: { type: 'enum', values: ['2'] } },
    })
    expect(findApproved([narrowed], { name: 'scale', parameters, fingerprint })).toEqual({
      kind: 'differs',
      reason: 'is no longer allowed: the value of {count} is none of 2',
    })
  })
})
