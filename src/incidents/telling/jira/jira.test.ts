import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { Secret } from '../../../core/secret.ts'
import { type JiraServer, serveJira } from '../testing/jira-server.ts'
import { makeNews } from '../testing/news.ts'
import { type AdfNode, toAdf } from './adf.ts'
import { createJira, type JiraOptions } from './jira.ts'
import { priorityOf } from './priority.ts'
import { plainWiki } from './wiki.ts'

const never = new AbortController().signal
const AUTHORIZATION = `Basic ${Buffer.from('ada@example.com:token').toString('base64')}`
let server: JiraServer
afterEach(() => server?.close())

async function jira(options: Partial<JiraOptions> = {}) {
  server = await serveJira({ kind: 'cloud', authorization: AUTHORIZATION })
  return createJira({
    url: server.url,
    email: 'ada@example.com',
    token: new Secret('token'),
    project: 'OPS',
    type: 'task',
    on: 'diagnosed',
    labels: [],
    priorities: {},
    fields: {},
    transitions: {},
    ...options,
  })
}

describe('a Jira ticket', () => {
  test('is filed once the incident is worth one, with what Jira and its readers need', async () => {
    const channel = await jira({ labels: ['oncall'] })
    expect(await channel.tell(makeNews({ kind: 'opened' }).news, never)).toBeUndefined()
    expect(server.issues).toEqual([])
    const { news, traces } = makeNews({ kind: 'diagnosed' })
    expect(await channel.tell(news, never)).toBe('Filed OPS-1 in Jira.')
    expect(traces).toEqual([{ reference: '10001', title: 'OPS-1', url: `${server.url}/browse/OPS-1` }])
    expect(server.issues[0]).toMatchObject({
      fields: {
        summary: 'HighErrorRate on storefront',
        priority: { name: 'Highest' },
        labels: ['oncall', 'midwatch-inc_1'],
        description: { type: 'doc', version: 1 },
      },
      properties: { midwatch: { incident: 'inc_1', step: 'diagnosed' } },
    })
    expect(JSON.stringify(server.issues[0]?.fields)).toContain(
      '"href":"http://midwatch.example/incidents/inc_1#diagnosed"',
    )
  })

  test('is filed with the opening where that is wanted, and then told of the cause', async () => {
    const channel = await jira({ on: 'opened' })
    const { news, traces } = makeNews({ kind: 'opened', at: 1 })
    expect(await channel.tell(news, never)).toBe('Filed OPS-1 in Jira.')
    const [trace] = traces
    const diagnosed = makeNews({ kind: 'diagnosed', at: 2, ...(trace ? { trace } : {}) })
    expect(await channel.tell(diagnosed.news, never)).toBe('Added to OPS-1: diagnosed.')
    const late = makeNews({ kind: 'diagnosed', step: 'diagnosed:0', at: 0, ...(trace ? { trace } : {}) })
    expect(await channel.tell(late.news, never)).toBeUndefined()
    expect(server.issues[0]?.comments).toHaveLength(1)
  })

  test('is found by its label among others where the trace is lost, and by nothing else', async () => {
    const channel = await jira()
    for (const id of ['inc_7', 'inc_1', 'inc_9']) await channel.tell(makeNews({ incident: { id } }).news, never)
    const { news, traces } = makeNews({ kind: 'escalated', incident: { id: 'inc_1' } })
    expect(await channel.tell(news, never)).toBe('Added to OPS-2: escalated.')
    expect(traces[0]?.title).toBe('OPS-2')
    expect(server.issues).toHaveLength(3)
  })

  test('says which fields the project requires before anything is sent', async () => {
    const channel = await jira()
    server.extraFields.push({ fieldId: 'customfield_10010', name: 'Team', required: true, hasDefaultValue: false })
    await expect(channel.tell(makeNews().news, never)).rejects.toThrow(
      'The Jira project OPS requires Team (customfield_10010) for a Task: say it in agent.tickets.jira.fields.',
    )
    expect(server.asked.some(({ path, method }) => method === 'POST' && path.endsWith('/issue'))).toBe(false)
  })

  test('has the fields that the config adds, and repeats what Jira says against them', async () => {
    const channel = await jira({ fields: { customfield_10010: { value: 'Platform' } } })
    await expect(channel.tell(makeNews().news, never)).rejects.toThrow(
      "customfield_10010: Field 'customfield_10010' cannot be set. It is not on the appropriate screen, or unknown.",
    )
    server.extraFields.push({ fieldId: 'customfield_10010', name: 'Team', required: true, hasDefaultValue: false })
    expect(await channel.tell(makeNews().news, never)).toBe('Filed OPS-1 in Jira.')
  })

  test.each([
    [{ type: 'Incident' }, 'agent.tickets.jira.type can be Task, Bug.'],
    [
      { priorities: { critical: 'P0' } },
      'agent.tickets.jira.priorities.critical can be Highest, High, Medium, Low, Lowest.',
    ],
    [{ project: 'NOPE' }, "The value 'NOPE' does not exist for the field 'project'."],
    [{ token: new Secret('old') }, 'the e-mail address and API token of agent.tickets.jira are not accepted'],
  ] satisfies [Partial<JiraOptions>, string][])('with %j says what to change', async (options, sentence) => {
    const channel = await jira(options)
    await expect(channel.tell(makeNews().news, never)).rejects.toThrow(sentence)
    expect(server.issues).toEqual([])
  })

  test('without labels on its screen is not filed, for it could not be found again', async () => {
    const channel = await jira()
    server.hiddenFields.add('labels')
    await expect(channel.tell(makeNews().news, never)).rejects.toThrow('put the field Labels on its create screen')
  })

  test('goes to the project that the route names, and to no other text', async () => {
    const channel = await jira({ project: 'ELSE' })
    expect(await channel.tell(makeNews({ to: 'OPS' }).news, never)).toBe('Filed OPS-1 in Jira.')
    await expect(channel.tell(makeNews({ to: 'OPS" OR project = "HR' }).news, never)).rejects.toThrow('by its key')
  })

  test('is closed with its incident, by the status too, and opened again with it', async () => {
    const channel = await jira({ transitions: { closed: 'done' } })
    const { news, traces } = makeNews()
    await channel.tell(news, never)
    const [trace] = traces
    const about = trace ? { trace } : {}
    const over = { state: 'closed', outcome: 'fixed', closedAt: 1_790_000_900_000 } as const
    expect(await channel.tell(makeNews({ kind: 'closed', at: 2e12, ...about, incident: over }).news, never)).toBe(
      'Added to OPS-1: closed. OPS-1 is now Done.',
    )
    const again = makeNews({
      kind: 'opened',
      step: 'opened:2',
      at: 2e12,
      ...about,
      incident: { state: 'investigating' },
    })
    expect(await channel.tell(again.news, never)).toBe('Added to OPS-1: opened. OPS-1 is now To Do.')
    expect(server.issues[0]).toMatchObject({ status: 'To Do', comments: [{}, {}] })
  })

  test('stays where it is, and says so, where no such transition leads on', async () => {
    const channel = await jira({ transitions: { closed: 'Archive' } })
    const { news, traces } = makeNews()
    await channel.tell(news, never)
    const [trace] = traces
    const closed = makeNews({ kind: 'closed', at: 2e12, ...(trace ? { trace } : {}), incident: { state: 'closed' } })
    expect(await channel.tell(closed.news, never)).toContain(
      'OPS-1 stays where it is: no transition leads from there to "Archive"; there are "In Progress", "Resolve".',
    )
  })

  test('that was deleted is not filed again', async () => {
    const channel = await jira()
    const { news } = makeNews({ trace: { reference: '10099', title: 'OPS-99', url: null } })
    expect(await channel.tell(news, never)).toContain('OPS-99 is not in Jira any more')
    expect(server.issues).toEqual([])
  })
})

test('a priority is one that is there, by name or by its place', () => {
  const severities = ['critical', 'error', 'warning', 'info']
  const chosen = (real: string[]) => severities.map((severity) => priorityOf(severity, real, {}))
  expect(chosen(['Blocker', 'Major', 'Minor', 'Trivial'])).toEqual(['Blocker', 'Major', 'Minor', 'Trivial'])
  expect(chosen(['Red', 'Amber', 'Green'])).toEqual(['Red', 'Amber', 'Amber', 'Green'])
  expect(chosen([])).toEqual([undefined, undefined, undefined, undefined])
})

const outside = fc.stringMatching(/^[a-z@#[\](){}|!*_~^+\\&;:/.<>\n -]{0,40}$/)

test('nothing that somebody wrote begins anything in Jira’s wiki markup', () => {
  fc.assert(
    fc.property(outside, (text) => {
      const written = plainWiki(text)
      const left = written.replaceAll(/\\[^\\]/g, 'x').replaceAll(/&#\d+;/g, 'x')
      expect(left).not.toMatch(/[{}[\]*_+^~!|#?@\\\n]/)
      expect(left).not.toMatch(/(^|\s)-|-(\s|$)/)
    }),
  )
})

test('nothing that somebody wrote becomes more than text in a document', () => {
  const types = (node: AdfNode): string[] => [
    node.type,
    ...(node.marks ?? []).map(({ type }) => type),
    ...(node.content ?? []).flatMap(types),
  ]
  fc.assert(
    fc.property(outside, (text) => {
      const doc = toAdf([
        { kind: 'text', text },
        { kind: 'list', title: 'Facts', items: [text] },
      ])
      for (const type of types(doc))
        expect(['doc', 'paragraph', 'text', 'bulletList', 'listItem', 'strong']).toContain(type)
      expect(JSON.stringify(doc)).not.toContain('"text":""')
    }),
  )
})
