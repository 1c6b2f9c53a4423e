import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import { roleOf } from '../../diagnosis/metric-roles.ts'
import { type DeclaredProbe, probePlaces } from './probes.ts'
import { probe } from './probe.ts'

const never = new AbortController().signal
const servers: Server[] = []
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'midwatch-probe-'))
  // Of one day, for this machine alone.
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  execFileSync('openssl', [...args, ...subject, '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')], {
    stdio: 'ignore',
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return (server.address() as AddressInfo).port
}
const http = async (answer: RequestListener) => `http://127.0.0.1:${await listen(createServer(answer))}/health?q=1`
const look = (more: Partial<DeclaredProbe> & { url: string }) =>
  probePlaces([{ service: 'shop', timeoutSeconds: 5, headers: {}, ...more }])[0]?.look(0, never)
const ask = (url: string, more: object = {}) => probe({ url, headers: {}, timeoutMs: 5000, ...more }, never)

test('an answer is told with its status and the time of each phase, and the names have their roles in a diagnosis', async () => {
  const url = await http((_request, response) => void setTimeout(() => response.end('ok'), 30))
  const probed = await ask(url)
  expect(probed).toMatchObject({ problem: '', status: 200 })
  expect(Object.keys(probed.phasesMs)).toEqual(['resolve', 'connect', 'processing', 'transfer'])
  expect(probed.phasesMs.processing).toBeGreaterThan(25)
  const sum = Object.values(probed.phasesMs).reduce((all, ms) => all + ms, 0)
  expect(sum).toBeLessThanOrEqual(probed.tookMs)
  const seen = await look({ url })
  expect(
    seen?.samples.map(({ name, labels }) => [
      name,
      roleOf(
        name,
        labels.map(([label]) => label),
      ),
    ]),
  ).toEqual([
    ['probe_success', 'up'],
    ['probe_duration_seconds', 'latency'],
    ...['resolve', 'connect', 'processing', 'transfer'].map(() => ['probe_http_duration_seconds', 'latency']),
    ['probe_http_status_code', 'other'],
  ])
  expect(roleOf('probe_ssl_earliest_cert_expiry', ['instance'])).toBe('credential_expiry')
})

test('a wrong status, a missing text, a refusal and a broken answer fail, each with its reason', async () => {
  const url = await http((request, response) => {
    if (request.headers['x-break'] !== undefined) return void response.destroy()
    response.statusCode = 503
    response.end('we are closed')
  })
  expect(await ask(url)).toMatchObject({ problem: 'it answered 503', status: 503 })
  expect(await ask(url, { expectStatus: [503] })).toMatchObject({ problem: '' })
  expect(await ask(url, { expectStatus: [503], expectBody: 'closed' })).toMatchObject({ problem: '' })
  expect(await ask(url, { expectStatus: [503], expectBody: 'open' })).toMatchObject({
    problem: 'its answer does not have the expected text in it',
  })
  expect((await ask(url, { headers: { 'x-break': '1' } })).problem).not.toBe('')
  expect((await ask('http://127.0.0.1:1/')).problem).toMatch(/ECONNREFUSED/)
  expect((await ask('http://nowhere.invalid/')).problem).toMatch(/ENOTFOUND|EAI_AGAIN/)
  const garbage = createTcpServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .end('hello\r\n\r\n'),
  )
  expect((await ask(`http://127.0.0.1:${await listen(garbage)}/`)).problem).not.toBe('')
})

test('one who never answers, or never ends, is left at the timeout', async () => {
  const silent = await http(() => undefined)
  expect(await ask(silent, { timeoutMs: 50 })).toMatchObject({ problem: 'no answer in 50 ms' })
  const endless = await http((_request, response) => void response.write('x'))
  expect(await ask(endless, { timeoutMs: 50 })).toMatchObject({ problem: 'no answer in 50 ms', status: 200 })
  const failed = await look({ url: silent, timeoutSeconds: 0.05 })
  expect(failed?.samples.find(({ name }) => name === 'probe_success')?.value).toBe(0)
})

describe('over TLS', () => {
  const start = async (seen: string[] = []) => {
    const files = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) }
    const server = createTlsServer(files, (request, response) => {
      seen.push(request.headers.authorization ?? '')
      response.end('ok')
    })
    return `https://localhost:${await listen(server)}/`
  }

  test('a certificate that its authority vouches for is accepted, and when it ends is told', async () => {
    const sent: string[] = []
    const url = await start(sent)
    const seen = await look({
      url,
      caFile: join(folder, 'cert.pem'),
      headers: { authorization: new Secret('Bearer s') },
    })
    expect([seen?.problem, sent]).toEqual(['', ['Bearer s']])
    const ends = seen?.samples.find(({ name }) => name === 'probe_ssl_earliest_cert_expiry')?.value ?? 0
    expect(ends - Date.now() / 1000).toBeGreaterThan(23 * 3600)
    expect(ends - Date.now() / 1000).toBeLessThan(25 * 3600)
    expect(seen?.samples.some(({ labels }) => labels.some(([, value]) => value === 'tls'))).toBe(true)
  })

  test('one that nobody vouches for, or of another name, is refused before anything is sent', async () => {
    const sent: string[] = []
    const url = await start(sent)
    const unknown = await look({ url, headers: { authorization: new Secret('Bearer s') } })
    expect(unknown?.problem).toMatch(/its certificate is not accepted: .*SELF_SIGNED/)
    expect(unknown?.samples.some(({ name }) => name === 'probe_ssl_earliest_cert_expiry')).toBe(true)
    const other = await look({ url: url.replace('localhost', '127.0.0.1'), caFile: join(folder, 'cert.pem') })
    expect(other?.problem).toMatch(/its certificate is not accepted/)
    expect(sent).toEqual([])
  })
})

test('what is told of a probe has no password, no query and no header in it', async () => {
  const url = await http((_request, response) => void response.writeHead(500).end())
  const [place] = probePlaces([
    {
      service: 'shop',
      timeoutSeconds: 1,
      headers: { cookie: new Secret('hunter2') },
      url: url.replace('//', '//ada:hunter3@').replace('q=1', 'token=hunter4'),
    },
  ])
  const seen = await place?.look(0, never)
  expect(JSON.stringify([place, seen])).not.toContain('hunter')
})
