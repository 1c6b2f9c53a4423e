// Whatever happens in whatever order: nothing runs twice, without its approvals, with other parameters, or after a stop, a
// refusal or its time. Random events are played against a real server that remembers how things stood when it was called.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createActions } from '../../../actions/actions.ts'
import { changesBody, storeChanges } from '../../changes.ts'
import type { Investigator } from '../investigator.ts'
import { platform } from '../testing/servers.ts'
import { actionConfig, INCIDENT, makeWorld } from '../testing/world.ts'
import { requestFor } from './request.ts'
import { resumeActing, stopActing } from './stop.ts'
import { actionOf } from '../approvals.ts'

class Killed extends Error {}

const EVENTS = [
  'Ada approves',
  'Bob approves',
  'Ada refuses',
  'stop',
  'resume',
  'the jobs run',
  'it dies before it sends',
  'it dies after it sent',
  'ten seconds pass',
  'its time runs out',
  'a deploy comes',
  'it gets worse',
  'the alerts end',
  'Ada asks to undo',
] as const
type Event = (typeof EVENTS)[number]

interface Called {
  readonly key: string
  readonly path: string
  readonly body: string
  readonly stopped: boolean
}

async function play(events: readonly Event[], twoPeople: boolean): Promise<void> {
  const called: Called[] = []
  let stopped = false
  const world = await makeWorld({
    platform: (request, all) => {
      const key = String(request.headers['idempotency-key'] ?? '')
      if (request.method === 'POST') called.push({ key, path: request.path, body: request.body, stopped })
      return platform(request, all)
    },
    actions: (url) => [
      { ...actionConfig(url), undo: { text: 'Deploy {to} again', request: { url: `${url}/again/{to}` } } },
    ],
    agent: { approval: { expiresSeconds: 600, policy: { twoFromRisk: twoPeople ? 0 : 9 } } },
  })
  const real = createActions()
  let dies: 'before' | 'after' | undefined
  const start = (): Investigator =>
    world.start({
      actions: {
        ...real,
        send: async (request, signal) => {
          const how = dies
          dies = undefined
          if (how === 'before') throw new Killed()
          const answer = await real.send(request, signal)
          if (how === 'after') throw new Killed()
          return answer
        },
      },
    })
  let investigator = start()
  const work = async (): Promise<void> => {
    try {
      await world.work(investigator)
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      investigator = start()
      await world.work(investigator)
    }
  }
  /** What people are told no to is no failure here. */
  const attempt = async (what: () => Promise<unknown>): Promise<void> => {
    await what().catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error)) throw error
    })
  }
  const decide = (by: string, decision: 'approve' | 'refuse') =>
    attempt(async () =>
      investigator.decide({
        incidentId: INCIDENT,
        approvalId: await world.approvalId(),
        tenant: 'default',
        decision,
        by,
        confirmed: true,
      }),
    )
  const at = () => ({ tenant: 'default', by: 'Grace', at: world.clock.now() })
  const happens: Readonly<Record<Event, () => Promise<unknown>>> = {
    'Ada approves': () => decide('Ada', 'approve'),
    'Bob approves': () => decide('Bob', 'approve'),
    'Ada refuses': () => decide('Ada', 'refuse'),
    stop: async () => {
      await stopActing(world.db, at())
      stopped = true
    },
    resume: () =>
      attempt(async () => {
        await resumeActing(world.db, at())
        stopped = false
      }),
    'the jobs run': work,
    'it dies before it sends': async () => {
      dies = 'before'
    },
    'it dies after it sent': async () => {
      dies = 'after'
    },
    'ten seconds pass': () => world.clock.advance(10_000),
    'its time runs out': () => world.clock.advance(600_000),
    'a deploy comes': () => {
      const now = world.clock.now()
      const change = { id: `d${now}`, at: now, service: 'inventory', kind: 'deploy', summary: 's', from: 'x', to: 'y' }
      return storeChanges(world.db, 'default', changesBody.parse({ changes: [change] }), now)
    },
    'it gets worse': async () => world.source.worsenAt(world.clock.now()),
    'the alerts end': () => world.recover(),
    'Ada asks to undo': () =>
      attempt(async () =>
        investigator.askForAction(
          {
            incidentId: INCIDENT,
            tenant: 'default',
            by: 'Ada',
            keyId: null,
            what: { kind: 'undo', approvalId: await world.approvalId() },
          },
          new AbortController().signal,
        ),
      ),
  }
  try {
    await work()
    for (const event of events) await happens[event]()
    for (let i = 0; i < 4; i++) {
      await work()
      await world.clock.advance(10_000)
    }
    await work()

    const keys = called.map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
    expect(called.filter((call) => call.stopped)).toEqual([])
    const votes = await world.db.selectFrom('approval_votes').selectAll().execute()
    const needed = twoPeople ? 2 : 1
    for (const { key, path, body } of called) {
      const approval = await world.db
        .selectFrom('approvals')
        .selectAll()
        .where('id', '=', key)
        .executeTakeFirstOrThrow()
      const run = await world.db.selectFrom('action_runs').selectAll().where('id', '=', key).executeTakeFirstOrThrow()
      expect(approval.state).toBe('approved')
      const people = votes.filter((vote) => vote.approval_id === key).map((vote) => vote.person)
      expect(new Set(people).size).toBeGreaterThanOrEqual(needed)
      expect(people).not.toContain(approval.requested_by?.toLowerCase())
      expect(run.started_at).toBeLessThan(approval.expires_at)
      const { name, parameters } = actionOf(approval)
      const [entry] = world.config.actions
      if (!entry) throw new Error('no entry')
      if (name === entry.name) {
        const request = requestFor(entry, parameters, key)
        expect(request).toMatchObject({ url: `${world.platform.url}${path}`, body: JSON.parse(body) })
      } else expect([name, path]).toEqual([`${entry.name}/undo`, '/again/8f2c1'])
    }
  } finally {
    await world.close()
  }
}

test(
  'no order of events runs an action twice, unapproved, changed, stopped, refused or too late',
  { timeout: 120_000 },
  async () => {
    const likely = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom<Event>('the jobs run', 'Ada approves', 'Bob approves', 'ten seconds pass'),
      },
      { weight: 2, arbitrary: fc.constantFrom(...EVENTS) },
    )
    await fc.assert(fc.asyncProperty(fc.array(likely, { minLength: 3, maxLength: 10 }), fc.boolean(), play), {
      numRuns: 12,
      endOnFailure: true,
    })
  },
)

test.each<[string, readonly Event[]]>([
  ['stopped between the approval and the act', ['Ada approves', 'stop', 'the jobs run', 'resume', 'the jobs run']],
  [
    'stopped after a death before it was sent',
    [
      'Ada approves',
      'it dies before it sends',
      'the jobs run',
      'stop',
      'ten seconds pass',
      'ten seconds pass',
      'ten seconds pass',
    ],
  ],
  [
    'dead after it was sent',
    ['Ada approves', 'it dies after it sent', 'the jobs run', 'ten seconds pass', 'the jobs run'],
  ],
  [
    'out of time after a death',
    ['Ada approves', 'it dies before it sends', 'the jobs run', 'its time runs out', 'the jobs run'],
  ],
])('neither does one that is known to be nasty: %s', async (_name, events) => {
  await play(events, false)
})
