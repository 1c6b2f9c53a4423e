// What every channel promises, held against a server that speaks its real protocol: told once, wherever the connection breaks
// and whatever is forgotten in between; nobody waits for a hung peer; a refusal says what to do; no secret is told; and what a
// stranger wrote stays text.
import { afterEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { describeError } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import type { Channel, Trace } from './channel.ts'
import { createEmail } from './email/email.ts'
import { createGithub } from './github/github.ts'
import { createJira } from './jira/jira.ts'
import type { NewsKind } from './news.ts'
import { createPagerduty } from './pagerduty/pagerduty.ts'
import { serveGithub } from './testing/github-server.ts'
import { serveJira } from './testing/jira-server.ts'
import { serveMail } from './testing/mail-server.ts'
import { INCIDENT_TOLD, makeNews, PROPOSAL } from './testing/news.ts'
import { servePagerduty } from './testing/pagerduty-server.ts'
import { type Asked, type Fault, serveVendor, type VendorServer } from './testing/vendor-server.ts'
import type { ToldIncident } from './told-incident.ts'
import { createWebhook } from './webhook/webhook.ts'

const SECRET = 'c0ffee00c0ffee00c0ffee00c0ffee00'
const NOW = INCIDENT_TOLD.openedAt + 120_000
const never = new AbortController().signal

/** One channel before a server of its kind that has just been started. */
interface Bench {
  readonly channel: Channel
  /** Breaks the nth of all steps; returns how many there were. */
  breakAt(nth: number, how: How): void
  /** Of what was asked so far, all ways to break it that differ: what only reads breaks the same before and after. */
  readonly breaks: () => readonly (readonly [nth: number, how: How])[]
  /** What is there in the end, as people see it. */
  readonly seen: () => unknown
  /** What was written there of other people's text. */
  readonly written: () => string
  readonly http?: VendorServer
  close(): Promise<void>
}
type How = 'cut' | 'lost' | 'hang'

interface Kind {
  readonly name: string
  readonly make: (timeoutMs?: number) => Promise<Bench>
  /** What of other people's text would be more than text there. */
  readonly markup: RegExp
}

const overHttp = (server: VendorServer, channel: Channel, seen: () => unknown): Bench => ({
  channel,
  breakAt: (nth, kind) => {
    server.faultAt = (n): Fault | undefined => (n === nth ? { kind } : undefined)
  },
  breaks: () =>
    server.asked.flatMap(({ method }, nth): [number, How][] =>
      method === 'GET'
        ? [[nth, 'lost']]
        : [
            [nth, 'cut'],
            [nth, 'lost'],
          ],
    ),
  seen,
  // Titles and subjects have no markup anywhere.
  written: () =>
    server.asked
      .map(({ json }) =>
        JSON.stringify(json, (key, value: unknown) => (key === 'summary' || key === 'title' ? '' : value)),
      )
      .join('\n'),
  http: server,
  close: () => server.close(),
})

const jira =
  (kind: 'cloud' | 'server', lags = false) =>
  async (timeoutMs?: number): Promise<Bench> => {
    const email = 'oncall@example.com'
    const basic = Buffer.from(`${email}:${SECRET}`).toString('base64')
    const server = await serveJira({ kind, authorization: kind === 'cloud' ? `Basic ${basic}` : `Bearer ${SECRET}` })
    if (lags) server.indexed = 0
    const channel = createJira({
      url: server.url,
      ...(kind === 'cloud' ? { email } : {}),
      token: new Secret(SECRET),
      project: 'OPS',
      type: 'Task',
      on: 'diagnosed',
      labels: ['incident'],
      priorities: {},
      fields: {},
      transitions: { closed: 'Done' },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
    return overHttp(server, channel, () =>
      server.issues.map(({ key, status, comments, fields }) => ({
        key,
        status,
        comments: comments.length,
        labels: fields['labels'],
      })),
    )
  }

const github = async (timeoutMs?: number): Promise<Bench> => {
  const clock = new ManualClock(NOW)
  const place = { repository: 'octocat/Hello-World', token: SECRET, login: 'octocat' }
  const server = await serveGithub({ ...place, now: () => clock.now() })
  const channel = createGithub({
    url: server.url,
    credentials: { kind: 'token', token: new Secret(SECRET) },
    repository: 'octocat/Hello-World',
    on: 'diagnosed',
    labels: ['incident'],
    close: true,
    clock,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })
  return overHttp(server, channel, () =>
    server.issues.map(({ number, state, comments, labels }) => ({ number, state, comments: comments.length, labels })),
  )
}

const pagerduty = async (timeoutMs?: number): Promise<Bench> => {
  const server = await servePagerduty(SECRET)
  const options = { routingKey: new Secret(SECRET), routingKeys: {}, on: 'diagnosed' as const, acknowledge: true }
  const channel = createPagerduty({ url: server.url, ...options, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  return overHttp(server, channel, () => [...server.alerts].map(([key, { state, pages }]) => ({ key, state, pages })))
}

const email = async (timeoutMs?: number): Promise<Bench> => {
  const server = await serveMail()
  const channel = createEmail({
    host: '127.0.0.1',
    port: server.port,
    tls: 'none',
    from: 'Midwatch <midwatch@example.com>',
    to: ['ada@example.com', 'grace@example.com'],
    news: ['diagnosed', 'proposed', 'closed'],
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })
  const idOf = (raw: string) => /^Message-ID: (.*)$/im.exec(raw)?.[1]
  return {
    channel,
    breakAt: (nth, how) => {
      server.faultAt = (n) => (n === nth ? (how === 'hang' ? 'hang' : 'cut') : undefined)
    },
    breaks: () => server.steps.map((step, nth) => [nth, step === 'taken' ? 'lost' : 'cut']),
    // A letter that was taken may be sent again: it is the same one by its Message-ID, which is all that SMTP has.
    seen: () => [...new Set(server.mails.map(({ raw, to }) => `${idOf(raw)} ${to.join(' ')}`))],
    written: () => server.mails.map(({ raw }) => raw.slice(raw.indexOf('<!doctype html>'))).join('\n'),
    close: () => server.close(),
  }
}

const webhook = async (): Promise<Bench> => {
  const server = await serveVendor(() => ({ status: 204 }))
  const channel = createWebhook({ url: `${server.url}/hook`, secret: new Secret(SECRET) })
  // What may arrive twice is known by its key.
  return overHttp(server, channel, () => [...new Set(server.asked.map(({ headers }) => headers['idempotency-key']))])
}

const KINDS: readonly Kind[] = [
  {
    name: 'Jira, cloud, whose search knows of nothing yet',
    make: jira('cloud', true),
    markup: /"type":"(mention|inlineCard|media\w*|emoji)"|"(href|url)":"http:\/\/evil/,
  },
  { name: 'Jira, Data Center', make: jira('server'), markup: /(?<!\\)(\[~|\{code|!http|\|http:\/\/evil)/ },
  {
    name: 'GitHub',
    make: github,
    markup: /@(?!<!-- -->)\w|(?<!\\)!\[|(?<!\\)\]\(http:\/\/evil|#(?!<!-- -->)\d/,
  },
  { name: 'PagerDuty', make: pagerduty, markup: /"href":"http:\/\/evil/ },
  { name: 'e-mail', make: email, markup: /<(img|script|a href=3D"http:\/\/evil)/ },
  { name: 'webhook', make: webhook, markup: /(?!)/ },
]

const open: Bench[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((bench) => bench.close()))
})
const start = async (kind: Kind, timeoutMs?: number): Promise<Bench> => {
  const bench = await kind.make(timeoutMs)
  open.push(bench)
  return bench
}

/** Three news of one incident, each told until it arrived, as the queue does; what is left is kept, or forgotten each time. */
async function tellAll({ channel }: Bench, options: { readonly forgets?: boolean } = {}): Promise<readonly unknown[]> {
  const errors: unknown[] = []
  let trace: Trace | undefined
  for (const [i, kind] of (['diagnosed', 'proposed', 'closed'] as const).entries()) {
    if (!channel.wants.has(kind)) continue
    for (let tries = 0; ; tries++) {
      const { news, traces } = newsOf(kind, i, trace)
      try {
        await channel.tell(news, never)
        if (!options.forgets) trace = traces[0] ?? trace
        break
      } catch (error) {
        trace = options.forgets ? undefined : (traces[0] ?? trace)
        errors.push(error)
        if (tries > 3) throw error
      }
    }
  }
  return errors
}

function newsOf(kind: NewsKind, i: number, trace?: Trace, incident: Partial<ToldIncident> = {}) {
  const closed = kind === 'closed' ? ({ state: 'closed', outcome: 'fixed', closedAt: NOW } as const) : {}
  const details = kind === 'proposed' ? { approvalId: PROPOSAL.id } : {}
  return makeNews({
    kind,
    details,
    at: NOW + i,
    ...(trace ? { trace } : {}),
    incident: { approval: PROPOSAL, ...closed, ...incident },
  })
}

describe.each(KINDS)('$name', (kind) => {
  test('tells once, wherever it breaks on the way there or back', async () => {
    const clean = await start(kind)
    await tellAll(clean)
    const wanted = clean.seen()
    expect(wanted).not.toEqual([])
    // Side by side, for a mail server takes its time to greet.
    await Promise.all(
      clean.breaks().map(async ([nth, how]) => {
        const bench = await start(kind)
        bench.breakAt(nth, how)
        const errors = await tellAll(bench)
        expect({ nth, how, seen: bench.seen() }).toEqual({ nth, how, seen: wanted })
        expect(errors, `step ${nth}`).toHaveLength(1)
      }),
    )
  })

  test('finds again what it left, where that was forgotten', async () => {
    const clean = await start(kind)
    await tellAll(clean)
    const bench = await start(kind)
    await tellAll(bench, { forgets: true })
    if (kind.name === 'e-mail') expect(bench.seen()).toHaveLength((clean.seen() as unknown[]).length)
    else expect(bench.seen()).toEqual(clean.seen())
  })

  test.skipIf(kind.name === 'webhook')('waits for no peer that hangs, and is right afterwards', async () => {
    const clean = await start(kind)
    await tellAll(clean)
    const bench = await start(kind, 150)
    bench.breakAt(0, 'hang')
    const errors = await tellAll(bench)
    expect(errors).toMatchObject([{ code: expect.stringMatching(/deadline|upstream/) }])
    expect(bench.seen()).toEqual(clean.seen())
  })

  test('stops where it is told to', async () => {
    const bench = await start(kind)
    bench.breakAt(0, 'hang')
    const stop = new AbortController()
    const telling = bench.channel.tell(newsOf('diagnosed', 0).news, stop.signal)
    setTimeout(() => stop.abort(new Error('stopping')), 20)
    await expect(telling).rejects.toThrow()
  })

  test.skipIf(kind.name === 'e-mail' || kind.name === 'webhook')(
    'says what to do when it is refused, and never a secret',
    async () => {
      for (const status of [301, 400, 401, 403, 404, 410, 422, 429, 500, 503]) {
        const bench = await start(kind)
        const echo = ({ headers, text }: Asked): string => JSON.stringify({ headers, text }).slice(0, 3000)
        const answer = (asked: Asked) => ({
          status,
          body: { message: echo(asked), errorMessages: [echo(asked)], errors: {} },
        })
        if (bench.http) bench.http.faultAt = () => ({ kind: 'answer', answer })
        const error = await bench.channel.tell(newsOf('diagnosed', 0).news, never).catch((thrown: unknown) => thrown)
        const said = describeError(error)
        expect(said).toMatch(/agent\.(tickets|notify)\.|asked again|in the config/)
        expect(said).not.toContain(SECRET)
        expect(said).not.toContain(Buffer.from(`oncall@example.com:${SECRET}`).toString('base64'))
        expect(error).toMatchObject(status === 429 ? { code: 'limited' } : { code: 'upstream' })
      }
    },
  )

  test.skipIf(kind.name === 'e-mail' || kind.name === 'webhook')('comes back when it was told to', async () => {
    const bench = await start(kind)
    const answer = () => ({ status: 429, headers: { 'retry-after': '37' } })
    if (bench.http) bench.http.faultAt = () => ({ kind: 'answer', answer })
    await expect(bench.channel.tell(newsOf('diagnosed', 0).news, never)).rejects.toMatchObject({
      retryAfterSeconds: 37,
    })
  })

  test.skipIf(kind.name === 'webhook')('is examined, and nobody is told anything', async () => {
    const bench = await start(kind)
    expect(await bench.channel.examine?.(never)).toMatch(
      /^(a Task can be filed in OPS|@octocat can read the issues|PagerDuty at .* takes the routing key|The mail server .* lets us in)/,
    )
    expect(bench.seen()).toEqual([])
    const { http } = bench
    if (http) http.faultAt = () => ({ kind: 'answer', answer: () => ({ status: 401 }) })
    // The first step was met above.
    else bench.breakAt(1, 'cut')
    const error = await bench.channel.examine?.(never).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'upstream' })
    expect(describeError(error)).toMatch(/agent\.(tickets|notify)\.|could not be reached/)
  })

  test('leaves as text what a stranger wrote', async () => {
    const attack =
      '@team [~admin] {code}x{code} ![x](http://evil.example/p.png) [a](http://evil.example) !http://evil.example/p.png! ' +
      '[a|http://evil.example] <img src=http://evil.example> <script>x</script> #12 GH-12 \r\nBcc: eve@evil.example\r\n\r\n# Heading'
    const bench = await start(kind)
    const incident = {
      title: attack,
      sentence: attack,
      evidence: [attack, ''],
      missing: [attack],
      effect: attack,
      past: attack,
    }
    const { news } = newsOf('diagnosed', 0, undefined, incident)
    await bench.channel.tell(news, never)
    const { news: later } = newsOf('closed', 2, undefined, incident)
    await bench.channel.tell(later, never)
    expect(bench.seen()).not.toEqual([])
    expect(kind.markup.exec(bench.written())).toBeNull()
  })

  test('tells nothing that is over, and closes nothing that began again', async () => {
    const bench = await start(kind)
    const { news, traces } = newsOf('diagnosed', 0)
    await bench.channel.tell(news, never)
    const before = JSON.stringify(bench.seen())
    const again = makeNews({
      kind: 'closed',
      at: NOW,
      ...(traces[0] ? { trace: traces[0] } : {}),
      incident: { state: 'investigating' },
    })
    await bench.channel.tell(again.news, never)
    expect(JSON.stringify(bench.seen())).not.toMatch(/Done|"closed"|resolved/)
    expect(before).not.toBe('[]')
  })
})
