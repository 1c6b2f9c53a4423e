import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AuditTables } from '../../../audit/tables.ts'
import { configSchema } from '../../../config/schema.ts'
import type { SlackConfig } from '../../../config/slack-schema.ts'
import type { Caller } from '../../../core/caller.ts'
import { systemClock } from '../../../core/clock.ts'
import type { Db } from '../../../db/connect.ts'
import { slackRoutes } from '../../../http/routes/slack.ts'
import { type RunningServer, startServer } from '../../../http/server.ts'
import { silentLog } from '../../../observe/log.ts'
import { createIncidentFeed } from '../../feed.ts'
import type { Investigator } from '../../investigation/investigator.ts'
import { INCIDENT, makeWorld, type World } from '../../investigation/testing/world.ts'
import { createSlackDoor, type SlackDoor } from './door.ts'
import { createSlackChannels } from './slack.ts'
import {
  answered,
  type Payload,
  pressed,
  type SendOptions,
  sendSigned,
  sendSignedBody,
  SIGNING_SECRET,
} from './testing/payloads.ts'
import { APP_TOKEN, BOT_TOKEN, type SentElement, type SlackServer, startSlack, TEAM } from './testing/slack-server.ts'

let slack: SlackServer
let world: World
let investigator: Investigator
let door: SlackDoor | undefined
let server: RunningServer | undefined
const keys: Caller[] = []
const PEOPLE = { U0ADAX: 'ada', U0READ: 'reader', U0GONE: 'gone', 'grace@example.com': 'grace' }

const configOf = (more: Record<string, unknown>): SlackConfig => {
  const given = { botToken: BOT_TOKEN, channel: '#oncall', apiUrl: slack.apiUrl, people: PEOPLE, ...more }
  const { slack: config } = configSchema.parse({ agent: { notify: { slack: given } } }).agent.notify
  if (!config) throw new Error('no slack')
  return config
}

async function open(
  more: Record<string, unknown> = { signingSecret: SIGNING_SECRET },
  worldOptions: Parameters<typeof makeWorld>[0] = {},
): Promise<void> {
  const config = configOf(more)
  world = await makeWorld({ channels: createSlackChannels(config, { names: {} }), ...worldOptions })
  investigator = world.start()
  await world.work(investigator)
  door = createSlackDoor({
    config,
    db: world.db,
    investigator,
    findCaller: async (tenant, name) => keys.find((key) => key.tenant === tenant && key.name === name),
    feed: createIncidentFeed(),
    clock: systemClock,
    log: silentLog(),
  })
  const routes = door?.handle ? slackRoutes({ handle: door.handle }) : []
  const identify = () => Promise.reject(new Error('no key is asked for'))
  server = await startServer(
    { routes, identify, publicUrl: undefined, keyless: false, log: silentLog() },
    '127.0.0.1',
    0,
  )
  door?.start()
}

const MAY = ['incidents:read', 'incidents:approve'] as const
const POLL = { interval: 5 }

beforeEach(() => {
  keys.length = 0
  keys.push(
    { tenant: 'default', keyId: 'key_1', name: 'ada', scopes: MAY },
    { tenant: 'default', keyId: 'key_2', name: 'grace', scopes: MAY },
    { tenant: 'default', keyId: 'key_3', name: 'reader', scopes: ['incidents:read'] },
    { tenant: 'other', keyId: 'key_4', name: 'gone', scopes: MAY },
  )
})
const closeAll = async (): Promise<void> => {
  await server?.stop(1000)
  await door?.stop()
  await world.close()
  await slack.close()
}

const message = () => {
  const [root] = slack.roots()
  if (!root) throw new Error('no message')
  return root
}
const buttons = () => message().blocks.flatMap(({ type, elements = [] }) => (type === 'actions' ? elements : []))
const button = (action: string): SentElement => {
  const found = buttons().find(({ action_id }) => action_id === `midwatch_${action}`)
  if (!found) throw new Error(`no button ${action}`)
  return found
}
const send = (payload: Payload, options?: SendOptions) =>
  sendSigned(`http://127.0.0.1:${server?.port}/v1/slack/events`, payload, options)
/** What the presser is told, which comes after the request is answered. */
const press = async (action: string, who: Parameters<typeof pressed>[3] = {}) => {
  const { length } = slack.whispers
  const { status } = await send(pressed(slack, message(), button(action), who))
  expect(status).toBe(200)
  await expect.poll(() => slack.whispers.length, POLL).toBeGreaterThan(length)
  return slack.whispers.at(-1)
}
const approval = () =>
  world.db
    .selectFrom('approvals')
    .select(['state', 'decided_by', 'reason'])
    .orderBy('requested_at', 'desc')
    .executeTakeFirst()

describe('an answer that does not count', () => {
  // None of these changes anything: they share an incident.
  beforeAll(async () => {
    slack = await startSlack()
    await open()
  })
  afterEach(async () => expect(await approval()).toMatchObject({ state: 'pending' }))
  afterAll(closeAll)

  test.each([
    ['U0STRANGER', 'Midwatch does not know you.'],
    ['U0READ', 'reader lacks the scope incidents:approve'],
    ['U0GONE', "There is no API key called gone in this incident's tenant"],
  ])('and may not, is told so alone: %s', async (user, says) => {
    for (const action of ['approve', 'refuse', 'dry_run', 'acknowledge'])
      expect(await press(action, { user })).toContain(says)
    expect(slack.views).toEqual([])
    expect(slack.messages).toHaveLength(4)
  })

  test('is known by e-mail where Slack vouches for it', async () => {
    slack.users.set('U0GRACE', {
      id: 'U0GRACE',
      team_id: TEAM,
      profile: { email: 'Grace@example.com' },
      is_email_confirmed: true,
    })
    slack.users.set('U0FAKE', {
      id: 'U0FAKE',
      team_id: TEAM,
      profile: { email: 'grace@example.com' },
      is_email_confirmed: false,
    })
    slack.users.set('U0GUEST', {
      id: 'U0GUEST',
      team_id: TEAM,
      profile: { email: 'grace@example.com' },
      is_restricted: true,
    })
    for (const user of ['U0FAKE', 'U0GUEST', 'U0NOBODY']) await press('approve', { user })
    expect(await approval()).toMatchObject({ state: 'pending' })
    expect(await press('dry_run', { user: 'U0GRACE' })).toContain('It would send')
  })

  test('a request that is unsigned, wrongly signed, old or of the future does nothing', async () => {
    const payload = pressed(slack, message(), button('approve'))
    const refused: SendOptions[] = [
      { secret: '0'.repeat(32) },
      { ageSeconds: 400 },
      { ageSeconds: -400 },
      { headers: { 'x-slack-signature': '' } },
      { headers: { 'x-slack-signature': 'v1=abc' } },
      { headers: { 'x-slack-request-timestamp': 'soon' } },
    ]
    for (const options of refused) expect((await send(payload, options)).status).toBe(401)
    expect(await approval()).toMatchObject({ state: 'pending' })
  })

  test.each(['null', '1', '"x"', '{', ''])(
    'a signed body that says %j is refused, and the next is taken',
    async (body) => {
      const url = `http://127.0.0.1:${server?.port}/v1/slack/events`
      for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
        const text = type === 'application/json' ? body : `payload=${encodeURIComponent(body)}`
        expect((await sendSignedBody(url, text, type)).status).toBe(400)
      }
      expect((await send({ type: 'url_verification', challenge: 'x' })).status).toBe(200)
    },
  )

  test('another workspace, a guest of a shared channel, a forged id and an old message do nothing', async () => {
    const approve = button('approve')
    const root = message()
    const before = slack.whispers.length
    const value = (more: object) => ({
      ...approve,
      value: JSON.stringify({ ...JSON.parse(approve.value ?? '{}'), ...more }),
    })
    await send(pressed(slack, root, approve, { team: 'T0OTHER' }))
    await send(pressed(slack, root, approve, { userTeam: 'T0OTHER' }))
    await send(pressed(slack, root, value({ incident: 'inc_other' })))
    await send(pressed(slack, root, value({ approval: 'apr_other' })))
    await send(pressed(slack, root, { ...approve, value: 'x' }))
    await send(pressed(slack, { ...root, ts: '1700000000.000001' }, approve))
    await send(pressed(slack, root, value({ confirmed: 'yes' })))
    await expect.poll(() => slack.whispers.length, POLL).toBe(before + 6)
    expect(slack.whispers.slice(before).join('\n')).toMatch(/workspace.*\n.*not the one.*\n.*no such approval/)
  })

  test('an answer is sent to Slack and nowhere else', async () => {
    const { length } = slack.whispers
    await send({
      ...pressed(slack, message(), button('acknowledge')),
      response_url: `http://127.0.0.1:${server?.port}/x`,
    })
    await press('dry_run')
    expect(slack.whispers).toHaveLength(length + 1)
  })

  test("is not Slack's question whether the address is ours, which is answered", async () => {
    expect(await send({ type: 'url_verification', token: 'x', challenge: '3eZbrw1a' })).toMatchObject({
      status: 200,
      text: JSON.stringify({ challenge: '3eZbrw1a' }),
    })
  })
})

describe('who presses a button', () => {
  beforeEach(async () => {
    slack = await startSlack()
  })
  afterEach(closeAll)

  test('approves in their own name, as on the page, and the buttons vanish', async () => {
    await open()
    expect(buttons().map(({ action_id }) => action_id)).toContain('midwatch_approve')
    expect(await press('approve')).toBe('Approved.')
    expect(await approval()).toMatchObject({ state: 'approved', decided_by: 'ada' })
    const { body, actor } = await (world.db as unknown as Db<AuditTables>)
      .selectFrom('audit_log')
      .select(['body', 'actor'])
      .where('kind', '=', 'approval.decided')
      .executeTakeFirstOrThrow()
    expect([actor, JSON.parse(body)]).toMatchObject(['ada', { state: 'approved', keyId: 'key_1' }])
    await world.work(investigator)
    expect(buttons().map(({ action_id }) => action_id)).toEqual(['midwatch_acknowledge'])
    expect(JSON.stringify(message().blocks)).toContain('Approved by ada.')
  })

  test('refuses with a reason', async () => {
    await open()
    await send(pressed(slack, message(), button('refuse')))
    await expect.poll(() => slack.views.length, POLL).toBe(1)
    const { text } = await send(answered(slack, { reason: 'Not during the sale.' }))
    expect(text).toBe('')
    expect(await approval()).toMatchObject({ state: 'refused', decided_by: 'ada', reason: 'Not during the sale.' })
    // It can be sent again by anybody who was asked; the answer stands in the question.
    expect((await send(answered(slack, { reason: 'Again.' }))).text).toContain('ada has already refused it')
    expect((await send(answered(slack, { reason: 'x' }, 'U0STRANGER'))).text).toContain('does not know you')
  })

  test('sees what would happen, looks after it, and can say whether the diagnosis was right', async () => {
    await open()
    expect(await press('dry_run')).toMatch(/^It would send POST .*rollback with to: 7e10b/)
    expect(await press('acknowledge')).toBe('The others see now that you look after it.')
    expect(await press('acknowledge')).toContain('see already')
    await world.recover()
    await world.work(investigator)
    expect(buttons().map(({ action_id }) => action_id)).toEqual(['midwatch_right', 'midwatch_wrong'])
    const right = pressed(slack, message(), button('right'))
    // However often it is sent.
    for (let i = 0; i < 3; i++) await send(right)
    await expect.poll(() => slack.whispers.at(-1), POLL).toContain('Thank you')
    await send(pressed(slack, message(), button('wrong')))
    await expect.poll(() => slack.views.length, POLL).toBe(1)
    await send(answered(slack, { service: 'payment', text: 'It was the bank.' }))
    const said = await world.db
      .selectFrom('feedback')
      .select(['by', 'verdict', 'service', 'text'])
      .orderBy('verdict')
      .execute()
    expect(said).toEqual([
      { by: 'ada', verdict: 'right', service: null, text: null },
      { by: 'ada', verdict: 'wrong', service: 'payment', text: 'It was the bank.' },
    ])
  })

  test('needs the second act where the risk asks for it, and another person where it asks for two', async () => {
    await open(undefined, { agent: { approval: { confirmFromRisk: 2, policy: { twoFromRisk: 2 } } } })
    expect(button('approve').confirm).toBeDefined()
    const bare = {
      ...button('approve'),
      value: JSON.stringify({ incident: INCIDENT, approval: await world.approvalId() }),
    }
    await send(pressed(slack, message(), bare))
    await expect.poll(() => slack.whispers.at(-1), POLL).toContain('"confirmed": true')
    expect(await press('approve')).toContain('One more person has to approve it')
    await world.work(investigator)
    expect(await press('approve')).toContain('another person has to approve it too')
    expect(JSON.stringify(message().blocks)).toContain('2 people have to approve it; ada did.')
    expect(await approval()).toMatchObject({ state: 'pending' })
  })

  test('of what was decided elsewhere the buttons vanish, and one that is still seen does nothing', async () => {
    await open()
    const payload = pressed(slack, message(), button('approve'))
    await investigator.decide({
      incidentId: INCIDENT,
      approvalId: await world.approvalId(),
      tenant: 'default',
      by: 'Eve',
      decision: 'refuse',
    })
    await world.work(investigator)
    expect(buttons().map(({ action_id }) => action_id)).toEqual(['midwatch_acknowledge'])
    await send(payload)
    await expect.poll(() => slack.whispers.at(-1), POLL).toContain('Eve has already refused it')
  })
})

describe('over a connection of ours', () => {
  beforeEach(async () => {
    slack = await startSlack()
  })
  afterEach(closeAll)

  test('the same answers count, each is acknowledged, and a connection that ends is made again', async () => {
    await open({ appToken: APP_TOKEN })
    await expect.poll(() => slack.sockets.length, POLL).toBe(1)
    const deliver = (id: string, payload: Payload) =>
      slack.sockets
        .at(-1)
        ?.send(JSON.stringify({ envelope_id: id, type: 'interactive', accepts_response_payload: true, payload }))
    deliver('env-1', pressed(slack, message(), button('acknowledge')))
    await expect.poll(() => slack.whispers.length, POLL).toBe(1)
    slack.sockets[0]?.send(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested' }))
    await expect.poll(() => slack.sockets.length, { timeout: 3000 }).toBe(2)
    await expect.poll(() => slack.calls.filter(({ method }) => method === 'apps.connections.open').length, POLL).toBe(2)
    const payload = pressed(slack, message(), button('approve'))
    deliver('env-2', payload)
    deliver('env-2', payload)
    await expect.poll(() => slack.whispers.at(-1), POLL).toBe('Approved.')
    expect(slack.whispers).toHaveLength(2)
    expect(slack.acks.map(({ envelope_id }) => envelope_id)).toEqual(['env-1', 'env-2', 'env-2'])
    expect(await approval()).toMatchObject({ state: 'approved', decided_by: 'ada' })
  })

  test('a token that Slack refuses ends nothing', async () => {
    await open({ appToken: 'xapp-wrong' })
    await expect.poll(() => slack.calls.filter(({ method }) => method === 'apps.connections.open').length, POLL).toBe(1)
    expect(slack.sockets).toEqual([])
  })
})
