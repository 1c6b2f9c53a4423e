import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { Secret } from '../../core/secret.ts'
import type { Job } from '../../db/queue.ts'
import { silentLog } from '../../observe/log.ts'
import { createMcpSource } from '../../sources/mcp/mcp.ts'
import { createIncidentFeed } from '../feed.ts'
import { closeTrouble, idOf } from '../memory/testing.ts'
import { readIncident } from '../read.ts'
import { openTestDb, type TestDb } from '../testing.ts'
import { createContextAsking } from './context.ts'
import type { Ask } from './questions.ts'

const TOKEN = 'tok-very-secret-1841'
const SERVER = join(import.meta.dirname, '../../sources/mcp/testing/server.ts')
const job = (payload: object): Job => ({ id: 'job_1', kind: 'context', key: 'k', payload, attempts: 1 })
const never = new AbortController().signal
let db: TestDb
let ends: (() => Promise<void>)[]

beforeEach(async () => {
  const opened = await openTestDb()
  ;({ db } = opened)
  ends = [() => opened.connection.close()]
  const alerts = [
    ['cart', 'CartErrors'],
    ['shop', 'ShopErrors'],
    ['shop', 'ShopSlow'],
    [null, 'HostDown'],
  ] as const
  await closeTrouble(db, { number: 7, service: 'inventory', kind: 'down', moved: [], alerts })
})
afterEach(async () => {
  for (const end of ends.toReversed()) await end()
})

function asking(asks: readonly Ask[], timeoutMs = 15_000) {
  const source = createMcpSource({
    name: 'deploys',
    command: process.execPath,
    args: [SERVER, 'stdio'],
    env: { DEPLOY_TOKEN: new Secret(TOKEN) },
    headers: {},
    tools: ['get_*'],
    timeoutMs,
    maxBytes: 2000,
    callsPerMinute: 100,
    version: '1',
    clock: systemClock,
    log: silentLog(),
  })
  ends.push(() => source.stop())
  const woken = { times: 0 }
  const made = createContextAsking({
    db,
    clock: systemClock,
    log: silentLog(),
    feed: createIncidentFeed(),
    wake: () => void woken.times++,
    sources: asks.length === 0 ? [] : [{ source, asks }],
  })
  return { ...made, woken }
}

const read = () => readIncident(db, '7', { tenant: 'default', confirmFromRisk: 6 })
const ask = (tool: string): Ask => ({ tool, arguments: { service: '{service}' } })

describe('what other systems are asked about an incident', () => {
  test('each service is asked about once, and the answers are quoted beside the incident, never claimed', async () => {
    const before = await read()
    await asking([ask('get_deploys')]).handlers.context(job({ incidentId: idOf(7) }), never)
    const view = await read()
    expect(view?.context?.map(({ arguments: input }) => input)).toEqual([{ service: 'cart' }, { service: 'shop' }])
    expect(view?.context?.[0]).toMatchObject({
      kind: 'context',
      source: 'deploys',
      tool: 'get_deploys',
      failure: null,
      suspicious: true,
    })
    expect(view?.context?.[0]?.text).toContain('deploys of cart: 8f2c1')
    expect(view?.report).toEqual(before?.report)
    const audited = await db.selectFrom('audit_log').select(['kind', 'subject', 'body']).execute()
    expect(audited.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['tool.call', idOf(7)],
      ['tool.call', idOf(7)],
    ])
    expect(audited[0]?.body).toContain('get_deploys')
    expect(view?.timeline.map(({ kind, text }) => [kind, text])).toEqual([
      [
        'context',
        'Asked get_deploys of deploys: 2 of 2 questions answered. The answers are quoted; no claim rests on them.',
      ],
    ])
  })

  test('asked again after a crash, only what is missing is asked, and it is told once', async () => {
    const { handlers } = asking([ask('get_deploys')])
    await handlers.context(job({ incidentId: idOf(7) }), never)
    const [first, second] = await db.selectFrom('incident_context').selectAll().orderBy('arguments').execute()
    await db
      .deleteFrom('incident_context')
      .where('id', '=', second?.id ?? '')
      .execute()
    await handlers.context(job({ incidentId: idOf(7) }), never)
    const after = await db.selectFrom('incident_context').selectAll().orderBy('arguments').execute()
    expect(after).toHaveLength(2)
    expect(after[0]).toEqual(first)
    expect((await read())?.timeline).toHaveLength(1)
  })

  test('a server that hangs, dies or fails is named with the reason', async () => {
    for (const [tool, why] of [
      ['get_stuck', 'could not be asked'],
      ['get_death', 'could not be asked'],
      ['get_error', 'says that it failed'],
    ] as const) {
      await db.deleteFrom('incident_context').execute()
      await asking([{ tool, arguments: {} }], tool === 'get_stuck' ? 3000 : 15_000).handlers.context(
        job({ incidentId: idOf(7) }),
        never,
      )
      expect((await read())?.context, tool).toMatchObject([{ tool, failure: expect.stringContaining(why) }])
    }
  })

  test('a secret of the server is in no answer that is kept', async () => {
    await asking([{ tool: 'get_secret', arguments: {} }]).handlers.context(job({ incidentId: idOf(7) }), never)
    expect(JSON.stringify(await read())).not.toContain(TOKEN)
  })

  test('is begun beside the investigation and never holds it, and nothing is begun where nobody is asked', async () => {
    const ran: string[] = []
    const investigate = async () => void ran.push('investigate')
    const asked = asking([ask('get_stuck')])
    await asked.beside(investigate)(job({ incidentId: idOf(7), look: 2 }), never)
    await asked.beside(investigate)(job({ incidentId: idOf(7), look: 2 }), never)
    expect(ran).toHaveLength(2)
    expect(asked.woken.times).toBe(2)
    expect(await db.selectFrom('jobs').select(['kind', 'key']).execute()).toEqual([
      { kind: 'context', key: `${idOf(7)}:2` },
    ])
    await asking([]).beside(investigate)(job({ incidentId: 'inc_x' }), never)
    expect(await db.selectFrom('jobs').selectAll().execute()).toHaveLength(1)
  })
})
