import { afterEach, expect, test } from 'vitest'
import type { LogLine, Series } from '../../core/telemetry.ts'
import type { Diagnosis } from '../../diagnosis/case.ts'
import { actionConfig, makeWorld, type World, type WorldOptions } from './testing/world.ts'
import { recordedLogs, recordedMetrics } from './testing/sources.ts'

let world: World
afterEach(() => world.close())

const template = 'out of memory'
/** A cause that only a log line speaks of. */
const ghost = ({ at, ref, level, message }: LogLine): Diagnosis => ({
  onsetMs: null,
  causes: [
    {
      service: 'ghost',
      kind: 'down',
      metric: 'log',
      score: 0.9,
      confidence: 0.9,
      onset: null,
      evidence: [
        {
          id: 'e1',
          claim: 'it says so',
          weight: 1,
          ref: {
            kind: 'log',
            service: 'ghost',
            template,
            countBefore: 0,
            countAfter: 1,
            lines: [{ at, ref, level, message }],
          },
        },
      ],
      against: [],
    },
  ],
  abstained: false,
  leads: [],
  effect: 'checkout fails',
  ruledOut: [],
  missing: [],
  path: ['ghost'],
})

const restart = {
  ...actionConfig('http://127.0.0.1:4'),
  does: 'restart',
  title: 'Restart {service}',
  undo: 'None.',
  fits: ['down'],
  request: { url: 'http://127.0.0.1:4/{service}' },
}

/** What is done about the ghost when this is known. */
const after = async (known: WorldOptions, series: readonly Series[] = []) => {
  const logs: LogLine[] = []
  world = await makeWorld({
    logs: [recordedLogs('logs', logs)],
    metrics: [recordedMetrics('metrics', series, 15_000)],
    ...known,
    agent: { actions: [restart], ...known.agent },
  })
  const said: LogLine = { at: world.clock.now() - 5000, service: 'ghost', level: 'error', message: template, ref: 'r1' }
  logs.push(said)
  const investigator = world.start({ diagnose: () => ghost(said) })
  await world.work(investigator)
  const told = await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'watching').execute()
  return [await world.state(), ...told.map(({ text }) => text)]
}

test('a service that only log lines know is never touched', async () => {
  expect(await after({})).toEqual([
    'watching',
    expect.stringContaining('No action is proposed: ghost is not a service that Midwatch knows of'),
  ])
})

test.each([
  ['the catalogue of services', { agent: { services: { ghost: {} } } }],
  ['a call that the configuration tells', { agent: { services: { shop: { dependsOn: ['ghost'] } } } }],
  ['the catalogue of actions', { agent: { actions: [{ ...restart, services: ['ghost'] }] } }],
])('a service is known from %s', async (_name, known) => {
  expect(await after(known)).toEqual(['awaiting_approval'])
})

test('a service is known from its own series', async () => {
  const up = (at: number): Series => ({
    service: 'ghost',
    metric: 'up',
    as: 'value',
    labels: {},
    query: 'up',
    points: [[at, 0]],
  })
  const began = await makeWorld().then(async (w) => (await w.close(), w.clock.now()))
  expect(await after({}, [up(began - 30_000)])).toEqual(['awaiting_approval'])
})
