// The story that every on-call engineer knows: three hosts of one region alert on their processors, shortly after a deploy,
// and the logs show what it broke. One incident, told with its evidence; a proposal with its risk; a ticket, and the right
// channel told; mended once it is approved, and a post-mortem that can be checked. The exporters, the log, the webhooks and
// the platform that takes the release back are real ones on loopback; Jira is a server that speaks its REST protocol.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { Counter, Histogram, Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { createAgentClient, waitFor } from '../../lab/agent-client.ts'
import { type Child, freePort, startChild } from '../../lab/child.ts'
import { type JiraServer, serveJira } from '../../src/incidents/telling/testing/jira-server.ts'
import type { IncidentView } from '../../src/incidents/view.ts'

const ROOT = join(import.meta.dirname, '../..')
const REGION = 'eu-west-1'
const HOSTS = ['web-1', 'web-2', 'web-3']
const TICK_MS = 200
const CALM_MS = 15_000
const DEPLOY = { id: 'run-1841', from: '7e10b', to: '8f2c1', author: 'Jonas Ek' }

const folder = mkdtempSync(join(tmpdir(), 'midwatch-classic-'))
const logs = join(folder, 'logs')
const stops: (() => Promise<void>)[] = []
const startedMs = Date.now()
let url = ''
let incident: IncidentView
let told: Record<string, unknown>[] = []
let jira: JiraServer

/** One host of the service, with metrics of its own. */
function host() {
  const registry = new Registry()
  const registers = [registry]
  const cpu = new Counter({ name: 'process_cpu_seconds_total', help: 'Processor time used', registers })
  const requests = new Counter({ name: 'http_requests_total', help: 'Requests', labelNames: ['status'], registers })
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'How long requests took',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  })
  return { registry, cpu, requests, seconds }
}

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<string> {
  const server: Server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const hosts = HOSTS.map(host)
const rollbacks: string[] = []
let release = DEPLOY.from
let ticks = 0

const log = (level: string, msg: string): void =>
  appendFileSync(
    join(logs, 'pricing.log'),
    `${JSON.stringify({ time: new Date().toISOString(), service: 'pricing', level, msg })}\n`,
  )

/** The new release compiles every price rule for every request: three to four times the processor time. */
function work(): void {
  ticks++
  const bad = release === DEPLOY.to
  for (const [i, { cpu, requests, seconds }] of hosts.entries()) {
    const unrest = 1 + Math.sin(ticks / 3 + i) / 20
    cpu.inc((TICK_MS / 1000) * (bad ? 0.93 : 0.24) * unrest)
    for (let n = 0; n < 6; n++) {
      requests.inc({ status: '200' })
      seconds.observe((bad ? 0.07 : 0.03) * unrest)
    }
  }
  if (bad)
    log('warn', `price rule cache miss for rule ${1000 + (ticks % 50)}: compiled again in ${40 + (ticks % 9)} ms`)
  else if (ticks % 5 === 0) log('info', `quoted ${100 + ticks} prices`)
}

async function post(path: string, json: unknown): Promise<number> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(json),
  })
  await response.text()
  return response.status
}

/** As Alertmanager sends it, grouped by region. */
const cpuAlerts = (status: 'firing' | 'resolved', startsAt: string) => ({
  version: '4',
  groupKey: `{}/{region="${REGION}"}:{alertname="HostHighCpu"}`,
  truncatedAlerts: 0,
  status,
  receiver: 'midwatch',
  groupLabels: { alertname: 'HostHighCpu', region: REGION },
  commonLabels: { alertname: 'HostHighCpu', region: REGION, severity: 'critical', service: 'pricing' },
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example:9093',
  alerts: HOSTS.map((name) => ({
    status,
    labels: {
      alertname: 'HostHighCpu',
      region: REGION,
      instance: `${name}:9100`,
      severity: 'critical',
      service: 'pricing',
    },
    annotations: { summary: `CPU of ${name} in ${REGION} is above 85 %` },
    startsAt,
    endsAt: status === 'firing' ? '0001-01-01T00:00:00Z' : new Date().toISOString(),
    generatorURL: 'http://prometheus.example:9090/graph',
  })),
})

beforeAll(async () => {
  mkdirSync(logs, { recursive: true })
  const exporters = await Promise.all(
    hosts.map(({ registry }) =>
      serve(async (_request, response) => {
        const body = await registry.metrics()
        response.writeHead(200, { 'content-type': registry.contentType }).end(body)
      }),
    ),
  )
  const platform = await serve(async (request, response) => {
    const body = JSON.parse(await text(request)) as { to?: string }
    rollbacks.push(String(request.headers['idempotency-key']))
    release = body.to ?? release
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  const channel = await serve(async (request, response) => {
    told.push(JSON.parse(await text(request)) as Record<string, unknown>)
    response.writeHead(200).end()
  })
  const jiraUser = { email: 'midwatch@example.com', token: 'jira-token' }
  const basic = Buffer.from(`${jiraUser.email}:${jiraUser.token}`).toString('base64')
  jira = await serveJira({ kind: 'cloud', authorization: `Basic ${basic}` })
  stops.push(() => jira.close())
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const config = {
    server: { port },
    data: join(folder, 'data'),
    auth: { mode: 'off' },
    agent: {
      sources: {
        scrape: {
          targets: exporters.map((at) => ({ service: 'pricing', url: `http://${at}/metrics` })),
          intervalSeconds: 1,
        },
        files: { paths: [logs] },
      },
      services: { pricing: { owner: 'team-pricing' } },
      folding: { groupWaitSeconds: 2 },
      diagnosis: { baselineSeconds: 120, stepSeconds: 2 },
      notify: { webhook: { url: `http://${channel}/hook` } },
      tickets: { jira: { url: jira.url, ...jiraUser, project: 'OPS', transitions: { closed: 'Done' } } },
      actions: [
        {
          name: 'roll-back',
          does: 'roll-back',
          services: ['pricing'],
          fits: ['cpu', 'bad_deploy'],
          title: 'Roll {service} back from {to} to {from}',
          expected: 'Processor time of {service} is back to where it was within a minute.',
          undo: 'Deploy {to} of {service} again.',
          risk: 3,
          request: { url: `http://${platform}/{service}/rollback`, body: { to: '{from}' } },
        },
      ],
      verify: { withinSeconds: 60, everySeconds: 1 },
    },
  }
  const file = join(folder, 'midwatch.yaml')
  writeFileSync(file, stringify(config))
  const load = setInterval(work, TICK_MS)
  stops.push(async () => clearInterval(load))
  const child: Child = await startChild({
    name: 'Midwatch',
    command: process.execPath,
    args: [join(ROOT, 'src/main.ts'), 'start', '--config', file, '--roles', 'agent'],
    cwd: ROOT,
    logFile: join(folder, 'log'),
  })
  stops.push(() => child.stop())
  await child.waitUntil(async () => (await fetch(`${url}/ready`)).ok, 60_000)

  await wait(CALM_MS)
  const { from, to, author, id } = DEPLOY
  expect(
    await post('/v1/changes', {
      id,
      at: Date.now(),
      service: 'pricing',
      kind: 'deploy',
      summary: 'pricing 8f2c1: rules without a cache',
      from,
      to,
      author,
    }),
  ).toBeLessThan(300)
  release = to
  await wait(8000)
  expect(await post('/v1/alerts/alertmanager', cpuAlerts('firing', new Date(Date.now() - 2000).toISOString()))).toBe(
    202,
  )
  const agent = createAgentClient(url)
  const found = await waitFor(
    async () => {
      const [one] = await agent.incidentsSince(startedMs)
      return one && one.state !== 'open' && one.state !== 'investigating' ? agent.incident(one.id) : undefined
    },
    { untilMs: Date.now() + 60_000, everyMs: 250 },
  )
  if (!found) throw new Error('no incident was diagnosed')
  incident = found
}, 180_000)

afterAll(async () => {
  for (const stop of stops.toReversed()) await stop()
  rmSync(folder, { recursive: true, force: true })
}, 30_000)

describe('three hosts of one region, shortly after a deploy', () => {
  test('become one incident with all of their alerts', async () => {
    const incidents = await createAgentClient(url).incidentsSince(startedMs)
    expect(incidents).toHaveLength(1)
    expect(incident.alertList.map(({ name, decision }) => [name, decision])).toEqual([
      ['HostHighCpu', 'opened'],
      ['HostHighCpu', 'joined'],
      ['HostHighCpu', 'joined'],
    ])
  })

  test('are told in one sentence that names the service, since when, and the deploy', () => {
    expect(incident.sentence).toMatch(/pricing/)
    expect(incident.sentence).toMatch(/since \d\d:\d\d:\d\d UTC/)
    expect(incident.sentence).toContain(`after deploy ${DEPLOY.to} of pricing`)
  })

  test('with evidence of all three kinds, each with where it can be checked', async () => {
    const [cause] = incident.report?.causes ?? []
    expect(cause).toMatchObject({ service: 'pricing' })
    expect(['cpu', 'bad_deploy']).toContain(cause?.kind)
    expect(cause?.confidence).toBeGreaterThanOrEqual(0.5)
    const refs = cause?.evidence.map(({ ref }) => ref) ?? []
    const series = refs.find((ref) => ref.kind === 'series')
    expect(series?.query).toContain('process_cpu_seconds_total')
    expect(refs.find((ref) => ref.kind === 'change')).toMatchObject({ id: DEPLOY.id, to: DEPLOY.to })
    const line = refs.find((ref) => ref.kind === 'log')
    expect(line?.template).toContain('price rule cache miss')
    expect(line?.lines[0]?.message).toMatch(/^price rule cache miss for rule \d+: compiled again/)
  })

  test('with a proposal, its risk and its undo, that waits for a person', () => {
    expect(incident.state).toBe('awaiting_approval')
    expect(incident.approval).toMatchObject({
      state: 'pending',
      action: {
        title: `Roll pricing back from ${DEPLOY.to} to ${DEPLOY.from}`,
        undo: `Deploy ${DEPLOY.to} of pricing again.`,
      },
    })
    expect(incident.approval?.action.risk).toBeGreaterThanOrEqual(3)
    expect(rollbacks).toEqual([])
  })

  test('and the channel is told the same sentence', async () => {
    const said = await waitFor(async () => told.find((one) => JSON.stringify(one).includes(incident.sentence)), {
      untilMs: Date.now() + 20_000,
    })
    expect(said).toBeDefined()
  })

  test('and one ticket is filed in Jira, with the priority of its severity, that the incident links to', async () => {
    const linked = await waitFor(async () => (await createAgentClient(url).incident(incident.id)).told?.[0], {
      untilMs: Date.now() + 20_000,
    })
    expect(linked).toEqual({ channel: 'jira', title: 'OPS-1', url: `${jira.url}/browse/OPS-1` })
    expect(jira.issues).toHaveLength(1)
    const fields = jira.issues[0]?.fields
    expect(fields).toMatchObject({ priority: { name: 'Highest' }, labels: [`midwatch-${incident.id}`] })
    expect(JSON.stringify(fields?.['description'])).toContain(`after deploy ${DEPLOY.to} of pricing`)
  })

  test('approved, it is carried out once, verified by the symptom itself, and closed', async () => {
    const agent = createAgentClient(url)
    expect(await agent.approve(incident)).toBe(true)
    await waitFor(async () => (rollbacks.length > 0 ? true : undefined), { untilMs: Date.now() + 30_000 })
    await wait(3000)
    await post(
      '/v1/alerts/alertmanager',
      cpuAlerts('resolved', new Date(incident.alertList[0]?.startsAt ?? 0).toISOString()),
    )
    const closed = await waitFor(
      async () => {
        const now = await agent.incident(incident.id)
        return now.state === 'closed' ? now : undefined
      },
      { untilMs: Date.now() + 90_000 },
    )
    expect(closed).toMatchObject({ outcome: 'fixed', approval: { state: 'approved', run: { state: 'done' } } })
    expect(rollbacks).toHaveLength(1)
    expect(release).toBe(DEPLOY.from)
    await waitFor(async () => jira.issues[0]?.status === 'Done' || undefined, { untilMs: Date.now() + 20_000 })
    expect(jira.issues.map(({ key, status }) => [key, status])).toEqual([['OPS-1', 'Done']])
  })

  test('and what is left is a post-mortem whose every claim has its reference', async () => {
    const response = await fetch(`${url}/v1/incidents/${incident.number}/postmortem`)
    const { markdown } = (await response.json()) as { markdown: string }
    expect(markdown).toContain(`after deploy ${DEPLOY.to} of pricing`)
    expect(markdown).toContain('process_cpu_seconds_total')
    expect(markdown).toContain('Carried out: done')
    expect(markdown).toContain('was carried out and verified')
  })

  test('and a week in figures, and a lesson that can be taken back', async () => {
    const ask = async (path: string) => (await fetch(`${url}${path}`)).json() as Promise<Record<string, object>>
    const week = await ask('/v1/reports/weekly')
    expect(week).toMatchObject({
      alerts: { in: 3, opened: 1, joined: 2 },
      incidents: { opened: 1, fixed: 1, causeNamed: 1 },
      times: { diagnose: { of: 1 }, approve: { of: 1 }, resolve: { of: 1 } },
      right: { mended: 1, byFix: 1 },
      actions: [{ name: 'roll-back', approved: 1, done: 1, helped: 1 }],
    })
    const lesson = await waitFor(
      async () => ((await ask('/v1/lessons'))['lessons'] as { id: string }[]).find(({ id }) => id === 'fix-1'),
      { untilMs: Date.now() + 20_000 },
    )
    expect(lesson).toMatchObject({ effect: expect.stringContaining('at pricing gains up to') })
  })
})
