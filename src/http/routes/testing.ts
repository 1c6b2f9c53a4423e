// A real server on loopback for the tests of routes. The bearer token is the tenant; `tenant:scope` has only that scope.
import type { Caller, Scope } from '../../core/caller.ts'
import { AppError } from '../../core/errors.ts'
import { silentLog } from '../../observe/log.ts'
import type { Route } from '../exchange.ts'
import { startServer } from '../server.ts'

export interface TestServer {
  readonly url: string
  readonly port: number
  request(method: string, path: string, options?: TestRequest): Promise<TestResponse>
  stop(): Promise<void>
}

interface TestRequest {
  readonly token?: string
  readonly json?: unknown
  readonly body?: string | Uint8Array
}

interface TestResponse {
  readonly status: number
  readonly headers: Headers
  readonly json: any // oxlint-disable-line typescript/no-explicit-any -- tests look into it freely
}

export async function startTestServer(routes: readonly Route[]): Promise<TestServer> {
  const identify = async ({ headers }: { headers: { authorization?: string | undefined } }): Promise<Caller> => {
    const [tenant, ...scope] = (headers.authorization ?? '').replace('Bearer ', '').split(':')
    if (!tenant) throw new AppError('unauthenticated')
    const scopes = scope.length > 0 ? [scope.join(':') as Scope] : (['admin'] as const)
    return { tenant, keyId: tenant, name: tenant, scopes }
  }
  const options = { routes, identify, publicUrl: undefined, keyless: false, log: silentLog() }
  const server = await startServer(options, '127.0.0.1', 0)
  const url = `http://127.0.0.1:${server.port}`
  return {
    url,
    port: server.port,
    request: async (method, path, { token = 'default', json, body } = {}) => {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: body ?? JSON.stringify(json) }),
      })
      return { status: response.status, headers: response.headers, json: await response.json() }
    },
    stop: () => server.stop(1000),
  }
}
