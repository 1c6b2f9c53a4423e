import { connect } from 'node:net'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Caller, LOCAL_CALLER } from '../core/caller.ts'
import { AppError, type ErrorCode } from '../core/errors.ts'
import { silentLog } from '../observe/log.ts'
import { ok, type Route } from './exchange.ts'
import { type RunningServer, type ServerOptions, startServer } from './server.ts'

const running: RunningServer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop(100)))
})

const guest: Caller = { ...LOCAL_CALLER, name: 'guest', scopes: ['incidents:read'] }

async function serve(
  routes: readonly Route[],
  caller: Caller = LOCAL_CALLER,
  log = silentLog(),
  requestTimeoutMs = 60_000,
  more: Partial<ServerOptions> = {},
) {
  const server = await startServer(
    {
      routes,
      identify: async (request) => {
        if (request.headers.authorization === 'Bearer wrong') throw new AppError('unauthenticated')
        return caller
      },
      publicUrl: 'https://midwatch.example.com',
      keyless: true,
      log,
      requestTimeoutMs,
      ...more,
    },
    '127.0.0.1',
    0,
  )
  running.push(server)
  return { server, url: `http://127.0.0.1:${server.port}` }
}

const echo: Route = {
  method: 'POST',
  path: '/v1/echo/:name',
  scope: 'admin',
  maxBodyBytes: 1000,
  handle: async (exchange) =>
    ok({ name: exchange.params.name, body: await exchange.json(z.strictObject({ n: z.number() })) }),
}

const post = (url: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })

interface ErrorBody {
  error: { code: string; message: string; field?: string; requestId?: string }
}
const errorOf = async (response: Response) => ((await response.json()) as ErrorBody).error

describe('the door', () => {
  it('hands a good request to its route and answers with a request id', async () => {
    const { url } = await serve([echo])
    const response = await post(`${url}/v1/echo/a%20b`, '{"n":1}', { 'x-request-id': 'mine-1' })
    expect(await response.json()).toEqual({ name: 'a b', body: { n: 1 } })
    expect(response.headers.get('x-request-id')).toBe('mine-1')
  })

  it('names the field of a bad body, and where bad JSON breaks', async () => {
    const { url } = await serve([echo])
    expect(await errorOf(await post(`${url}/v1/echo/x`, '{"n":"1"}'))).toMatchObject({ code: 'malformed', field: 'n' })
    expect(await errorOf(await post(`${url}/v1/echo/x`, '{"n":1'))).toMatchObject({
      message: expect.stringMatching(/not JSON.*position 6/) as string,
    })
    expect(await errorOf(await post(`${url}/v1/echo/x`, ''))).toMatchObject({
      message: 'The body is empty. Send a JSON object.',
    })
    expect(await errorOf(await post(`${url}/v1/echo/x`, new Uint8Array([0xff, 0xfe, 0x00])))).toMatchObject({
      message: 'The body is not UTF-8.',
    })
  })

  it('says how to send a body that it cannot read', async () => {
    const { url } = await serve([echo])
    const zipped = await post(`${url}/v1/echo/x`, '{"n":1}', { 'content-encoding': 'gzip' })
    expect(zipped.status).toBe(415)
    expect(await errorOf(zipped)).toMatchObject({ message: expect.stringContaining('encoded as gzip') as string })
  })

  it('refuses a body over the bound, whether or not its length was announced', async () => {
    const { url } = await serve([echo])
    const big = 'x'.repeat(5000)
    expect((await post(`${url}/v1/echo/x`, big)).status).toBe(413)
    const unannounced = new ReadableStream({
      start: (controller) => {
        for (let i = 0; i < 50; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(100)))
        controller.close()
      },
    })
    const response = await fetch(`${url}/v1/echo/x`, {
      method: 'POST',
      body: unannounced,
      duplex: 'half',
    })
    expect(response.status).toBe(413)
    expect((await post(`${url}/v1/echo/x`, '{"n":1}')).status).toBe(200)
  })

  it('tells who lacks what: 401 without a valid key, 403 without the scope, 404 and 405 for a wrong address', async () => {
    const { url } = await serve([echo], guest)
    const wrongKey = await post(`${url}/v1/echo/x`, '{"n":1}', { authorization: 'Bearer wrong' })
    expect(wrongKey.status).toBe(401)
    expect(wrongKey.headers.get('www-authenticate')).toMatch(/Bearer/)
    expect(await errorOf(await post(`${url}/v1/echo/x`, '{"n":1}'))).toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/guest.*admin/) as string,
    })
    expect((await fetch(`${url}/v1/nothing`)).status).toBe(404)
    expect(await errorOf(await fetch(`${url}/v1/echo/x`))).toMatchObject({
      code: 'method_not_allowed',
      message: expect.stringMatching(/takes POST, not GET/) as string,
    })
  })

  it('says where it would be to a client whose base URL has a /v1 too few or too many', async () => {
    const page: Route = { method: 'GET', path: '/*', scope: null, handle: async () => ok('page') }
    const { url } = await serve([echo, page])
    for (const wrong of ['/echo/x', '/v1/v1/echo/x']) {
      const response = await post(`${url}${wrong}`, '{"n":1}')
      expect(response.status).toBe(404)
      expect((await errorOf(response)).message).toMatch(/but at \/v1\/echo\/x\. .*base URL/)
    }
  })

  it('answers HEAD like GET, without the body', async () => {
    const { url } = await serve([{ method: 'GET', path: '/x', scope: null, handle: async () => ok('long') }])
    const head = await fetch(`${url}/x`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '6', ''])
  })

  it('shows nothing of an unforeseen failure but where to look', async () => {
    const broken: Route = { ...echo, handle: () => Promise.reject(new Error('secret path /etc')) }
    const { url } = await serve([broken])
    const error = await errorOf(await post(`${url}/v1/echo/x`, '{}'))
    expect(error).toMatchObject({ code: 'internal', requestId: expect.stringMatching(/^req_/) as string })
    expect(JSON.stringify(error)).not.toContain('secret')
  })

  it('writes into the log why it could not answer, and nothing of what callers did wrong', async () => {
    let logged = ''
    const log = pino({ level: 'info' }, { write: (line: string) => (logged += line) })
    const failing = (path: string, code: ErrorCode): Route => ({
      ...echo,
      path,
      handle: () => Promise.reject(new AppError(code, undefined, { cause: new Error(`why ${code}`) })),
    })
    const { url } = await serve([failing('/a', 'unavailable'), failing('/b', 'malformed')], LOCAL_CALLER, log)
    await post(`${url}/a`, '{}', { 'x-request-id': 'mine-2' })
    await post(`${url}/b`, '{}')
    expect(logged).toMatch(/"level":40.*why unavailable.*mine-2/)
    expect(logged).not.toContain('why malformed')
  })

  it.each(['//', '//a:b/c', '//[', '/\\', '/%', 'http://[/'])(
    'takes %s for an address like any other',
    async (path) => {
      const { url } = await serve([
        { ...echo, method: 'GET', path: '/*', handle: async (exchange) => ok(exchange.url.href) },
      ])
      expect(await rawGet(new URL(url).port, path)).toMatch(/^HTTP\/1.1 (200|400|404) /)
    },
  )

  it('sends no length where there can be no body', async () => {
    const { url } = await serve([{ ...echo, handle: async () => ({ status: 204, body: '' }) }])
    const response = await post(`${url}/v1/echo/x`, '{}')
    expect([response.status, response.headers.get('content-length')]).toEqual([204, null])
  })

  it('refuses what a page of another site sends, also under a foreign host name', async () => {
    const { url } = await serve([echo])
    const own = new URL(url)
    expect((await post(`${url}/v1/echo/x`, '{"n":1}', { origin: url })).status).toBe(200)
    expect((await post(`${url}/v1/echo/x`, '{"n":1}', { origin: 'https://evil.example' })).status).toBe(403)
    expect(await rawPost(own.port, 'evil.example', 'http://evil.example')).toMatch(/403/)
    expect(await rawPost(own.port, 'evil.example', undefined)).toMatch(/403/)
    expect(await rawPost(own.port, 'midwatch.example.com', 'https://midwatch.example.com')).toMatch(/200/)
  })

  it('lets requests under way finish when it stops, and takes no new ones', async () => {
    let finish: () => void = () => undefined
    const slow: Route = {
      method: 'GET',
      path: '/slow',
      scope: null,
      handle: () => new Promise((resolve) => (finish = () => resolve(ok('done')))),
    }
    const { server, url } = await serve([slow])
    const under = fetch(`${url}/slow`)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const stopped = server.stop(5000)
    await expect(fetch(`${url}/slow`)).rejects.toThrow()
    finish()
    expect(await (await under).json()).toBe('done')
    await stopped
  })

  it('ends a request that comes too slowly with 408, but not one whose body may take its time', async () => {
    const taking = (path: string, more: Partial<Route> = {}): Route => ({
      method: 'POST',
      path,
      scope: null,
      handle: async (exchange) => ok((await exchange.body()).toString()),
      ...more,
    })
    const { server } = await serve(
      [taking('/quick'), taking('/long', { longBody: true })],
      LOCAL_CALLER,
      silentLog(),
      200,
    )
    const trickle = (path: string): Promise<string> =>
      new Promise((resolve) => {
        let answer = ''
        const socket = connect(server.port, '127.0.0.1')
        socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
        socket.on('close', () => resolve(answer))
        socket.on('error', () => undefined)
        socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: 9\r\n\r\n`)
        let left = 9
        const timer = setInterval(() => {
          if (left-- > 0) socket.write('x')
          else clearInterval(timer)
        }, 100)
        socket.once('close', () => clearInterval(timer))
      })
    const [quick, long] = await Promise.all([trickle('/quick'), trickle('/long')])
    expect(quick).toMatch(/^HTTP\/1.1 408 /)
    expect(long).toMatch(/^HTTP\/1.1 200 [\s\S]*"xxxxxxxxx"$/)
  })

  it('lets go of a client that takes nothing of its answer', async () => {
    const ended = Promise.withResolvers<boolean>()
    const large: Route = {
      method: 'GET',
      path: '/large',
      scope: 'admin',
      handle: (exchange) => {
        const { response } = exchange.raw
        response.once('close', () => ended.resolve(response.writableFinished))
        return Promise.resolve({ status: 200, body: 'x'.repeat(32 * 1024 * 1024) })
      },
    }
    const { server } = await serve([large], LOCAL_CALLER, silentLog(), 60_000, { patienceMs: 100 })
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    socket.write('GET /large HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
    expect(await ended.promise).toBe(false)
    socket.destroy()
  })

  it('tells a handler that its client went away while the key was looked up', async () => {
    const looked = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const told = Promise.withResolvers<unknown[]>()
    const route: Route = {
      ...echo,
      handle: async (exchange) => {
        const body: unknown = await exchange.body().catch((error: unknown) => error)
        told.resolve([exchange.signal.aborted, body instanceof AppError && body.code])
        return ok({})
      },
    }
    const { server } = await serve([route], LOCAL_CALLER, silentLog(), 60_000, {
      identify: async (request) => {
        asked.resolve()
        request.once('close', () => looked.resolve())
        await looked.promise
        await new Promise(setImmediate)
        return LOCAL_CALLER
      },
    })
    const socket = connect(server.port, '127.0.0.1')
    socket.write('POST /v1/echo/x HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10\r\n\r\n{')
    await asked.promise
    socket.destroy()
    expect(await told.promise).toEqual([true, 'client_gone'])
  })

  it('says which port is taken', async () => {
    const { server } = await serve([])
    const again = startServer(
      { routes: [], identify: async () => LOCAL_CALLER, publicUrl: undefined, keyless: false, log: silentLog() },
      '127.0.0.1',
      server.port,
    )
    await expect(again).rejects.toThrow(new RegExp(`port ${server.port} on 127.0.0.1 is in use`))
  })
})

/** fetch does not let a caller choose its Host; a socket does. */
const rawPost = (port: string, host: string, origin: string | undefined): Promise<string> =>
  rawRequest(
    port,
    `POST /v1/echo/x HTTP/1.1\r\nHost: ${host}${origin === undefined ? '' : `\r\nOrigin: ${origin}`}\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{"n":1}`,
  )

/** Nor does it leave an odd path as it is. */
const rawGet = (port: string, path: string): Promise<string> =>
  rawRequest(port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)

function rawRequest(port: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
  })
}
