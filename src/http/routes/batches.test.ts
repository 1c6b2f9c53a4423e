import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { pipeline } from 'node:stream/promises'
import OpenAI, { toFile } from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKey, revokeKey } from '../../access/keys.ts'
import { systemClock } from '../../core/clock.ts'
import type { Scope } from '../../core/caller.ts'
import type { LimitConfig } from '../../core/limits.ts'
import {
  answersStatus,
  type Behaviour,
  plainAnswer,
  startUpstream,
  type Upstream,
} from '../../gateway/testing/upstream.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'

let upstream: Upstream
let stack: Stack
let client: OpenAI

/** Says again what it was told; what is told to fail fails. */
const echo: Behaviour = (asked) => {
  const { body, response } = asked
  if (body['input'] !== undefined) {
    return answersStatus(200, {
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [1, 2] }],
      model: 'gpt-real',
      usage: { prompt_tokens: 3, total_tokens: 3 },
    })(asked)
  }
  const said = (body['messages'] as { content: string }[])[0]?.content ?? ''
  if (said === 'bad')
    return answersStatus(400, { error: { message: 'I do not like it.', type: 'invalid_request_error' } })(asked)
  if (said === 'down') return answersStatus(401, { error: { message: 'no such key' } })(asked)
  response.writeHead(200, { 'content-type': 'application/json' })
  // Written over several lines, as some servers do.
  response.end(JSON.stringify(JSON.parse(plainAnswer(`You said\n${said}`)), null, 2))
}

beforeEach(async () => {
  upstream = await startUpstream(echo)
  stack = await startStack({
    batches: true,
    auth: 'required',
    yaml: `
providers:
  main: { kind: openai, baseUrl: "${upstream.baseUrl}", apiKey: sk-secret }
models:
  fast:
    retries: { max: 0 }
    targets: [{ provider: main, model: gpt-real, price: { inputUsd: 2, outputUsd: 10 } }]
  vectors:
    targets: [{ provider: main, model: gpt-real }]
`,
  })
  client = await clientOf('acme')
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
})

async function clientOf(
  tenant: string,
  scopes: Scope[] = ['llm:chat', 'llm:embed'],
): Promise<OpenAI & { keyId: string }> {
  const { key, id } = await createKey(stack.access, { name: 'batcher', scopes, tenant }, systemClock)
  return Object.assign(new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 }), { keyId: id })
}

const chat = (custom_id: string, content: string, more: Record<string, unknown> = {}) => ({
  custom_id,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'fast', messages: [{ role: 'user', content }] },
  ...more,
})

const upload = async (lines: readonly unknown[], of = client) =>
  of.files.create({
    purpose: 'batch',
    file: await toFile(
      Buffer.from(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')),
      'requests.jsonl',
    ),
  })

async function start(
  lines: readonly unknown[],
  endpoint: OpenAI.BatchCreateParams['endpoint'] = '/v1/chat/completions',
) {
  const { id } = await upload(lines)
  return client.batches.create({ input_file_id: id, endpoint, completion_window: '24h', metadata: { who: 'me' } })
}

const ended = (id: string, status = 'completed', of = client): Promise<OpenAI.Batch> =>
  expect
    .poll(() => of.batches.retrieve(id), { timeout: 15_000, interval: 20 })
    .toMatchObject({ status })
    .then(() => of.batches.retrieve(id))

interface Line {
  custom_id: string
  response: { status_code: number; body: Record<string, any> } | null // oxlint-disable-line typescript/no-explicit-any -- tests look into it freely
  error: { code: string; message: string } | null
}

async function linesOf(id: string | undefined, of = client): Promise<Line[]> {
  if (!id) return []
  const text = await (await of.files.content(id)).text()
  expect(text.endsWith('\n')).toBe(true)
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
    .sort((a, b) => (a.custom_id < b.custom_id ? -1 : 1))
}

describe('a batch', () => {
  test("is carried out for OpenAI's client: every request answered once, in its output or its error file", async () => {
    const made = await start([chat('a', 'one'), chat('b', 'bad'), chat('c', 'three'), ''])
    expect(made).toMatchObject({
      object: 'batch',
      status: 'validating',
      endpoint: '/v1/chat/completions',
      metadata: { who: 'me' },
      output_file_id: null,
    })
    const batch = await ended(made.id)
    expect(batch).toMatchObject({
      request_counts: { total: 3, completed: 2, failed: 1 },
      model: 'fast',
      usage: { input_tokens: 24, output_tokens: 10, total_tokens: 34 },
      errors: null,
    })
    for (const time of [batch.in_progress_at, batch.finalizing_at, batch.completed_at]) expect(time).toBeGreaterThan(0)
    const output = await linesOf(batch.output_file_id)
    expect(output.map((line) => [line.custom_id, line.response?.status_code, line.error])).toEqual([
      ['a', 200, null],
      ['c', 200, null],
    ])
    expect(output[0]?.response?.body['choices'][0].message.content).toBe('You said\none')
    expect(await linesOf(batch.error_file_id)).toMatchObject([
      {
        custom_id: 'b',
        response: { status_code: 400, body: { error: { message: 'I do not like it.' } } },
        error: null,
      },
    ])
    const rows = await stack.rows()
    expect(rows.map(({ purpose, tenant, endpoint }) => ({ purpose, tenant, endpoint }))).toEqual(
      Array.from({ length: 3 }, () => ({
        purpose: `batch ${made.id}`,
        tenant: 'acme',
        endpoint: '/v1/chat/completions',
      })),
    )
  })

  test('of embeddings is answered too', async () => {
    const line = { custom_id: 'v', method: 'POST', url: '/v1/embeddings', body: { model: 'vectors', input: 'a' } }
    const batch = await ended((await start([line], '/v1/embeddings')).id)
    expect((await linesOf(batch.output_file_id))[0]?.response?.body['data'][0].embedding).toEqual([1, 2])
    expect(batch.usage).toMatchObject({ input_tokens: 3, output_tokens: 0 })
  })

  test('of which nothing succeeds has no output file', async () => {
    const batch = await ended((await start([chat('a', 'bad')])).id)
    expect(batch).toMatchObject({ output_file_id: null, request_counts: { completed: 0, failed: 1 } })
    expect(await linesOf(batch.error_file_id)).toHaveLength(1)
  })

  test('whose input is wrong fails before anything is asked, and says where', async () => {
    const made = await start([
      chat('a', 'one'),
      '{"custom_id": "b"',
      chat('a', 'again'),
      chat('c', 'x', { url: '/v1/embeddings' }),
      chat('d', 'x', { method: 'GET' }),
      chat('e', 'x', { body: { model: 'fastt', messages: [] } }),
      { method: 'POST', url: '/v1/chat/completions', body: { model: 'fast' } },
      chat('g', 'x', { body: { model: 'fast', messages: [], stream: true } }),
    ])
    const { errors, request_counts } = await ended(made.id, 'failed')
    expect(errors?.data?.map(({ line, code, param }) => [line, code, param])).toEqual([
      [2, 'invalid_json_line', null],
      [3, 'duplicate_custom_id', 'custom_id'],
      [4, 'url_mismatch', 'url'],
      [5, 'invalid_request', 'method'],
      [6, 'model_not_found', 'body.model'],
      [7, 'missing_required_parameter', 'custom_id'],
      [8, 'invalid_request', 'body.stream'],
    ])
    expect(request_counts).toEqual({ total: 0, completed: 0, failed: 0 })
    expect(upstream.asked).toEqual([])
  })

  test('of an empty file fails', async () => {
    const { errors } = await ended((await start(['', ' '])).id, 'failed')
    expect(errors?.data).toMatchObject([{ code: 'empty_file', line: null }])
  })

  test('that is cancelled asks nothing more, and hands out what it has', async () => {
    let release = () => undefined as void
    const held = new Promise<void>((resolve) => (release = resolve))
    upstream.behave(async (asked) => {
      await held
      return echo(asked)
    })
    const made = await start(Array.from({ length: 40 }, (_, i) => chat(`n${String(i).padStart(2, '0')}`, `${i}`)))
    await upstream.arrived(8)
    expect(await client.batches.cancel(made.id)).toMatchObject({ status: 'cancelling' })
    release()
    const batch = await ended(made.id, 'cancelled')
    expect(upstream.asked).toHaveLength(8)
    expect(batch.request_counts).toEqual({ total: 40, completed: 8, failed: 32 })
    expect(await linesOf(batch.output_file_id)).toHaveLength(8)
    expect((await linesOf(batch.error_file_id))[0]?.error?.code).toBe('batch_cancelled')
    await expect(client.batches.cancel(made.id)).rejects.toMatchObject({ status: 409 })
  })

  test('tries again what a provider fails, and in the end tells it', async () => {
    let calls = 0
    upstream.behave((asked) => (++calls < 3 ? answersStatus(500, {}, { 'retry-after': '0' })(asked) : echo(asked)))
    const batch = await ended((await start([chat('a', 'one')])).id)
    expect(batch.request_counts).toMatchObject({ completed: 1, failed: 0 })
    expect(calls).toBe(3)
  })

  test('whose key is revoked asks no provider any more', async () => {
    const doomed = await clientOf('acme')
    const gate = new Promise<void>((resolve) => setTimeout(resolve, 300))
    upstream.behave(async (asked) => {
      await gate
      return echo(asked)
    })
    const lines = Array.from({ length: 12 }, (_, i) => chat(`k${i}`, `${i}`))
    const file = await upload(lines)
    const made = await doomed.batches.create({
      input_file_id: file.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    })
    await upstream.arrived(8)
    await revokeKey(stack.access, doomed.keyId, systemClock)
    const batch = await ended(made.id)
    expect(batch.request_counts).toEqual({ total: 12, completed: 8, failed: 4 })
    expect((await linesOf(batch.error_file_id))[0]?.response?.status_code).toBe(401)
  })

  test('keeps to the limits of its key without failing, and to its budget by refusing what is left', async () => {
    const limited = async (limits: LimitConfig) => {
      const wanted = { name: 'x', scopes: ['llm:chat'] as const, tenant: 'acme', limits }
      const { key } = await createKey(stack.access, wanted, systemClock)
      const of = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 })
      const file = await upload(many(5), of)
      const made = await of.batches.create({
        input_file_id: file.id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
      })
      return ended(made.id)
    }
    const many = (count: number) => Array.from({ length: count }, (_, i) => chat(`n${i}`, `${i}`))
    expect((await limited({ concurrency: 2 })).request_counts).toEqual({ total: 5, completed: 5, failed: 0 })
    const poor = await limited({ budgetUsd: { per: 'month', amount: 0.000001 } })
    expect(poor.request_counts).toEqual({ total: 5, completed: 0, failed: 5 })
    const [line] = await linesOf(poor.error_file_id)
    expect(line?.response).toMatchObject({
      status_code: 429,
      body: { error: { message: expect.stringContaining('budget') } },
    })
  })

  test('is listed page by page, the newest first, and only to its tenant', async () => {
    const made: string[] = []
    for (let i = 0; i < 3; i++) made.unshift((await start([chat('a', 'one')])).id)
    const seen: string[] = []
    for await (const { id } of client.batches.list({ limit: 2 })) seen.push(id)
    expect(seen).toEqual(made)
    const other = await clientOf('other')
    expect((await other.batches.list()).data).toEqual([])
    for (const work of [other.batches.retrieve(made[0] ?? ''), other.batches.cancel(made[0] ?? '')]) {
      await expect(work).rejects.toMatchObject({ status: 404 })
    }
    for (const id of made) await ended(id)
  })

  test('names what is wrong with its request', async () => {
    const { id } = await upload([chat('a', 'one')])
    const make = (more: Record<string, unknown>, of = client) =>
      of.batches.create({
        input_file_id: id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
        ...more,
      })
    await expect(make({ endpoint: '/v1/images/edits' })).rejects.toMatchObject({ status: 400, param: 'endpoint' })
    await expect(make({ completion_window: '1h' })).rejects.toMatchObject({ status: 400, param: 'completion_window' })
    await expect(make({ input_file_id: 'file_x' })).rejects.toMatchObject({ status: 400, param: 'input_file_id' })
    await expect(make({}, await clientOf('other'))).rejects.toMatchObject({ status: 400, param: 'input_file_id' })
    await expect(make({}, await clientOf('acme', ['llm:embed']))).rejects.toMatchObject({ status: 403 })
  })
})

describe('a file', () => {
  test("is kept as it came, told to its own tenant only, and gone when deleted, for OpenAI's client", async () => {
    const text = 'ä\r\n--boundary\r\n{"x": 1}\n'
    const file = await client.files.create({
      purpose: 'batch',
      file: await toFile(Buffer.from(text), 'in "quotes".jsonl'),
    })
    expect(file).toMatchObject({ object: 'file', bytes: 25, purpose: 'batch', status: 'processed' })
    expect(await client.files.retrieve(file.id)).toEqual(file)
    const content = await client.files.content(file.id)
    expect([content.headers.get('x-request-id') !== null, await content.text()]).toEqual([true, text])
    expect((await client.files.list()).data).toEqual([file])
    expect((await client.files.list({ purpose: 'batch_output' })).data).toEqual([])
    const other = await clientOf('other')
    expect((await other.files.list()).data).toEqual([])
    for (const work of [other.files.retrieve(file.id), other.files.content(file.id), other.files.delete(file.id)]) {
      await expect(work).rejects.toMatchObject({ status: 404 })
    }
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true })
    await expect(client.files.content(file.id)).rejects.toMatchObject({ status: 404 })
  })

  test('is not deleted while a batch reads it', async () => {
    let release = () => undefined as void
    const held = new Promise<void>((resolve) => (release = resolve))
    upstream.behave(async (asked) => {
      await held
      return echo(asked)
    })
    const made = await start([chat('a', 'one')])
    await upstream.arrived(1)
    await expect(client.files.delete(made.input_file_id)).rejects.toMatchObject({ status: 409 })
    release()
    await ended(made.id)
    expect(await client.files.delete(made.input_file_id)).toMatchObject({ deleted: true })
  })

  test('is refused with the field named when it is for something else, or there is none', async () => {
    const file = await toFile(Buffer.from('x'), 'x')
    await expect(client.files.create({ purpose: 'vision', file })).rejects.toMatchObject({
      status: 400,
      param: 'purpose',
    })
    const form = new FormData()
    form.set('purpose', 'batch')
    const answer = await fetch(`${stack.url}/v1/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${client.apiKey}` },
      body: form,
    })
    expect([answer.status, ((await answer.json()) as { error: { param: string } }).error.param]).toEqual([400, 'file'])
    expect((await client.files.list()).data).toEqual([])
  })

  test('passes through to the disk without staying in memory', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const body = async function* () {
      yield Buffer.from(`--b\r\n${DISPOSITION}; name="purpose"\r\n\r\nbatch\r\n`)
      yield Buffer.from(`--b\r\n${DISPOSITION}; name="file"; filename="x"\r\n\r\n`)
      for (let i = 0; i < 150 * 16; i++) yield chunk
      yield Buffer.from('\r\n--b--\r\n')
    }
    const sending = send({})
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers - before)), 2)
    const [[answer]] = await Promise.all([
      once(sending, 'response') as Promise<[IncomingMessage]>,
      pipeline(body(), sending),
    ])
    clearInterval(watch)
    answer.resume()
    expect(answer.statusCode).toBe(200)
    // What waits for the collector, and no more.
    expect(most).toBeLessThan(110 * 1024 * 1024)
    expect((await client.files.list()).data).toMatchObject([{ bytes: 150 * 1024 * 1024 }])
  })

  test('is refused where the disk would not be left enough space, and its client is told so', async () => {
    const full = await startStack({
      batches: true,
      yaml: 'providers: {}',
      fileRoom: { freeBytes: async () => 200 * 1024 ** 2 },
    })
    const form = new FormData()
    form.append('purpose', 'batch')
    form.append('file', new Blob(['{}']), 'x.jsonl')
    const answer = await fetch(`${full.url}/v1/files`, { method: 'POST', body: form })
    expect([answer.status, await answer.json()]).toMatchObject([
      507,
      { error: { type: 'server_error', code: 'storage_full', message: expect.stringContaining('no room') as string } },
    ])
    await full.stop()
  })

  test('that says it is too large is refused before it is sent', async () => {
    const sending = send({ 'content-length': 300 * 1024 * 1024 })
    sending.flushHeaders()
    const [answer] = (await once(sending, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(413)
    sending.on('error', () => undefined).destroy()
  })
})

const DISPOSITION = 'Content-Disposition: form-data'

const send = (headers: Record<string, string | number>) =>
  request(`${stack.url}/v1/files`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${client.apiKey}`,
      'content-type': 'multipart/form-data; boundary=b',
      ...headers,
    },
  })
