import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createHttpActions, type HttpActionRequest } from './action.ts'

let close: (() => void) | undefined
afterEach(() => {
  close?.()
  close = undefined
})

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = () => {
    server.close()
    server.closeAllConnections()
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const never = new AbortController().signal
const request = (url: string, more: Partial<HttpActionRequest> = {}): HttpActionRequest => ({
  kind: 'http',
  method: 'POST',
  url,
  headers: { authorization: 'Bearer x' },
  body: { to: '1' },
  timeoutMs: 5000,
  key: 'apr_1',
  ...more,
})
const actions = createHttpActions()

describe('an action', () => {
  test('is one request with its key', async () => {
    const seen: { headers: IncomingMessage['headers']; body: string }[] = []
    const url = await serve((incoming, response) => {
      let body = ''
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()))
      incoming.on('end', () => {
        seen.push({ headers: incoming.headers, body })
        response.end('started')
      })
    })
    expect(await actions.send(request(url), never)).toEqual({ kind: 'done', detail: '200 started' })
    expect(seen).toMatchObject([
      {
        headers: { 'idempotency-key': 'apr_1', authorization: 'Bearer x', 'content-type': 'application/json' },
        body: '{"to":"1"}',
      },
    ])
  })

  test('goes out on a connection of its own, for a kept one may be gone by then', async () => {
    const sockets = new Set<unknown>()
    const url = await serve((incoming, response) => {
      sockets.add(incoming.socket)
      incoming.resume().on('end', () => response.end('ok'))
    })
    await actions.send(request(url), never)
    await actions.check(url, {}, never)
    await actions.send(request(url), never)
    expect(sockets.size).toBe(3)
  })

  test.each([
    [201, 'done'],
    [400, 'refused'],
    [404, 'refused'],
    [409, 'refused'],
    [408, 'unclear'],
    [500, 'unclear'],
    [502, 'unclear'],
    [504, 'unclear'],
  ])('answered with %i is %s', async (status, kind) => {
    const url = await serve((_incoming, response) => response.writeHead(status).end())
    expect(await actions.send(request(url), never)).toMatchObject({ kind })
  })

  test('is never redirected: where it goes was approved', async () => {
    let hits = 0
    const url = await serve((_incoming, response) => {
      hits++
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(await actions.send(request(url), never)).toMatchObject({ kind: 'refused' })
    expect(hits).toBe(1)
  })

  test('that nobody listens for was not sent', async () => {
    const url = await serve(() => undefined)
    close?.()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await actions.send(request(url), never)).toMatchObject({ kind: 'unsent' })
  })

  test.each([
    ['a header', 'http://127.0.0.1:9/', { authorization: 'Bearer ключ' }, 'its header "authorization" holds'],
    ['the name of a header', 'http://127.0.0.1:9/', { 'a b': 'x' }, 'its header "a b" holds'],
    ['a header of the connection', 'http://127.0.0.1:4/', { 'transfer-encoding': 'chunked' }, 'transfer-encoding'],
    ['a port that is never used', 'http://127.0.0.1:9/', {}, 'bad port'],
    ['an address', 'http://127.0.0.1:99999/', {}, 'its address is none'],
    ['an address with a password', 'http://u:hush@127.0.0.1:9/', {}, 'its address holds a user name or a password'],
  ])('that cannot be sent for %s was not sent, and repeats no value', async (_name, url, headers, detail) => {
    const answer = await actions.send(request(url, { headers }), never)
    expect(answer).toMatchObject({ kind: 'unsent', detail: expect.stringContaining(detail) })
    expect(JSON.stringify(answer)).not.toMatch(/ключ|hush/)
  })

  test('that is cut off or not answered in time is unclear', async () => {
    const cut = await serve((incoming) => incoming.socket.destroy())
    expect(await actions.send(request(cut), never)).toMatchObject({ kind: 'unclear' })
    close?.()
    const silent = await serve(() => undefined)
    expect(await actions.send(request(silent, { timeoutMs: 50 }), never)).toEqual({
      kind: 'unclear',
      detail: 'no answer within 0.05 s',
    })
  })

  test('is done once the status says so, however long the answer goes on', async () => {
    const url = await serve((_incoming, response) => {
      response.writeHead(200)
      const more = setInterval(() => response.write('x'.repeat(65_536)), 1)
      response.on('close', () => clearInterval(more))
    })
    const answer = await actions.send(request(url), never)
    expect(answer.kind).toBe('done')
    expect(answer.detail.length).toBeLessThan(400)
  })
})

describe('the check of an earlier request', () => {
  test.each([
    [200, 'done'],
    [404, 'never'],
    [500, 'unclear'],
    [302, 'unclear'],
    [204, 'unclear'],
  ])('answered with %i says %s', async (status, kind) => {
    const url = await serve((_incoming, response) => response.writeHead(status).end())
    expect(await actions.check(url, {}, never)).toMatchObject({ kind })
  })

  test('that nobody answers says nothing', async () => {
    const url = await serve(() => undefined)
    close?.()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await actions.check(url, {}, never)).toMatchObject({ kind: 'unclear' })
  })
})
