import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LOCAL_CALLER } from '../../core/caller.ts'
import { silentLog } from '../../observe/log.ts'
import { ok } from '../exchange.ts'
import { type RunningServer, startServer } from '../server.ts'
import { pageRoutes } from './page.ts'

const SHELL = '<!doctype html><title>Midwatch</title>'
const SCRIPT = `console.log(${JSON.stringify('watch '.repeat(500))})`

let dir: string
let server: RunningServer

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'midwatch-page-'))
  const dist = join(dir, 'dist')
  await mkdir(join(dist, 'assets'), { recursive: true })
  await writeFile(join(dist, 'index.html'), SHELL)
  await writeFile(join(dist, 'assets', 'index-a1b2c3.js'), SCRIPT)
  await writeFile(join(dir, 'secret.txt'), 'not for anyone')
  server = await startServer(
    {
      routes: [
        { method: 'GET', path: '/v1/incidents', scope: null, handle: async () => ok({ incidents: [] }) },
        { method: 'POST', path: '/v1/changes', scope: null, handle: async () => ok({}) },
        { method: 'GET', path: '/health', scope: null, handle: async () => ok({ status: 'alive' }) },
        ...pageRoutes(dist),
      ],
      identify: async () => LOCAL_CALLER,
      publicUrl: undefined,
      keyless: true,
      log: silentLog(),
    },
    '127.0.0.1',
    0,
  )
})

afterEach(async () => {
  await server.stop(0)
  await rm(dir, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Raw, for `fetch` would tidy the path before it is sent. */
function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.port, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
}

const AS_PERSON = { accept: 'text/html,*/*;q=0.8' }

test('every room opens the page, and no API address does', async () => {
  for (const path of ['/', '/incidents/12', '/incidents/12/', '/some/room?x=1', '/v2']) {
    const { status, body } = await get(path, AS_PERSON)
    expect([path, status, body.toString()]).toEqual([path, 200, SHELL])
  }
  expect((await get('/v1/incidents', AS_PERSON)).body.toString()).toBe('{"incidents":[]}')
  expect((await get('/health', AS_PERSON)).body.toString()).toContain('alive')
  for (const path of ['/v1', '/v1/', '/v1/nothing', '/v1/incidents/1/nothing']) {
    const { status, body } = await get(path, AS_PERSON)
    expect([path, status]).toEqual([path, 404])
    expect(body.toString()).toContain('not_found')
  }
  expect((await get('/v1/changes', AS_PERSON)).status).toBe(405)
})

test('a program that mistypes an address gets a 404, not a page', async () => {
  expect((await get('/metricz', { accept: 'application/json' })).status).toBe(404)
  expect((await get('/metricz')).status).toBe(404)
})

test('a part of the page that is gone is a 404, so that an old page notices', async () => {
  expect((await get('/assets/index-old.js', AS_PERSON)).status).toBe(404)
})

test('no spelling of a path leads out of the folder', async () => {
  for (const path of [
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/assets/%00',
    '/%zz',
    '//secret.txt',
  ]) {
    const { status, body } = await get(path)
    expect([path, body.toString().includes('not for anyone')]).toEqual([path, false])
    expect([path, status >= 400 && status < 500]).toEqual([path, true])
  }
})

test('the page may run no inline script, load nothing from elsewhere, and stand in no frame', async () => {
  for (const path of ['/', '/assets/index-a1b2c3.js']) {
    const { headers } = await get(path)
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers['x-content-type-options']).toBe('nosniff')
  }
})

test('files with a hash in their name are kept for good, the shell is asked for every time', async () => {
  const script = await get('/assets/index-a1b2c3.js')
  expect(script.headers['cache-control']).toContain('immutable')
  expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8')
  const shell = await get('/')
  expect(shell.headers['cache-control']).toBe('no-cache')
  const again = await get('/', { 'if-none-match': String(shell.headers['etag']) })
  expect([again.status, again.body.length]).toEqual([304, 0])
})

test('a page that was built anew is served without a restart', async () => {
  await get('/')
  await new Promise((later) => setTimeout(later, 20))
  await writeFile(join(dir, 'dist', 'index.html'), 'new')
  expect((await get('/')).body.toString()).toBe('new')
})

test('text goes out compressed, in the best way the client takes', async () => {
  const as = async (encoding: string) => get('/assets/index-a1b2c3.js', { 'accept-encoding': encoding })
  const brotli = await as('gzip, deflate, br')
  expect(brotli.headers['content-encoding']).toBe('br')
  expect(brotliDecompressSync(brotli.body).toString()).toBe(SCRIPT)
  expect(brotli.body.length).toBeLessThan(SCRIPT.length / 5)
  const zipped = await as('gzip, br;q=0')
  expect(zipped.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(zipped.body).toString()).toBe(SCRIPT)
  const bare = await as('identity')
  expect(bare.headers['content-encoding']).toBeUndefined()
  expect(bare.body.toString()).toBe(SCRIPT)
  expect(bare.headers['vary']).toBe('accept-encoding')
})

test('before there is a page, it says so and looks again by itself', async () => {
  await rm(join(dir, 'dist'), { recursive: true })
  const { status, headers, body } = await get('/', AS_PERSON)
  expect(status).toBe(503)
  expect(headers['retry-after']).toBe('3')
  expect(body.toString()).toContain('not built yet')
})
