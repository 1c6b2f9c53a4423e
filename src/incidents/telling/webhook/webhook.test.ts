import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Secret } from '../../../core/secret.ts'
import { makeNews } from '../testing/news.ts'
import { createWebhook, signatureOf } from './webhook.ts'

let close: (() => void) | undefined
afterEach(() => close?.())

const seen: { headers: IncomingMessage['headers']; body: string }[] = []
async function serve(status: number, headers: Record<string, string> = {}): Promise<string> {
  seen.length = 0
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      seen.push({ headers: request.headers, body })
      response.writeHead(status, headers).end('thanks')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = () => {
    server.close()
    server.closeAllConnections()
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
}
const never = new AbortController().signal

test('a message is signed over the bytes that are sent, and carries its key', async () => {
  const secret = new Secret('hush')
  const url = await serve(200)
  const { news } = makeNews({ kind: 'closed', key: 'inc_1:closed', incident: { sentence: 'gelöst' } })
  expect(await createWebhook({ url, secret }).tell(news, never)).toBe('The webhook was told: closed.')
  expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({
    event: 'closed',
    incident: { number: 7, sentence: 'gelöst' },
  })
  expect(seen[0]?.headers).toMatchObject({
    'idempotency-key': 'inc_1:closed',
    'x-midwatch-signature': signatureOf(seen[0]?.body ?? '', secret),
  })
})

test('every message has a connection of its own, for a kept one may be gone by then', async () => {
  const hook = createWebhook({ url: await serve(200) })
  await hook.tell(makeNews().news, never)
  await hook.tell(makeNews().news, never)
  expect(seen.map(({ headers }) => headers.connection)).toEqual(['close', 'close'])
})

test('without a secret there is no signature', async () => {
  await createWebhook({ url: await serve(204) }).tell(makeNews().news, never)
  expect(seen[0]?.headers['x-midwatch-signature']).toBeUndefined()
})

test.each([300, 400, 500])('a receiver that answers %i has not taken it', async (status) => {
  await expect(createWebhook({ url: await serve(status) }).tell(makeNews().news, never)).rejects.toMatchObject({
    code: 'upstream',
    message: expect.stringContaining(String(status)),
  })
})

test('a redirect is not followed', async () => {
  const url = await serve(302, { location: '/elsewhere' })
  await expect(createWebhook({ url }).tell(makeNews().news, never)).rejects.toThrow('302')
  expect(seen).toHaveLength(1)
})

test('a receiver that is not there is an upstream failure', async () => {
  const url = await serve(200)
  close?.()
  await new Promise((resolve) => setImmediate(resolve))
  await expect(createWebhook({ url }).tell(makeNews().news, never)).rejects.toMatchObject({ code: 'upstream' })
})

test('a receiver that asks for time is given it', async () => {
  const url = await serve(429, { 'retry-after': '37' })
  await expect(createWebhook({ url }).tell(makeNews().news, never)).rejects.toMatchObject({ retryAfterSeconds: 37 })
})

test('an escalation names who is told, and no address of theirs', async () => {
  const details = { team: 'payments', step: 1, told: ['Ada'], targets: [{ channel: 'email', to: 'ada@example.com' }] }
  await createWebhook({ url: await serve(204) }).tell(makeNews({ kind: 'escalated', details }).news, never)
  expect(seen[0]?.body).toContain('"told":["Ada"]')
  expect(seen[0]?.body).not.toContain('ada@example.com')
})
