import { expect, test } from 'vitest'
import { parseConfig } from '../../config/load.ts'
import type { Caller } from '../../core/caller.ts'
import { createSubjects, subjectsFor } from './subjects.ts'

const config = parseConfig(
  `
providers: { p: { kind: openai, baseUrl: "http://127.0.0.1:1/v1" } }
models:
  fast: { targets: [{ provider: p, model: m }], limits: { concurrency: 8 } }
limits:
  requestsPerMinute: 600
  budgetUsd: { per: month, amount: 500 }
  user: { requestsPerMinute: 6 }
  teams: { web: { tokensPerMinute: 1000 } }
`,
  'test.yaml',
  {},
)
const caller: Caller = { tenant: 'acme', keyId: 'key_1', name: 'shop', scopes: ['llm:chat'], team: 'web' }

test('a call counts against its key, its user, its team and its model', () => {
  const subjects = subjectsFor(caller, 'ann@example.com', 'fast', config)
  expect(subjects.map(({ kind, limits }) => [kind, limits])).toEqual([
    ['key', { requestsPerMinute: 600, budgetUsd: { per: 'month', amount: 500 } }],
    ['user', { requestsPerMinute: 6 }],
    ['team', { tokensPerMinute: 1000 }],
    ['model', { concurrency: 8 }],
  ])
  expect(new Set(subjects.map(({ id }) => id)).size).toBe(4)
  expect(JSON.stringify(subjects)).not.toContain('ann@example.com')
})

test('a key’s own limits take the place of the defaults one by one', () => {
  const own = { ...caller, limits: { requestsPerMinute: 5, concurrency: 1 } }
  expect(subjectsFor(own, undefined, 'fast', config)[0]?.limits).toEqual({
    requestsPerMinute: 5,
    concurrency: 1,
    budgetUsd: { per: 'month', amount: 500 },
  })
})

test('users and teams of the same name in two tenants are not the same', () => {
  const ids = (tenant: string) => subjectsFor({ ...caller, tenant }, 'ann', 'fast', config).map(({ id }) => id)
  const [ours, theirs] = [ids('acme'), ids('other')]
  expect([ours[1] === theirs[1], ours[2] === theirs[2], ours[3] === theirs[3]]).toEqual([false, false, true])
})

test.each(['constructor', '__proto__', 'toString'])('a team or a model called %s has no limits', (name) => {
  const subjects = subjectsFor({ ...caller, team: name }, undefined, name, config)
  expect(subjects.slice(1).map(({ limits }) => limits)).toEqual([{}, {}])
})

test('the subjects of a caller come from memory, and those of its changed key do not', () => {
  const subjectsOf = createSubjects(config)
  expect(subjectsOf(caller, undefined, 'fast')).toBe(subjectsOf(caller, undefined, 'fast'))
  const changed = { ...caller, limits: { concurrency: 1 } }
  expect(subjectsOf(changed, undefined, 'fast')[0]?.limits).toMatchObject({ concurrency: 1 })
  expect(subjectsOf(caller, 'ann', 'fast')).toHaveLength(4)
})
