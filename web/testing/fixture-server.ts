// Serves the built page with incidents that are made up, through the server that production uses: to look at every
// state of the page without waiting for it to happen. `node web/testing/fixture-server.ts` prints its address.
import { z } from 'zod'
import { LOCAL_CALLER } from '../../src/core/caller.ts'
import { AppError } from '../../src/core/errors.ts'
import { ok, type Route } from '../../src/http/exchange.ts'
import { pageRoutes } from '../../src/http/routes/page.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { ensureWebBuilt, WEB_DIST } from '../../src/http/web-build.ts'
import { approvalDecision, type IncidentView, incidentSummary } from '../../src/incidents/view.ts'
import { silentLog } from '../../src/observe/log.ts'
import { everyIncident } from './fixtures.ts'

export interface FixtureServer extends RunningServer {
  readonly url: string
  /** What the page shows; change it and call `changed`. */
  incidents: IncidentView[]
  /** Tells every open page to ask again. */
  changed(): void
  /** What was decided, as the page sent it. */
  readonly decisions: unknown[]
}

export interface FixtureOptions {
  /** A key that has to be given first. */
  readonly key?: string
  readonly port?: number
}

export async function startFixtureServer(options: FixtureOptions = {}): Promise<FixtureServer> {
  await ensureWebBuilt()
  const listeners = new Set<() => void>()
  const state = { incidents: [...everyIncident()], decisions: [] as unknown[] }
  const find = (id: string | undefined): IncidentView => {
    const found = state.incidents.find((incident) => incident.id === id || String(incident.number) === id)
    if (!found) throw new AppError('not_found', `There is no incident ${id}.`)
    return found
  }
  const events: Route['handle'] = async ({ raw: { response }, signal, stopping }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write('\n')
    const tell = (): void => void response.write('data: {}\n\n')
    listeners.add(tell)
    AbortSignal.any([signal, stopping]).addEventListener('abort', () => {
      listeners.delete(tell)
      response.end()
    })
    return 'streamed'
  }
  const get = (path: string, handle: Route['handle']): Route => ({
    method: 'GET',
    path,
    scope: 'incidents:read',
    handle,
  })
  const routes: Route[] = [
    ...pageRoutes(WEB_DIST),
    get('/v1/incidents', async (exchange) => {
      const { state: wanted } = exchange.query(z.object({ state: z.enum(['open', 'closed', 'all']).default('all') }))
      const chosen = state.incidents.filter(
        (incident) => wanted === 'all' || (incident.state === 'closed') === (wanted === 'closed'),
      )
      return ok({
        incidents: chosen.map((one) => incidentSummary.parse(one)),
        waiting: 0,
        muted: 0,
        notUnderstood: 0,
        now: Date.now(),
      })
    }),
    get('/v1/incidents/events', events),
    get('/v1/incidents/:id', async ({ params }) => ok(find(params['id']))),
    get('/v1/incidents/:id/events', events),
    {
      method: 'POST',
      path: '/v1/incidents/:id/approvals/:approval',
      scope: 'incidents:approve',
      handle: async (exchange) => {
        state.decisions.push(await exchange.json(approvalDecision))
        return ok({ approval: find(exchange.params['id']).approval })
      },
    },
    {
      method: 'POST',
      path: '/v1/session',
      scope: null,
      handle: async (exchange) => {
        const { key } = await exchange.json(z.object({ key: z.string() }))
        if (key !== options.key) throw new AppError('unauthenticated', 'This key is not known.')
        return { status: 204, headers: { 'set-cookie': `fixture=${key}; Path=/; HttpOnly; SameSite=Strict` }, body: '' }
      },
    },
    {
      method: 'DELETE',
      path: '/v1/session',
      scope: null,
      handle: async () => ({ status: 204, headers: { 'set-cookie': 'fixture=; Path=/; Max-Age=0' }, body: '' }),
    },
  ]
  const identify = async (request: { headers: { cookie?: string | undefined } }) => {
    if (options.key !== undefined && request.headers.cookie !== `fixture=${options.key}`)
      throw new AppError('unauthenticated')
    return LOCAL_CALLER
  }
  const server = await startServer(
    { routes, identify, publicUrl: undefined, keyless: options.key === undefined, log: silentLog() },
    '127.0.0.1',
    options.port ?? 0,
  )
  return Object.assign(state, server, {
    url: `http://127.0.0.1:${server.port}`,
    changed: () => {
      for (const tell of listeners) tell()
    },
  })
}

if (import.meta.main) console.log(`The page with made-up incidents: ${(await startFixtureServer()).url}`)
