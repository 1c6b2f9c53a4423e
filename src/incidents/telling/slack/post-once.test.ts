import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configSchema } from '../../../config/schema.ts'
import { ManualClock } from '../../../core/clock.ts'
import type { Channel, News, Trace } from '../channel.ts'
import { INCIDENT_TOLD, makeNews, PROPOSAL } from '../testing/news.ts'
import { createSlackChannels } from './slack.ts'
import { BOT_TOKEN, type Fate, type SlackServer, startSlack } from './testing/slack-server.ts'

let slack: SlackServer
let clock: ManualClock
let channel: Channel
const never = new AbortController().signal

const channelsAs = (more: Record<string, unknown> = {}): Channel[] => {
  const given = {
    botToken: BOT_TOKEN,
    channel: '#oncall',
    apiUrl: slack.apiUrl,
    signingSecret: 'a'.repeat(32),
    ...more,
  }
  const { slack: config, status } = configSchema.parse({ agent: { notify: { slack: given } } }).agent.notify
  return config ? createSlackChannels(config, { ...status, clock }) : []
}
const only = (channels: readonly Channel[]): Channel => {
  const [first] = channels
  if (!first) throw new Error('no channel')
  return first
}

beforeEach(async () => {
  slack = await startSlack()
  clock = new ManualClock(1_790_000_060_000)
  channel = only(channelsAs())
})
afterEach(() => slack.close())

/** What is left of an incident between the tries, as the database keeps it. */
const memory: { trace: Trace | undefined } = { trace: undefined }
beforeEach(() => (memory.trace = undefined))
const newsOf = (parts: Parameters<typeof makeNews>[0] = {}): News => ({
  ...makeNews(parts).news,
  trace: memory.trace,
  leave: async (trace) => void (memory.trace = trace),
})
const textOf = (message: { blocks: readonly { text?: { text: string } }[] } | undefined): string =>
  (message?.blocks ?? []).map(({ text }) => text?.text ?? '').join('\n')

describe('an incident in Slack', () => {
  test('is one message that is brought up to date, with a thread of its steps', async () => {
    for (const kind of ['opened', 'diagnosed', 'closed'] as const) {
      const state = kind === 'closed' ? 'closed' : 'watching'
      await channel.tell(newsOf({ kind, incident: { state } }), never)
    }
    expect(slack.roots()).toHaveLength(1)
    expect(slack.replies().map(({ thread_ts }) => thread_ts)).toEqual(Array(3).fill(slack.roots()[0]?.ts))
    expect(slack.replies().map((one) => textOf(one).split(/[:*]+/)[1])).toEqual(['Opened', 'Diagnosed', 'Closed'])
    expect(JSON.stringify(slack.roots()[0]?.blocks)).toContain('closed')
    expect(memory.trace).toEqual({
      reference: 'C0ONCALL:1790000000.000001',
      title: '#oncall',
      url: 'https://acme.slack.com/archives/C0ONCALL/p1790000000000001',
    })
  })

  test('says the sentence first, then how bad it is as a word, and where the page is', async () => {
    await channel.tell(newsOf({ incident: { approval: PROPOSAL, state: 'awaiting_approval' } }), never)
    const [root] = slack.roots()
    expect(root?.text).toBe(`Critical, incident 7: ${INCIDENT_TOLD.sentence}`)
    expect(root?.blocks[0]?.text?.text).toBe(`*${INCIDENT_TOLD.sentence}*`)
    expect(JSON.stringify(root?.blocks[1])).toContain(':red_circle: Critical · incident 7 · storefront')
    expect(textOf(root)).toContain('• pool_in_use of inventory rose from 4 to 20 of 20')
    expect(textOf(root)).toContain('*Proposed: Roll inventory back to 7e10b*')
    expect(JSON.stringify(root?.blocks.at(-1))).toContain('<http://midwatch.example/incidents/inc_1|Open incident 7>')
  })

  test('never links, unfurls or calls people, whatever it quotes', async () => {
    const hostile = '<!channel> <@U1> <http://evil.example|x> & "evil.example" @here'
    const incident = {
      title: hostile,
      sentence: hostile,
      effect: hostile,
      evidence: [hostile],
      service: hostile,
      past: hostile,
    }
    await channel.tell(newsOf({ kind: 'opened', incident }), never)
    await channel.tell(
      newsOf({ kind: 'diagnosed', incident: { ...incident, approval: { ...PROPOSAL, title: hostile } } }),
      never,
    )
    for (const { blocks, text, asked } of slack.messages) {
      const links = JSON.stringify([blocks, text]).match(/<[^>]*>/g) ?? []
      expect(links.filter((link) => !link.startsWith('<http://midwatch.example/incidents/inc_1|'))).toEqual([])
      expect(asked).toMatchObject({ unfurl_links: 'false', unfurl_media: 'false', parse: 'none', link_names: 'false' })
      for (const block of blocks) if (block.type === 'section') expect(block.text?.verbatim).toBe(true)
    }
  })

  test('is split and clipped rather than refused', async () => {
    const long = '&<>é😀'.repeat(600)
    const evidence = Array.from({ length: 60 }, () => long)
    const incident = {
      sentence: long,
      effect: long,
      evidence,
      missing: evidence,
      past: long,
      service: long,
      title: long,
    }
    const approval = {
      ...PROPOSAL,
      title: long,
      expected: long,
      undo: long,
      touches: long,
      riskReasons: evidence,
      confirm: true,
    }
    for (const kind of ['opened', 'diagnosed', 'proposed'] as const)
      await channel.tell(
        newsOf({ kind, details: { approvalId: PROPOSAL.id }, incident: { ...incident, approval } }),
        never,
      )
    expect(
      slack.calls.filter(({ method }) => method.startsWith('chat.')).map(({ args }) => args['blocks']),
    ).not.toContain('[]')
    expect(slack.messages).toHaveLength(4)
    expect(JSON.stringify(slack.messages)).not.toMatch(/&(?!amp;|lt;|gt;)[a-z]{0,3}…|\\ud[89ab]..(?!\\ud)/)
  })

  test('is told as text alone where Slack finds it too long in spite of all', async () => {
    slack.fateOf = (_, { blocks = '[]' }) =>
      blocks === '[]' ? { kind: 'serve' } : { kind: 'answer', json: { ok: false, error: 'msg_blocks_too_long' } }
    await channel.tell(newsOf(), never)
    expect(slack.roots()[0]).toMatchObject({ blocks: [], text: `Critical, incident 7: ${INCIDENT_TOLD.sentence}` })
  })

  test('is posted anew when a person deleted the message', async () => {
    await channel.tell(newsOf({ kind: 'opened' }), never)
    slack.messages.length = 0
    await channel.tell(newsOf({ kind: 'diagnosed' }), never)
    expect(slack.roots()).toHaveLength(1)
    expect(memory.trace?.reference).toBe(`C0ONCALL:${slack.roots()[0]?.ts}`)
    expect(slack.replies()).toHaveLength(1)
  })

  test('says in its thread who was woken and who looks after it', async () => {
    const details = { team: 'checkout', step: 1, steps: 3, told: ['ada', '<!here>'], targets: [] }
    await channel.tell(newsOf({ kind: 'escalated', details }), never)
    await channel.tell(newsOf({ kind: 'acknowledged', details: { by: 'ada' } }), never)
    expect(slack.replies().map((one) => textOf(one).split('  _')[0])).toEqual([
      '*Escalated:* it goes to ada, here (checkout, step 1 of 3).',
      '*Acknowledged:* ada looks after it.',
    ])
  })

  test('has buttons only where answers can come back', async () => {
    const incident = { approval: PROPOSAL, state: 'awaiting_approval' } as const
    await only(channelsAs({ signingSecret: undefined })).tell(newsOf({ incident }), never)
    expect(JSON.stringify(slack.roots())).not.toContain('"button"')
    await channel.tell(newsOf({ kind: 'proposed', incident }), never)
    expect(JSON.stringify(slack.roots())).toContain('midwatch_approve')
  })

  test('goes where its route says', async () => {
    await channel.tell(newsOf({ to: '#status' }), never)
    await channel.tell(newsOf({ to: 'C0ONCALL', incident: { id: 'inc_2' } }), never)
    expect(slack.messages[0]?.channel).toBe('C0STATUS')
  })

  test('finds its channel on whichever page of the list it is', async () => {
    slack.pageSize = 1
    await channel.tell(newsOf(), never)
    expect(slack.calls.filter(({ method }) => method === 'conversations.list')).toHaveLength(3)
  })
})

/** As the queue does: again and again, each time with what was kept. Every try is a new process: it remembers nothing. */
async function tellUntilDone(parts: Parameters<typeof makeNews>[0], tries = 6): Promise<void> {
  for (let i = 0; i < tries; i++) {
    try {
      await only(channelsAs()).tell(newsOf(parts), never)
      return
    } catch {
      await clock.advance(60_000)
    }
  }
  throw new Error('it was never told')
}

const KINDS = ['opened', 'diagnosed'] as const
const tellAll = async (tell: (parts: Parameters<typeof makeNews>[0]) => Promise<unknown>) => {
  for (const kind of KINDS) await tell({ kind, incident: { id: 'inc_9' } })
}
const expectOnce = () => {
  expect(slack.roots()).toHaveLength(1)
  const steps = slack
    .replies()
    .map(({ metadata }) => (metadata as { event_payload: { step: string } }).event_payload.step)
  expect(steps).toEqual(KINDS)
}

describe('one message and one reply a step', () => {
  test.each(['cut-before', 'cut-after'] as const)('at every call that is %s', async (kind) => {
    await tellAll((parts) => channel.tell(newsOf(parts), never))
    const calls = slack.calls.length
    expect(calls).toBeGreaterThan(7)
    for (let dies = 0; dies < calls; dies++) {
      slack.messages.length = 0
      memory.trace = undefined
      let nth = 0
      slack.fateOf = () => (nth++ === dies ? { kind } : { kind: 'serve' })
      await tellAll(tellUntilDone)
      expectOnce()
    }
  })

  test('at every crash before, between and after our own writes', async () => {
    let writes = 0
    const dying = async (parts: Parameters<typeof makeNews>[0], dies: number, after: boolean) => {
      const news = newsOf(parts)
      const leave: News['leave'] = async (trace) => {
        const isNow = writes++ === dies
        if (isNow && !after) throw new Error('the process died')
        await news.leave(trace)
        if (isNow) throw new Error('the process died')
      }
      try {
        await only(channelsAs()).tell({ ...news, leave }, never)
      } catch {
        await tellUntilDone(parts)
      }
    }
    for (const after of [false, true])
      for (let dies = 0; dies < 3; dies++) {
        slack.messages.length = 0
        memory.trace = undefined
        writes = 0
        await tellAll((parts) => dying(parts, dies, after))
        expect(writes).toBeGreaterThan(dies)
        expectOnce()
      }
  })

  test('when the whole job is run again after it was done', async () => {
    await tellAll(async (parts) => {
      await channel.tell(newsOf(parts), never)
      await channel.tell(newsOf(parts), never)
    })
    expectOnce()
  })

  test('though others wrote a great many messages meanwhile, and one that looks like ours', async () => {
    slack.pageSize = 3
    slack.fateOf = (method) => ({ kind: method === 'chat.postMessage' ? 'cut-after' : 'serve' })
    await expect(channel.tell(newsOf({ kind: 'opened' }), never)).rejects.toThrow('Slack could not be reached')
    const [ours] = slack.messages
    if (!ours) throw new Error('nothing was posted')
    for (let i = 0; i < 10; i++)
      slack.messages.push({
        ...ours,
        ts: `1790000001.00000${i}`,
        ...(i === 4 ? { bot_id: 'B0OTHER' } : { metadata: undefined }),
      })
    slack.fateOf = () => ({ kind: 'serve' })
    await tellUntilDone({ kind: 'opened' })
    expect(memory.trace?.reference).toBe(`C0ONCALL:${ours.ts}`)
    expect(slack.roots()).toHaveLength(11)
  })
})

describe('what Slack does not take', () => {
  const answering = (error: string, more = {}): Fate => ({ kind: 'answer', json: { ok: false, error, ...more } })
  const failWith = (error: string, more = {}) => {
    slack.fateOf = (method) => (method === 'chat.postMessage' ? answering(error, more) : { kind: 'serve' })
  }

  test.each([
    ['not_in_channel', {}, 'Midwatch is not in #oncall. Write "/invite @midwatch" there.'],
    ['is_archived', {}, '#oncall is archived. Unarchive it'],
    ['invalid_auth', {}, 'Copy the "Bot User OAuth Token"'],
    ['token_revoked', {}, 'agent.notify.slack.botToken'],
    ['missing_scope', { needed: 'chat:write', provided: 'users:read' }, 'lacks the scope chat:write'],
    ['some_new_error', {}, 'Slack says some_new_error'],
  ])('%s is said with what to do', async (error, more, says) => {
    failWith(error, more)
    await expect(channel.tell(newsOf(), never)).rejects.toMatchObject({
      code: 'upstream',
      message: expect.stringContaining(says),
    })
  })

  test('a channel that is not there is said by its name', async () => {
    await expect(channel.tell(newsOf({ to: '#nowhere' }), never)).rejects.toThrow(
      'Midwatch can see no channel #nowhere',
    )
  })

  test('being too fast waits as long as Slack asks, there and not elsewhere', async () => {
    await channel.tell(newsOf({ kind: 'opened' }), never)
    slack.fateOf = (method, { channel: id }) =>
      method === 'chat.update' && id === 'C0ONCALL'
        ? { kind: 'answer', status: 429, headers: { 'retry-after': '30' }, json: { ok: false, error: 'ratelimited' } }
        : { kind: 'serve' }
    await expect(channel.tell(newsOf(), never)).rejects.toMatchObject({ code: 'limited', retryAfterSeconds: 30 })
    slack.fateOf = () => ({ kind: 'serve' })
    const { length } = slack.calls
    await expect(channel.tell(newsOf(), never)).rejects.toMatchObject({ code: 'limited', retryAfterSeconds: 30 })
    expect(slack.calls).toHaveLength(length)
    const elsewhere = makeNews({ to: '#status', incident: { id: 'inc_2' } }).news
    await channel.tell(elsewhere, never)
    await clock.advance(30_000)
    await channel.tell(newsOf(), never)
    expect(slack.replies()).toHaveLength(3)
  })

  test('a hung call ends with the stop of the process', async () => {
    const stop = new AbortController()
    slack.fateOf = (method) => {
      if (method === 'chat.postMessage') stop.abort(new Error('stopping'))
      return { kind: 'serve' }
    }
    await expect(channel.tell(newsOf(), stop.signal)).rejects.toThrow('stopping')
  })
})

test('people who are not engineers are told in a channel of their own, without what only engineers need', async () => {
  const [, status] = channelsAs({ statusChannel: '#status' })
  await status?.tell(newsOf({ kind: 'opened', incident: { state: 'investigating', effect: null } }), never)
  await status?.tell(
    newsOf({ kind: 'closed', incident: { state: 'closed', outcome: 'fixed', closedAt: 1_790_000_600_000 } }),
    never,
  )
  expect(slack.roots()).toHaveLength(1)
  const said = JSON.stringify(slack.messages)
  expect(textOf(slack.roots()[0])).toContain('it works again')
  expect(said).not.toMatch(/inventory|pool|7e10b|midwatch_approve|storefront/)
})
