// A process can die anywhere. Whatever was cut short runs again in a new process on the same database, and the end is the
// same: one action, one telling of each thing, one story.
import { afterEach, describe, expect, test } from 'vitest'
import type { KyselyPlugin } from 'kysely'
import type { Db } from '../../db/connect.ts'
import { type Actions, createActions } from '../../actions/actions.ts'
import { listAudit } from '../../audit/read.ts'
import { createIncidentFeed } from '../feed.ts'
import type { CheckpointTables } from './checkpoint-tables.ts'
import { giveUp } from './give-up.ts'
import { STEPS, type RunStep } from './graph.ts'
import type { Investigator } from './investigator.ts'
import { INCIDENT, makeWorld, type World, type WorldOptions } from './testing/world.ts'

class Killed extends Error {}

/** Of steps side by side several are cut short. */
const isDeath = (error: unknown): boolean =>
  error instanceof Killed || (error instanceof AggregateError && error.errors.length > 0 && error.errors.every(isDeath))

let world: World
afterEach(() => world.close())

test('without any death the walk comes to its end', async () => {
  await begin()
  expect(await walk(() => world.start())).toBe(0)
  await expectTheSameEnd()
})

/** Dies once, at the given boundary of the n-th run of a step. */
function dieAt(step: string, when: 'before' | 'after', nth = 1): RunStep {
  let seen = 0
  let dead = false
  return async (name, run, state) => {
    // Steps that run side by side die with it.
    if (dead) throw new Killed()
    const dies = name === step && ++seen === nth
    dead ||= dies && when === 'before'
    if (dead) throw new Killed()
    const update = await run(state, new AbortController().signal)
    dead ||= dies && when === 'after'
    if (dead) throw new Killed()
    return update
  }
}

const byText = (a: string, b: string): number => (a < b ? -1 : 1)

/** The whole walk, started anew after every death. Returns how often it died. */
async function walk(first: () => Investigator): Promise<number> {
  let investigator = first()
  let deaths = 0
  const survive = async (work: () => Promise<void>) => {
    for (;;) {
      try {
        await work()
        return
      } catch (error) {
        if (!isDeath(error)) throw error
        deaths++
        investigator = world.start()
      }
    }
  }
  await survive(() => world.work(investigator))
  expect(await world.state()).toBe('awaiting_approval')
  await world.approve(investigator)
  await survive(() => world.work(investigator))
  // What mends the shop is the action; where it has not left yet, time passes until it has.
  for (let i = 0; i < 3 && !world.platform.received.some(({ method }) => method === 'POST'); i++) {
    await world.clock.advance(10_000)
    await survive(() => world.work(investigator))
  }
  world.source.mendAt(world.clock.now())
  for (let i = 0; i < 2; i++) {
    await world.clock.advance(10_000)
    await survive(() => world.work(investigator))
  }
  await world.recover()
  for (let i = 0; i < 3; i++) {
    await world.clock.advance(10_000)
    await survive(() => world.work(investigator))
  }
  return deaths
}

async function expectTheSameEnd(): Promise<void> {
  expect(await world.db.selectFrom('incidents').select(['state', 'outcome']).execute()).toEqual([
    { state: 'closed', outcome: 'fixed' },
  ])
  expect((await world.events()).filter((kind) => kind !== 'notified')).toEqual([
    'investigating',
    'diagnosed',
    'proposed',
    'approved',
    'acting',
    'acted',
    'closed',
    'reported',
    'learned',
  ])
  expect(world.platform.received.filter(({ method }) => method === 'POST')).toHaveLength(1)
  expect(await world.db.selectFrom('action_runs').select('state').execute()).toEqual([{ state: 'done' }])
  expect(world.webhook.received.map(({ headers }) => String(headers['idempotency-key'])).sort(byText)).toEqual([
    `${INCIDENT}:acted:${await world.approvalId()}`,
    `${INCIDENT}:closed`,
    `${INCIDENT}:diagnosed`,
    `${INCIDENT}:proposed`,
  ])
}

const begin = async (options: WorldOptions = {}) => {
  world = await makeWorld(options)
}

describe('after dying at the border of a step the walk comes to the same end', () => {
  const borders = STEPS.flatMap((step) => [
    { step, when: 'before' as const },
    { step, when: 'after' as const },
  ])

  test.each(borders)('$when $step', async ({ step, when }) => {
    await begin()
    // The first time it gets there it ends in waiting.
    const nth = (step === 'approve' || step === 'pause') && when === 'after' ? 2 : 1
    expect(await walk(() => world.start({ runStep: dieAt(step, when, nth) }))).toBe(1)
    await expectTheSameEnd()
  })

  test('at every border, one after the other', async () => {
    await begin()
    const left = new Set(borders.map(({ step, when }) => `${when} ${step}`))
    const everywhere = (): RunStep => {
      let dead = false
      // Steps that run side by side die together, at the border of one.
      const pass = (border: string): void => {
        dead ||= left.delete(border)
        if (dead) throw new Killed()
      }
      return async (name, run, state) => {
        pass(`before ${name}`)
        const update = await run(state, new AbortController().signal)
        pass(`after ${name}`)
        return update
      }
    }
    const { start } = world
    world = { ...world, start: () => start({ runStep: everywhere() }) }
    const deaths = await walk(() => world.start())
    expect([...left]).toEqual([])
    expect(deaths).toBe(borders.length)
    await expectTheSameEnd()
  })
})

describe('an action', () => {
  const real = createActions()
  let died = false
  const once = (send: Actions['send']): Actions => {
    died = false
    return { ...real, send: (request, signal) => (died ? real.send(request, signal) : send(request, signal)) }
  }
  const dieBefore = () =>
    once(() => {
      died = true
      throw new Killed()
    })
  const dieAfter = () =>
    once(async (request, signal) => {
      await real.send(request, signal)
      died = true
      throw new Killed()
    })

  test('that had not left when the process died is sent once the other side says that it never arrived', async () => {
    await begin()
    expect(await walk(() => world.start({ actions: dieBefore() }))).toBe(1)
    await expectTheSameEnd()
  })

  test('that is known there only once it ended is not sent again while it may be under way', async () => {
    let now = () => 0
    let endsAtMs = Number.POSITIVE_INFINITY
    await begin({
      platform: (request) => {
        if (request.method === 'POST') endsAtMs = Math.min(endsAtMs, now() + 25_000)
        return { status: request.method === 'POST' || now() >= endsAtMs ? 200 : 404 }
      },
    })
    now = () => world.clock.now()
    expect(await walk(() => world.start({ actions: dieAfter() }))).toBe(1)
    expect(world.platform.received.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET'])
    await expectTheSameEnd()
  })

  test('whose fate is asked about after a crash waits in the database, and a stop does not lose it', async () => {
    await begin()
    const first = world.start({ actions: dieBefore() })
    await world.work(first)
    await world.approve(first)
    await expect(world.work(first)).rejects.toThrow(Killed)
    await world.work(world.start())
    expect(world.platform.received.map(({ method }) => method)).toEqual(['GET'])
    await world.clock.advance(29_000)
    await world.work(world.start())
    expect(world.platform.received.map(({ method }) => method)).toEqual(['GET'])
    await world.clock.advance(1000)
    await world.work(world.start())
    expect(world.platform.received.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST'])
  })

  test('that had arrived when the process died is not sent again', async () => {
    await begin()
    expect(await walk(() => world.start({ actions: dieAfter() }))).toBe(1)
    await expectTheSameEnd()
  })

  const uncertain = async (actions: () => Actions, options: WorldOptions) => {
    await begin(options)
    await walk(() => world.start({ actions: actions() }))
    expect(world.platform.received.filter(({ method }) => method === 'POST').length).toBeLessThanOrEqual(1)
    expect(await world.db.selectFrom('action_runs').select('state').execute()).toEqual([{ state: 'uncertain' }])
    const told = await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'acted').execute()
    expect(told[0]?.text).toMatch(
      /^It is not certain whether this was carried out: .* It will not be sent again by itself\.$/,
    )
    expect(await world.state()).toBe('closed')
    expect(await ending()).toMatch(/ Perhaps done: .* What showed the trouble is back to normal\. It lasted /)
    const kept = await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'learned').execute()
    expect(kept).toEqual([{ text: 'Kept as a case; the cause is not confirmed.' }])
  }

  test('whose fate cannot be asked is told as uncertain, never sent again, and looked after', async () => {
    const [action] = (await makeWorld().then(async (w) => (await w.close(), w.config.actions))) ?? []
    const { check: _check, ...unchecked } = action ?? { check: undefined }
    await uncertain(dieBefore, { agent: { actions: [unchecked] } })
  })

  test('that was given up on while it may have left is looked after too', async () => {
    await begin()
    const first = world.start({ actions: dieAfter() })
    await world.work(first)
    await world.approve(first)
    await expect(world.work(first)).rejects.toThrow(Killed)
    const { db, clock, config } = world
    await giveUp({ db, clock, config, feed: createIncidentFeed() }, INCIDENT, 'it failed')
    const runs = () => db.selectFrom('action_runs').select('state').execute()
    expect(await runs()).toEqual([{ state: 'uncertain' }])
    await clock.advance(30_000)
    await world.work(world.start())
    expect(await runs()).toEqual([{ state: 'done' }])
    const entries = await listAudit(db, { tenant: 'default', subject: INCIDENT, kind: 'action.run', limit: 9 })
    expect(entries.map(({ body }) => body)).toMatchObject([
      { state: 'done' },
      { state: 'uncertain' },
      { state: 'intended' },
    ])
  })

  test('whose fate the other side does not know is told as uncertain', async () => {
    const confused = (request: { method: string }) => ({ status: request.method === 'POST' ? 200 : 503 })
    await uncertain(dieAfter, { platform: confused })
  })

  test('that the other side answers with a failure of its own is asked about later, and never sent again', async () => {
    await begin({ platform: (request) => ({ status: request.method === 'POST' ? 502 : 404 }) })
    const investigator = world.start()
    await world.work(investigator)
    await world.approve(investigator)
    await world.work(investigator)
    expect(await world.db.selectFrom('action_runs').select('state').execute()).toEqual([{ state: 'uncertain' }])
    await world.clock.advance(30_000)
    await world.work(investigator)
    await world.recover()
    world.source.mendAt(world.clock.now() - 8000)
    await world.work(investigator)
    await world.clock.advance(10_000)
    await world.work(investigator)
    expect(world.platform.received.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET'])
    expect(await world.db.selectFrom('action_runs').select(['state', 'verdict']).execute()).toEqual([
      { state: 'failed', verdict: null },
    ])
    const told = await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'reconciled').execute()
    expect(told).toEqual([{ text: 'Certain now: Roll inventory back to 7e10b was not carried out; it never arrived.' }])
    expect(await world.db.selectFrom('incidents').select('outcome').execute()).toEqual([{ outcome: 'recovered' }])
  })
})

const ending = async (): Promise<string | undefined> =>
  (await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'reported').execute())[0]?.text

test('a proposal that was refused by the other side is told as not carried out', async () => {
  await begin({ platform: (request) => ({ status: request.method === 'POST' ? 403 : 404, body: 'no' }) })
  const investigator = world.start()
  await world.work(investigator)
  await world.approve(investigator)
  await world.work(investigator)
  expect(await world.state()).toBe('watching')
  expect(await world.db.selectFrom('action_runs').select(['state', 'detail']).execute()).toEqual([
    { state: 'failed', detail: 'it was refused: 403 no' },
  ])
  expect(await ending()).toContain('Nothing was done by Midwatch.')
})

test.each([
  ['another value', { body: { to: 'something else' } }],
  ['another key', { headers: { authorization: 'Bearer other' } }],
  ['a value that nobody approved', { body: { to: '{unheard}' } }],
])('what was approved is what runs: a catalogue changed in between to %s carries nothing out', async (_name, more) => {
  await begin()
  const first = world.start()
  await world.work(first)
  await world.approve(first)
  const [action] = world.config.actions
  if (!action?.request) throw new Error('no action')
  const changed = { ...action, request: { ...action.request, ...more } as NonNullable<typeof action.request> }
  const second = world.start({ config: { ...world.config, actions: [changed] } })
  await world.work(second)
  expect(world.platform.received).toEqual([])
  expect(await world.db.selectFrom('action_runs').select(['state', 'detail']).execute()).toEqual([
    { state: 'failed', detail: 'roll-back-release was changed since it was approved' },
  ])
})

test('a proposal that cannot be compared with what was approved is not carried out', async () => {
  await begin()
  const investigator = world.start()
  await world.work(investigator)
  const { action } = await world.db.selectFrom('approvals').select('action').executeTakeFirstOrThrow()
  const { fingerprint: _fingerprint, ...bare } = JSON.parse(action) as Record<string, unknown>
  await world.db
    .updateTable('approvals')
    .set({ action: JSON.stringify(bare) })
    .execute()
  await world.approve(investigator)
  await world.work(investigator)
  expect(world.platform.received).toEqual([])
  expect(await world.db.selectFrom('action_runs').select(['state', 'detail']).execute()).toEqual([
    { state: 'failed', detail: 'roll-back-release cannot be compared with what was approved' },
  ])
})

describe('dying at any statement of the database', () => {
  /** A process whose n-th statement and all later ones fail: what is not committed by then never happens. */
  const mortal = (lives: number): KyselyPlugin & { readonly dead: () => boolean } => {
    let left = lives
    return {
      dead: () => left <= 0,
      transformQuery: ({ node }) => {
        if (--left <= 0) throw new Killed()
        return node
      },
      transformResult: async ({ result }) => result,
    }
  }

  // A sample of a few hundred places; primes, so that others are hit when a step gains or loses a statement.
  test.each([3, 23, 47, 73, 101, 127, 151, 181, 211, 241, 271, 293])('number %i', async (lives) => {
    await begin()
    const { start } = world
    let first = true
    world = {
      ...world,
      start: () => {
        const plugin = mortal(first ? lives : Number.POSITIVE_INFINITY)
        first = false
        const db = world.db.withPlugin(plugin)
        return start({ db, checkpointDb: db as unknown as Db<CheckpointTables> })
      },
      approve: async (investigator) => {
        const approvalId = await world.approvalId()
        const decision = {
          incidentId: INCIDENT,
          approvalId,
          tenant: 'default',
          by: 'Ada',
          decision: 'approve',
        } as const
        // She presses again when it failed under her hand.
        await investigator.decide(decision).catch(() => world.start().decide(decision))
      },
    }
    expect(await walk(() => world.start())).toBeLessThanOrEqual(1)
    // Told at least once, always under the same key, by which a receiver knows it again.
    const keys = [...new Set(world.webhook.received.map(({ headers }) => headers['idempotency-key']))]
    expect(keys).toHaveLength(4)
    world.webhook.received.splice(
      0,
      Number.POSITIVE_INFINITY,
      ...keys.map((key) => ({ headers: { 'idempotency-key': key } }) as never),
    )
    await expectTheSameEnd()
  })
})
