import { afterEach, describe, expect, test } from 'vitest'
import { changesBody, storeChanges } from '../../changes.ts'
import type { MetricSource } from '../../../core/telemetry.ts'
import type { Decision } from '../approvals.ts'
import type { Investigator } from '../investigator.ts'
import { platform } from '../testing/servers.ts'
import { actionConfig, INCIDENT, makeWorld, type World, type WorldOptions } from '../testing/world.ts'
import { listAudit } from '../../../audit/read.ts'
import { verifyAudit } from '../../../audit/verify.ts'
import { readRecords } from './record.ts'
import { resumeActing, stopActing } from './stop.ts'

let world: World
let investigator: Investigator
afterEach(() => world.close())

const begin = async (options: WorldOptions = {}) => {
  world = await makeWorld(options)
  investigator = world.start()
  await world.work(investigator)
}
const decide = async (more: Partial<Decision> = {}) =>
  await investigator.decide({
    incidentId: INCIDENT,
    approvalId: await world.approvalId(),
    tenant: 'default',
    decision: 'approve',
    by: 'Ada',
    confirmed: true,
    ...more,
  })
const go = async (seconds = 0) => {
  for (let i = 0; i <= seconds; i += 10) {
    if (i > 0) await world.clock.advance(10_000)
    await world.work(investigator)
  }
}
const posts = () => world.platform.received.filter(({ method }) => method === 'POST').map(({ path }) => path)
const approvals = () => world.db.selectFrom('approvals').selectAll().orderBy('requested_at').orderBy('id').execute()
const latest = async () => (await approvals()).at(-1)
const stop = (reason?: string) =>
  stopActing(world.db, { tenant: 'default', by: 'Grace', at: world.clock.now(), reason })
const resume = () => resumeActing(world.db, { tenant: 'default', by: 'Root', at: world.clock.now() })
const never = new AbortController().signal

describe('an action for which two people are needed', () => {
  const policy = { agent: { approval: { policy: { twoFromRisk: 3 } } } }

  test('waits after the first, and runs once after the second, another person', async () => {
    await begin(policy)
    expect(await decide({ by: 'Ada', keyId: 'key_1' })).toEqual({ needed: 1 })
    await go()
    expect(posts()).toEqual([])
    for (const same of [{ by: ' ADA ' }, { by: 'Someone', keyId: 'key_1' }])
      await expect(decide(same)).rejects.toMatchObject({ message: expect.stringContaining('Ada has approved it at') })
    expect(await decide({ by: 'Bob', keyId: 'key_2' })).toEqual({ needed: 0 })
    await go()
    expect(posts()).toEqual(['/services/inventory/rollback'])
    expect((await latest())?.decided_by).toBe('Ada and Bob')
  })

  test('is refused by one', async () => {
    await begin(policy)
    await decide({ by: 'Ada' })
    await decide({ by: 'Bob', decision: 'refuse', reason: 'not now' })
    await expect(decide({ by: 'Cleo' })).rejects.toMatchObject({
      message: expect.stringContaining('Bob has already refused'),
    })
    await go()
    expect(posts()).toEqual([])
  })

  test('still needs two when the policy became stricter after it was proposed', async () => {
    await begin()
    investigator = world.start({
      config: {
        ...world.config,
        approval: { ...world.config.approval, policy: { twoFromRisk: 0, undoByItself: false } },
      },
    })
    expect(await decide()).toEqual({ needed: 1 })
    await go()
    expect(posts()).toEqual([])
  })
})

describe('an action that the policy asks nobody for', () => {
  const policy = { agent: { approval: { policy: { nobodyUpToRisk: 9, twoFromRisk: 10 } } } }

  test('runs once by itself, and says by whose leave', async () => {
    await begin(policy)
    expect(posts()).toHaveLength(1)
    expect(await latest()).toMatchObject({ state: 'approved', decided_by: 'the policy' })
    expect(await world.events()).toEqual(expect.arrayContaining(['proposed', 'approved', 'acting', 'acted']))
  })

  test('waits for a person while acting is stopped', async () => {
    world = await makeWorld(policy)
    investigator = world.start()
    await stop()
    await go()
    expect(posts()).toEqual([])
    expect((await latest())?.state).toBe('pending')
    await resume()
    expect(await decide()).toEqual({ needed: 0 })
    await go()
    expect(posts()).toHaveLength(1)
  })
})

describe('the stop switch', () => {
  test('keeps approved actions from beginning, over restarts, and its reason is told', async () => {
    await begin()
    await decide()
    await stop('the deploy system is being mended')
    investigator = world.start()
    await go()
    expect(posts()).toEqual([])
    const reason = expect.stringMatching(/^acting was stopped at .* by Grace \(the deploy system is being mended\)\.$/)
    expect(await latest()).toMatchObject({ state: 'void', reason })
    expect(await world.state()).toBe('watching')
  })

  test('refuses approvals while it holds, and leaves the proposal as it is', async () => {
    await begin()
    await stop()
    await expect(decide()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('stopped') })
    expect((await latest())?.state).toBe('pending')
    await decide({ decision: 'refuse' })
    expect((await latest())?.state).toBe('refused')
  })

  test('is of one tenant, stands until somebody goes on, and going on without a stop is told', async () => {
    await begin()
    await stopActing(world.db, { tenant: 'other', by: 'X', at: 1 })
    await decide()
    await go()
    expect(posts()).toHaveLength(1)
    await expect(resume()).rejects.toMatchObject({ code: 'conflict' })
    const first = await stop('one')
    expect(await stop('two')).toEqual(first)
  })
})

describe('at the moment of acting', () => {
  test('a precondition that no longer holds makes the approval void, and says what is so instead', async () => {
    let version = '8f2c1'
    await begin({
      platform: (request, all) =>
        request.path === '/state'
          ? { status: 200, body: JSON.stringify({ release: { version } }) }
          : platform(request, all),
      actions: (url) => [
        {
          ...actionConfig(url),
          preconditions: [
            { kind: 'http', says: '{to} runs', url: `${url}/state`, field: 'release.version', equals: '{to}' },
          ],
        },
      ],
    })
    await decide()
    version = 'fixed'
    await go()
    expect(posts()).toEqual([])
    expect(await latest()).toMatchObject({
      state: 'void',
      reason: '“8f2c1 runs” does not hold (release.version is fixed, wanted 8f2c1).',
    })
  })

  test('a precondition that cannot be put in words any more makes the approval void', async () => {
    await begin()
    await decide()
    const [action] = world.config.actions
    if (!action) throw new Error('no action')
    const preconditions = [{ kind: 'promql', says: '{unheard} is there', query: 'up', is: '>', value: 0 }] as const
    investigator = world.start({
      config: { ...world.config, actions: [{ ...action, preconditions: [...preconditions] }] },
    })
    await go()
    expect(posts()).toEqual([])
    expect(await latest()).toMatchObject({
      state: 'void',
      reason: expect.stringContaining('nothing is known to fill {unheard} with'),
    })
  })

  test('numbers that are back already make it void, though alerts still fire', async () => {
    await begin()
    await decide()
    world.source.mendAt(world.clock.now())
    await world.clock.advance(60_000)
    await go()
    expect(posts()).toEqual([])
    expect((await latest())?.reason).toBe('the numbers that showed the trouble are back to normal already.')
  })

  test('a change that came after the approval makes it void', async () => {
    await begin()
    await decide()
    await world.clock.advance(1)
    const at = world.clock.now()
    const change = { id: 'fix', at, service: 'inventory', kind: 'deploy', summary: 'a fix' }
    await storeChanges(world.db, 'default', changesBody.parse({ changes: [change] }), at)
    await go()
    expect(posts()).toEqual([])
    expect((await latest())?.reason).toContain('deploy fix of inventory came after')
  })

  test('an approval whose time ran out before it could begin is void', async () => {
    await begin()
    await decide()
    await world.clock.advance(world.config.approval.expiresSeconds * 1000)
    await go()
    expect(posts()).toEqual([])
    expect((await latest())?.state).toBe('void')
  })
})

describe('preconditions', () => {
  const withPrecondition = (precondition: Record<string, unknown>, metrics?: readonly MetricSource[]) =>
    begin({
      actions: (url) => [{ ...actionConfig(url), preconditions: [{ says: 'it may', ...precondition }] }],
      ...(metrics === undefined ? {} : { metrics }),
    })
  const whyWatching = async () =>
    (await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'watching').executeTakeFirst())
      ?.text

  test.each([
    [{ kind: 'http', url: 'http://127.0.0.1:4/' }, 'does not hold'],
    [{ kind: 'promql', query: 'up', is: '>', value: 0 }, 'no source here speaks PromQL'],
  ])('that cannot be asked do not hold, and nothing is proposed: %j', async (precondition, expected) => {
    await withPrecondition(precondition)
    expect(await approvals()).toEqual([])
    expect(await whyWatching()).toContain(expected)
  })
})

describe('a person who asks for an action', () => {
  const scale = (url: string) => ({
    ...actionConfig(url),
    name: 'scale',
    does: 'scale',
    fits: [],
    title: 'Run {replicas} of {service}',
    undo: 'Scale back.',
    parameters: { replicas: { type: 'number', min: 2, max: 6 } },
    request: { url: `${url}/services/{service}/scale`, body: { to: '{replicas}' } },
  })
  const ask = (more: Record<string, unknown> = {}, by = 'Ada') =>
    investigator.askForAction(
      {
        incidentId: INCIDENT,
        tenant: 'default',
        by,
        keyId: null,
        what: { kind: 'action', name: 'scale', service: 'inventory', parameters: { replicas: '4' }, ...more } as never,
      },
      never,
    )

  test('gets a proposal in place of the one that waits, which somebody else has to approve, and which runs once', async () => {
    await begin({ actions: (url) => [actionConfig(url), scale(url)] })
    await world.clock.advance(1000)
    await ask()
    await go()
    expect((await approvals()).map(({ state, requested_by }) => [state, requested_by])).toEqual([
      ['void', null],
      ['pending', 'Ada'],
    ])
    await expect(decide({ by: 'ada' })).rejects.toMatchObject({
      message: 'Ada asked for this: somebody else has to approve it.',
    })
    await decide({ by: 'Bob' })
    await go()
    expect(world.platform.received.map(({ path, body }) => [path, body])).toEqual([
      ['/services/inventory/scale', '{"to":"4"}'],
    ])
    expect(await world.state()).toBe('verifying')
  })

  test.each([
    [{ parameters: { replicas: '9' } }, 'is not between 2 and 6'],
    [{ parameters: { replicas: '4.5' } }, 'is not a whole number'],
    [{ parameters: { replicas: '4; rm' } }, 'is not a number'],
    [{ parameters: {} }, 'has to be given by a person'],
    [{ parameters: { replicas: '4', to: 'x' } }, 'has no parameter to'],
    [{ service: 'nowhere' }, 'is not for nowhere'],
    [{ name: 'scael' }, 'No action is called scael'],
  ])('is told why not: %j', async (more, expected) => {
    await begin({ actions: (url) => [actionConfig(url), scale(url)] })
    await expect(ask(more)).rejects.toMatchObject({ message: expect.stringContaining(expected) })
    expect((await latest())?.state).toBe('pending')
  })

  test.each([
    ['a precondition', { preconditions: [{ kind: 'http', says: 'no {kind}', url: 'http://127.0.0.1:4/' }] }],
    ['the verification', { verify: { query: 'x{kind="{kind}"}', is: '>', value: 0 } }],
  ])('is told when %s speaks of the kind of a cause, which nobody has named', async (_where, more) => {
    await begin({ actions: (url) => [actionConfig(url), { ...scale(url), ...more }] })
    await expect(ask()).rejects.toMatchObject({
      code: 'conflict',
      message: 'It cannot be proposed: nothing is known to fill {kind} with.',
    })
  })

  test('gets the undo in words alone where what would take it back needs the kind of a cause', async () => {
    const back = (url: string) => ({ ...scale(url), name: 'scale-back', title: 'Scale {service} back after {kind}' })
    await begin({
      actions: (url) => [
        actionConfig(url),
        { ...scale(url), undo: { text: 'Scale back.', action: 'scale-back', parameters: { replicas: '2' } } },
        back(url),
      ],
    })
    await world.clock.advance(1000)
    await ask()
    const { action } = (await latest()) ?? { action: '{}' }
    expect(JSON.parse(action)).toMatchObject({ title: 'Run 4 of inventory', undo: 'Scale back.' })
    expect(JSON.parse(action)).not.toHaveProperty('undoWith')
  })

  test('can have an action taken back that was carried out, once', async () => {
    await begin({
      actions: (url) => [
        { ...actionConfig(url), undo: { text: 'Deploy {to} again', request: { url: `${url}/again/{to}` } } },
      ],
    })
    const approvalId = await world.approvalId()
    const undo = () =>
      investigator.askForAction(
        { incidentId: INCIDENT, tenant: 'default', by: 'Ada', keyId: null, what: { kind: 'undo', approvalId } },
        never,
      )
    await expect(undo()).rejects.toMatchObject({ message: expect.stringContaining('nothing to take back') })
    await decide({ by: 'Ada' })
    await go(80)
    expect(await world.state()).toBe('watching')
    await undo()
    await decide({ by: 'Bob' })
    await go()
    expect(posts()).toEqual(['/services/inventory/rollback', '/again/8f2c1'])
    await go(80)
    await expect(undo()).rejects.toMatchObject({ message: 'It was taken back already.' })
  })
})

test('an action rests after it was carried out: neither proposed nor carried out again before its time', async () => {
  await begin({ actions: (url) => [{ ...actionConfig(url), cooldownSeconds: 600 }] })
  await decide()
  await go(80)
  const again = { kind: 'action', name: 'roll-back-release', service: 'inventory', parameters: {} } as const
  const ask = () =>
    investigator.askForAction({ incidentId: INCIDENT, tenant: 'default', by: 'Ada', keyId: null, what: again }, never)
  await expect(ask()).rejects.toMatchObject({ message: expect.stringContaining('rests until') })
  await world.clock.advance(600_000)
  await ask()
  expect((await latest())?.state).toBe('pending')
})

describe('an action that made things worse', () => {
  const undoable = (url: string) => [
    { ...actionConfig(url), undo: { text: 'Deploy {to} again', request: { url: `${url}/again/{to}` } } },
  ]
  /** Everything is three times as far from its usual level from now on. */
  const getWorse = () => world.source.worsenAt(world.clock.now())

  test('is taken back by an action of its own that waits for a person, and runs once', async () => {
    await begin({ actions: undoable })
    await decide()
    await go()
    getWorse()
    await go(60)
    expect(await world.state()).toBe('awaiting_approval')
    const [first, second] = await approvals()
    expect(second).toMatchObject({ undo_of: first?.id, state: 'pending' })
    expect(posts()).toHaveLength(1)
    await decide({ by: 'Bob', approvalId: second?.id ?? '' })
    await go()
    expect(posts()).toEqual(['/services/inventory/rollback', '/again/8f2c1'])
    expect(await world.db.selectFrom('action_runs').select('verdict').orderBy('started_at').execute()).toEqual([
      { verdict: 'worse' },
      { verdict: null },
    ])
    const told = await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'verified').execute()
    expect(told[0]?.text).toMatch(/^It made things worse: the numbers are further from normal than before/)
  })

  test.each([
    ['when who approved it named that', {}, { undoIfWorse: true }, 'Ada'],
    ['when the policy says so', { approval: { policy: { undoByItself: true } } }, {}, 'the policy'],
  ])('is taken back at once %s', async (_when, agent, decision, by) => {
    await begin({ actions: undoable, agent })
    await decide(decision)
    await go()
    getWorse()
    await go(60)
    expect(posts()).toEqual(['/services/inventory/rollback', '/again/8f2c1'])
    expect(await latest()).toMatchObject({ state: 'approved', decided_by: by })
    // The trouble that was there before is still there: its alerts end, and nobody says that we fixed it.
    world.source.mendAt(world.clock.now())
    await world.recover()
    await go(20)
    expect(await world.db.selectFrom('incidents').select(['state', 'outcome']).execute()).toEqual([
      { state: 'closed', outcome: 'recovered' },
    ])
  })

  test.each([
    ['both', [true, true], ['/services/inventory/rollback', '/again/8f2c1'], 'approved'],
    ['only the first', [true, false], ['/services/inventory/rollback'], 'pending'],
    ['only the second', [false, true], ['/services/inventory/rollback'], 'pending'],
  ])(
    'and for which two people were needed is taken back at once if %s named that',
    async (_who, named, sent, state) => {
      await begin({ actions: undoable, agent: { approval: { policy: { twoFromRisk: 3 } } } })
      const [ada, bob] = named
      await decide({ by: 'Ada', ...(ada ? { undoIfWorse: true } : {}) })
      await decide({ by: 'Bob', ...(bob ? { undoIfWorse: true } : {}) })
      await go()
      getWorse()
      await go(60)
      expect(posts()).toEqual(sent)
      expect((await latest())?.state).toBe(state)
      const told = await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'approved').execute()
      expect(told.filter(({ text }) => text.includes('It is taken back if it makes things worse.'))).toHaveLength(
        ada && bob ? 1 : 0,
      )
    },
  )

  test('is not taken back at once while acting is stopped', async () => {
    await begin({ actions: undoable })
    await decide({ undoIfWorse: true })
    await go()
    await stop()
    getWorse()
    await go(60)
    expect(posts()).toHaveLength(1)
    expect((await latest())?.state).toBe('pending')
  })

  test('says how to take it back where only words do, and cannot be approved to be taken back', async () => {
    await begin()
    await expect(decide({ undoIfWorse: true })).rejects.toMatchObject({ field: 'undoIfWorse' })
    await decide()
    await go()
    getWorse()
    await go(60)
    const told = await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'verified').execute()
    expect(told[0]?.text).toContain('To undo it: Deploy 8f2c1 again.')
    expect(await approvals()).toHaveLength(1)
  })
})

describe('a dry run', () => {
  test('shows what would be sent without its secrets, asks the preconditions, and sends the trial alone', async () => {
    await begin({
      actions: (url) => [
        {
          ...actionConfig(url),
          preconditions: [{ kind: 'http', says: 'it is there', url: `${url}/runs/x`, status: 404 }],
          dryRun: { url: `${url}/services/{service}/rollback?dry=1`, body: { to: '{from}' } },
        },
      ],
    })
    const approvalId = await world.approvalId()
    const found = await investigator.dryRun({ incidentId: INCIDENT, approvalId, tenant: 'default' }, never)
    expect(found).toEqual({
      would: {
        kind: 'http',
        method: 'POST',
        url: `${world.platform.url}/services/inventory/rollback`,
        headers: { authorization: '***' },
        body: { to: '7e10b', change: expect.any(String) },
      },
      preconditions: [{ says: 'it is there', holds: true, seen: 'answered 404' }],
      inTheWay: null,
      trial: { kind: 'done', detail: '200 done' },
    })
    expect(posts()).toEqual(['/services/inventory/rollback?dry=1'])
    await stop()
    const stopped = await investigator.dryRun({ incidentId: INCIDENT, approvalId, tenant: 'default' }, never)
    expect(stopped.inTheWay).toContain('acting was stopped')
    await expect(
      investigator.dryRun({ incidentId: INCIDENT, approvalId, tenant: 'other' }, never),
    ).rejects.toMatchObject({ code: 'not_found' })
  })
})

test('what is known of earlier runs is weighed into the risk, and told', async () => {
  await begin()
  await decide()
  await go()
  world.source.mendAt(world.clock.now())
  await go(20)
  await world.recover()
  await go(20)
  expect(await world.db.selectFrom('action_runs').select(['state', 'verdict']).execute()).toEqual([
    { state: 'done', verdict: 'fixed' },
  ])
  expect(await readRecords(world.db, 'default')).toEqual(
    new Map([['roll-back-release', { judged: 1, worked: 1, worse: 0 }]]),
  )
  expect(await readRecords(world.db, 'other')).toEqual(new Map())
})

describe('the audit log has', () => {
  const audited = async () =>
    (await listAudit(world.db, { tenant: 'default', subject: INCIDENT, limit: 500 }))
      .filter(({ kind }) => kind === 'approval.decided' || kind === 'action.run')
      .toReversed()
      .map(({ kind, actor, body }) => [kind, actor, (body as { state: string }).state])

  test('both people who approved an action, its run, and who stopped acting, in one whole chain', async () => {
    await begin({ agent: { approval: { policy: { twoFromRisk: 3 } } } })
    await decide({ by: 'Ada', keyId: 'key_1', reason: 'asked jane.doe@example.com' })
    await decide({ by: 'Bob', keyId: 'key_2' })
    await go()
    await stop('key password=hunter2secret9 leaked')
    await resume()
    expect(await audited()).toEqual([
      ['approval.decided', 'Ada', 'agreed'],
      ['approval.decided', 'Bob', 'approved'],
      ['action.run', 'agent', 'intended'],
      ['action.run', 'agent', 'done'],
    ])
    const all = await listAudit(world.db, { tenant: 'default', limit: 500 })
    expect(all.slice(0, 2).map(({ kind, actor }) => [kind, actor])).toEqual([
      ['acting.resumed', 'Root'],
      ['acting.stopped', 'Grace'],
    ])
    const { fingerprint } = JSON.parse((await latest())?.action ?? '{}') as { fingerprint: string }
    expect(all.find(({ actor }) => actor === 'Ada')?.body).toMatchObject({
      approval: await world.approvalId(),
      action: 'roll-back-release',
      keyId: 'key_1',
      reason: 'asked [email]',
      fingerprint,
    })
    expect(JSON.stringify(all)).not.toMatch(/jane\.doe|hunter2/)
    expect(await verifyAudit(world.db)).toMatchObject({ kind: 'whole' })
  })

  test('what nobody had to approve, as approved by the policy', async () => {
    await begin({ agent: { approval: { policy: { nobodyUpToRisk: 9, twoFromRisk: 10 } } } })
    expect((await audited())[0]).toEqual(['approval.decided', 'the policy', 'approved'])
  })

  test.each([
    ['refused', () => decide({ decision: 'refuse', by: 'Bob', reason: 'no' }), 'Bob'],
    [
      'expired',
      async () => {
        await world.clock.advance(world.config.approval.expiresSeconds * 1000)
        await world.db.updateTable('jobs').set({ state: 'done' }).where('kind', '!=', 'expire').execute()
        await go()
      },
      'agent',
    ],
    ['void', () => world.recover().then(() => go()), 'agent'],
  ])('a proposal that was %s', async (state, end, actor) => {
    await begin()
    await end()
    expect((await latest())?.state).toBe(state)
    expect(await audited()).toEqual([['approval.decided', actor, state]])
  })

  test('an approval that was void at the moment of acting', async () => {
    await begin()
    await decide()
    await stop()
    await go()
    expect((await audited()).at(-1)).toEqual(['approval.decided', 'agent', 'void'])
  })
})
