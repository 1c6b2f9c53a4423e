import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createActions } from '../../actions/actions.ts'
import type { Decision } from './approvals.ts'
import type { Investigator } from './investigator.ts'
import { storeChanges, changesBody } from '../changes.ts'
import { actionConfig, INCIDENT, makeWorld, type World } from './testing/world.ts'

let world: World
let investigator: Investigator

beforeEach(async () => {
  world = await makeWorld()
  investigator = world.start()
  await world.work(investigator)
})
afterEach(() => world.close())

const decide = async (more: Partial<Decision> = {}) =>
  await investigator.decide({
    incidentId: INCIDENT,
    approvalId: await world.approvalId(),
    tenant: 'default',
    decision: 'approve',
    by: 'Ada',
    ...more,
  })
const sent = () => world.platform.received.filter(({ method }) => method === 'POST')
const approval = () => world.db.selectFrom('approvals').selectAll().executeTakeFirstOrThrow()

describe('a decision', () => {
  test('of two people who press at once, one counts, and the other is told whose', async () => {
    const results = await Promise.allSettled([decide({ by: 'Ada' }), decide({ by: 'Bob' })])
    expect(results.map(({ status }) => status).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['fulfilled', 'rejected'])
    const refused = results.find((result) => result.status === 'rejected')
    expect(refused?.reason).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/^(Ada|Bob) has already approved it at /),
    })
    await world.work(investigator)
    expect(sent()).toHaveLength(1)
  })

  test('cannot be taken back', async () => {
    await decide({ decision: 'refuse' })
    await expect(decide()).rejects.toMatchObject({ message: expect.stringContaining('Ada has already refused it') })
    await world.work(investigator)
    expect(sent()).toEqual([])
  })

  test('is not found from another tenant, another incident, or under another id', async () => {
    for (const more of [{ tenant: 'other' }, { incidentId: 'inc_other' }, { approvalId: 'apr_other' }])
      await expect(decide(more)).rejects.toMatchObject({ code: 'not_found' })
    expect((await approval()).state).toBe('pending')
  })

  test('comes too late once the proposal has expired, even before anyone noticed', async () => {
    await world.clock.advance(world.config.approval.expiresSeconds * 1000)
    await expect(decide()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('It was not carried out'),
    })
    expect((await approval()).state).toBe('expired')
    await world.work(investigator)
    expect(await world.state()).toBe('watching')
    expect(sent()).toEqual([])
  })

  test('is void when a newer deploy of that service came in between', async () => {
    await world.clock.advance(5000)
    const change = {
      id: 'fix',
      at: world.clock.now(),
      service: 'inventory',
      kind: 'deploy',
      summary: 'a fix',
      from: 'a',
      to: 'b',
    }
    await storeChanges(world.db, 'default', changesBody.parse({ changes: [change] }), world.clock.now())
    await expect(decide()).rejects.toMatchObject({
      code: 'conflict',
      message: 'It was not carried out: deploy fix of inventory came after the proposal was made.',
    })
    expect(await approval()).toMatchObject({ state: 'void', decided_by: null })
    await world.work(investigator)
    expect(await world.state()).toBe('watching')
    expect(sent()).toEqual([])
  })

  test('is void when all alerts have ended, even before that was noticed', async () => {
    await world.db.updateTable('alerts').set({ status: 'resolved', ends_at: world.clock.now() }).execute()
    await expect(decide()).rejects.toMatchObject({
      message: 'It was not carried out: all alerts have ended meanwhile.',
    })
    expect((await approval()).state).toBe('void')
  })

  test('about a high risk needs a second act, and about a refusal none', async () => {
    await world.db.updateTable('approvals').set({ risk: 6 }).execute()
    await expect(decide()).rejects.toMatchObject({ code: 'conflict', field: 'confirmed' })
    expect((await approval()).state).toBe('pending')
    await decide({ decision: 'refuse' })
    expect((await approval()).state).toBe('refused')
  })

  test('survives dying right after it: the job that goes on is there', async () => {
    await decide()
    const next = world.start()
    await world.work(next)
    expect(sent()).toHaveLength(1)
  })
})

test('feedback is kept with who said it, and not taken from another tenant', async () => {
  const feedback = { incidentId: INCIDENT, by: 'Ada', verdict: 'wrong', service: 'payment', kind: 'down' } as const
  await investigator.giveFeedback({ ...feedback, tenant: 'default' })
  expect(await world.db.selectFrom('feedback').select(['by', 'verdict', 'service', 'kind']).execute()).toEqual([
    { by: 'Ada', verdict: 'wrong', service: 'payment', kind: 'down' },
  ])
  await expect(investigator.giveFeedback({ ...feedback, tenant: 'other' })).rejects.toMatchObject({ code: 'not_found' })
})

test('a second proposal is made for the next cause when the first did not help, and no third', async () => {
  await world.close()
  world = await makeWorld({
    agent: {
      actions: [
        {
          ...actionConfig('http://127.0.0.1:9'),
          title: 'Restart {service}',
          undo: 'None.',
          request: { url: 'http://127.0.0.1:9/{service}' },
          does: 'restart',
          fits: ['pool_exhausted', 'slow_database'],
          check: undefined,
        },
      ],
    },
  })
  const cause = (service: string, kind: 'pool_exhausted' | 'slow_database', confidence: number) => ({
    service,
    kind,
    metric: 'm',
    score: confidence,
    confidence,
    onset: null,
    evidence: [
      { id: 'e1', claim: 'it is so', weight: 1, ref: { kind: 'topology' as const, path: ['checkout', service] } },
    ],
    against: [],
  })
  investigator = world.start({
    actions: {
      ...createActions(),
      send: async () => ({ kind: 'done', detail: '200' }),
      check: async () => ({ kind: 'done' }),
    },
    diagnose: () => ({
      onsetMs: null,
      causes: [
        cause('inventory', 'pool_exhausted', 0.7),
        cause('payment', 'slow_database', 0.28),
        cause('cart', 'pool_exhausted', 0.01),
      ],
      abstained: false,
      leads: [],
      effect: 'checkout fails',
      ruledOut: [],
      missing: [],
      path: [],
    }),
  })
  await world.work(investigator)
  for (const round of [1, 2]) {
    expect(await world.state()).toBe('awaiting_approval')
    expect(await world.approvalId()).toMatch(new RegExp(`_1${round}$`))
    await world.approve(investigator)
    await world.work(investigator)
    for (let i = 0; i < 8; i++) {
      await world.clock.advance(10_000)
      await world.work(investigator)
    }
  }
  expect(await world.state()).toBe('watching')
  const proposals = await world.db.selectFrom('approvals').select('action').orderBy('requested_at').execute()
  expect(proposals.map(({ action }) => (JSON.parse(action) as { service: string }).service)).toEqual([
    'inventory',
    'payment',
  ])
})
