import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FaultKind } from '../../core/fault-kinds.ts'
import type { Diagnosis } from '../../diagnosis/case.ts'
import { report } from '../report.ts'
import type { Investigator } from './investigator.ts'
import { listen, type TestServer } from './testing/servers.ts'
import { actionConfig, INCIDENT, makeWorld, type World } from './testing/world.ts'

let world: World
let target: TestServer
/** What the analysis says from now on. */
let found: Diagnosis
let investigator: Investigator

const says = (service: string, kind: FaultKind, confidence: number): Diagnosis => ({
  onsetMs: null,
  causes: [
    {
      service,
      kind,
      metric: 'm',
      score: confidence,
      confidence,
      onset: null,
      evidence: [{ id: 'e1', claim: 'it is so', weight: 1, ref: { kind: 'topology', path: ['checkout', service] } }],
      against: [],
    },
  ],
  abstained: false,
  leads: [],
  effect: 'checkout fails',
  ruledOut: [],
  missing: [],
  path: [],
})

const start = () => world.start({ diagnose: () => found })
const named = async () => {
  const row = await world.db.selectFrom('incidents').select('report').executeTakeFirstOrThrow()
  return report.parse(JSON.parse(row.report ?? 'null')).causes[0]?.service
}
const approvals = () => world.db.selectFrom('approvals').select(['id', 'state']).orderBy('id').execute()
const pass = async (seconds: number) => {
  await world.clock.advance(seconds * 1000)
  await world.work(investigator)
}

beforeEach(async () => {
  target = await listen(() => ({ status: 200 }))
  const restart = {
    ...actionConfig(target.url),
    does: 'restart',
    title: 'Restart {service}',
    undo: 'None.',
    fits: ['pool_exhausted', 'down', 'cpu'],
    request: { url: `${target.url}/{service}` },
  }
  world = await makeWorld({ agent: { actions: [restart] } })
  found = says('inventory', 'pool_exhausted', 0.9)
  investigator = start()
  await world.work(investigator)
})
afterEach(async () => {
  await world.close()
  await target.close()
})

test('another cause that shows later is investigated anew, and the proposal for the first is void', async () => {
  found = says('payment', 'down', 0.8)
  await pass(20)
  expect(await named()).toBe('payment')
  expect(await world.state()).toBe('awaiting_approval')
  expect(await approvals()).toEqual([
    { id: expect.stringMatching(/_11$/), state: 'void' },
    { id: expect.stringMatching(/_21$/), state: 'pending' },
  ])
  expect((await world.events()).filter((kind) => kind !== 'notified')).toEqual([
    'investigating',
    'diagnosed',
    'proposed',
    'investigating',
    'diagnosed',
    'proposed',
  ])
  const keys = world.webhook.received.map(({ headers }) =>
    String(headers['idempotency-key']).replace(`${INCIDENT}:`, ''),
  )
  expect(new Set(keys)).toEqual(new Set(['diagnosed', 'proposed', 'diagnosed:2', 'proposed:2.1']))
})

test('the same cause, a less sure one, or none changes nothing for who is reading', async () => {
  const before = await world.events()
  for (const other of [
    says('inventory', 'pool_exhausted', 0.7),
    says('payment', 'down', 0.55),
    { ...says('payment', 'down', 0.9), abstained: true, causes: [] },
  ]) {
    found = other
    await pass(60)
  }
  expect(await world.events()).toEqual(before)
  expect(await approvals()).toMatchObject([{ state: 'pending' }])
})

test('what a person has decided stands', async () => {
  await world.approve(investigator)
  found = says('payment', 'down', 0.95)
  // The job finds the incident acting or verifying, whatever comes first.
  await pass(20)
  expect(await approvals()).toMatchObject([{ state: 'approved' }])
})

test('an incident whose cause was not found at first gets it later', async () => {
  await world.close()
  world = await makeWorld()
  found = { ...says('inventory', 'down', 0.9), abstained: true, causes: [] }
  investigator = start()
  await world.work(investigator)
  expect(await world.state()).toBe('watching')
  found = says('inventory', 'down', 0.9)
  await pass(20)
  expect(await named()).toBe('inventory')
})

test('a closed incident, and one where nothing fires any more, is not looked at again', async () => {
  found = says('payment', 'down', 0.95)
  await world.db.updateTable('alerts').set({ status: 'resolved', ends_at: world.clock.now() }).execute()
  await pass(20)
  expect(await named()).toBe('inventory')
  await world.recover()
  await pass(200)
  expect(await world.state()).toBe('closed')
  expect(await named()).toBe('inventory')
})

test('it is investigated three times at most', async () => {
  const causes = ['payment', 'inventory', 'payment', 'inventory']
  for (const service of causes) {
    found = says(service, 'cpu', 0.9)
    await pass(200)
  }
  expect((await world.events()).filter((kind) => kind === 'investigating')).toHaveLength(3)
})

test('dying between the decision to look again and the look loses nothing', async () => {
  found = says('payment', 'down', 0.8)
  await world.clock.advance(20_000)
  const [job] = await world.db.selectFrom('jobs').selectAll().where('kind', '=', 'again').orderBy('run_at').execute()
  const payload = JSON.parse(job?.payload ?? 'null') as unknown
  const never = new AbortController().signal
  await investigator.handlers.again({ id: 'j', kind: 'again', key: 'k', payload, attempts: 1 }, never)
  investigator = start()
  await world.work(investigator)
  expect(await named()).toBe('payment')
  expect(await approvals()).toMatchObject([{ state: 'void' }, { state: 'pending' }])
})
