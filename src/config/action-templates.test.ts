import { describe, expect, test } from 'vitest'
import { configSchema } from './schema.ts'

const action = (changes: Record<string, unknown>, request: Record<string, unknown> = {}) => ({
  agent: {
    actions: [
      {
        name: 'restart',
        does: 'restart',
        services: ['*'],
        fits: ['down'],
        title: 'Restart {service}',
        expected: 'It answers.',
        undo: 'None.',
        risk: 2,
        request: { url: 'http://deploy/{service}', ...request },
        ...changes,
      },
    ],
  },
})

const problems = (config: unknown) =>
  configSchema.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []

describe('the action catalogue', () => {
  test('takes what the incident and the parameters give', () => {
    expect(problems(action({ parameters: { replicas: '3' } }, { body: { n: '{replicas}', key: '{run}' } }))).toEqual([])
  })

  test.each([
    [
      action({ title: 'Restart {servce}' }),
      'agent.actions.0.title: {servce} is not known here; did you mean {service}?',
    ],
    [action({}, { url: 'http://x/{nothing}' }), 'agent.actions.0.request.url: {nothing} is not known here'],
    [action({}, { headers: { a: '{b}' } }), 'agent.actions.0.request.headers.a: {b} is not known here'],
    [action({}, { body: { a: '{zzz}' } }), 'agent.actions.0.request.body.a: {zzz} is not known here'],
    [action({ check: { url: 'http://x/{runn}' } }), 'agent.actions.0.check.url: {runn} is not known here'],
    [action({ parameters: { a: '{a}' } }), 'agent.actions.0.parameters.a: {a} is not known here'],
    [action({ parameters: { service: 'x' } }), 'agent.actions.0.parameters.service: the incident gives {service}'],
  ])('a name that nobody fills is told with its place', (config, expected) => {
    expect(problems(config).join('\n')).toContain(expected)
  })

  test.each(['http://{service}/x', 'http://a{service}.example/x', 'ftp://x/', '/relative', 'http://x{change}'])(
    'an incident never chooses the host: %s',
    (url) => {
      expect(problems(action({}, { url })).join('\n')).toContain('agent.actions.0.request.url')
    },
  )
})
