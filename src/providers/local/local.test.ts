import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openAiChat } from '../../dialects/openai-chat/dialect.ts'
import { openAiEmbeddings } from '../../dialects/openai-embeddings/dialect.ts'
import type { Ask } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import type { Frame } from '../../llm/frames.ts'
import { type Provider, ProviderFailure } from '../../llm/provider.ts'
import { historyOf } from './history.ts'
import { loadLibrary } from './library.ts'
import { Pool } from './model.ts'
import { createLocalProvider } from './provider.ts'
import { findInstalled } from './testing/installed.ts'
import { writeRandomModel } from './testing/write-gguf.ts'

const load = findInstalled()
const NEVER = new AbortController().signal

const chat = (body: Record<string, unknown>): Ask =>
  openAiChat.read(
    Buffer.from(
      JSON.stringify({
        model: 'local',
        messages: [{ role: 'user', content: 'Tell me a story' }],
        max_tokens: 20,
        seed: 7,
        stream: true,
        ...body,
      }),
    ),
  )
const embeddings = (body: Record<string, unknown>): Ask =>
  openAiEmbeddings.read(Buffer.from(JSON.stringify({ model: 'local', ...body })))

async function ask(provider: Provider, request: Ask, signal = NEVER, prefill?: string) {
  const frames: Frame[] = []
  let connected = false
  const sink = {
    connected: () => {
      connected = true
    },
    take: (more: readonly Frame[]) => {
      frames.push(...more)
      return undefined
    },
  }
  await provider.call({ ask: request, model: 'random', verbatim: false, requestId: 'r', prefill }, sink, signal)
  const events = frames.flatMap((frame) => frame.events)
  const find = <K extends AnswerEvent['kind']>(kind: K) =>
    events.find((event): event is Extract<AnswerEvent, { kind: K }> => event.kind === kind)
  return { frames, events, connected, find, text: frames.map((frame) => frame.text).join('') }
}

const failureOf = (work: Promise<unknown>): Promise<ProviderFailure> =>
  work.then(
    () => expect.unreachable(),
    (error: unknown) => (error instanceof ProviderFailure ? error : expect.unreachable()),
  )

describe.skipIf(!load)('a model in a file', () => {
  let folder: string
  let path: string
  let provider: Provider

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'midwatch-gguf-'))
    path = join(folder, 'random.gguf')
    writeRandomModel(path)
    provider = make({ parallel: 2 })
  })
  afterAll(async () => {
    await provider.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const make = (more: { parallel?: number; path?: string; contextTokens?: number }) =>
    createLocalProvider({ name: 'local', path, parallel: 1, contextTokens: 2048, ...(load ? { load } : {}), ...more })

  test('streams its answer piece by piece, up to the limit, with what it used measured', async () => {
    const { frames, events, find, connected } = await ask(provider, chat({}))
    expect(connected).toBe(true)
    expect(frames.length).toBeGreaterThan(4)
    expect(events.map(({ kind }) => kind).filter((kind) => kind !== 'text')).toEqual(['start', 'finish', 'usage'])
    expect(find('finish')).toMatchObject({ reason: 'length' })
    const usage = find('usage')?.usage
    expect(usage).toMatchObject({ outputTokens: 20 })
    // The words, and the marks of the template around them.
    expect((usage?.inputTokens ?? 0) + (usage?.cacheReadTokens ?? 0)).toBeGreaterThan('Tell me a story'.length)
    expect(frames.filter(({ complete }) => complete)).toHaveLength(1)
  })

  test('answers plainly in one frame', async () => {
    const { frames, find } = await ask(provider, chat({ stream: false }))
    expect(frames).toHaveLength(1)
    expect(frames[0]).toMatchObject({ kind: 'content', complete: true, usage: { outputTokens: 20 } })
    expect(find('finish')).toMatchObject({ reason: 'length' })
  })

  test('says the same for the same seed, and something else for another', async () => {
    const once = await ask(provider, chat({ seed: 1 }))
    expect((await ask(provider, chat({ seed: 1 }))).text).toBe(once.text)
    expect((await ask(provider, chat({ seed: 2 }))).text).not.toBe(once.text)
  })

  test("ends at the caller's stop sequence and leaves it away", async () => {
    const { text } = await ask(provider, chat({ seed: 3, max_tokens: 40 }))
    const letter = /[!-~]/.exec(text.slice(4))?.[0] ?? ''
    const { text: cut, find } = await ask(provider, chat({ seed: 3, max_tokens: 40, stop: [letter] }))
    expect(letter).not.toBe('')
    expect(cut).toBe(text.slice(0, text.indexOf(letter)))
    expect(find('finish')).toMatchObject({ reason: 'stop', stopSequence: letter })
  })

  test('keeps to a JSON schema', async () => {
    const schema = {
      type: 'object',
      properties: { count: { type: 'integer' }, size: { enum: ['small', 'large'] } },
      required: ['count', 'size'],
      additionalProperties: false,
    }
    const format = { type: 'json_schema', json_schema: { name: 'out', schema, strict: true } }
    const { text, find } = await ask(provider, chat({ response_format: format, max_tokens: 300 }))
    expect(find('finish')).toMatchObject({ reason: 'stop' })
    const value = JSON.parse(text) as { count: number; size: string }
    expect(Object.keys(value)).toEqual(['count', 'size'])
    expect(['small', 'large']).toContain(value.size)
    expect(typeof value.count).toBe('number')
  })

  test('calls the tool that it must call, with arguments of its schema', async () => {
    const parameters = { type: 'object', properties: { on: { type: 'boolean' } } }
    const tools = ['lamp', 'fan'].map((name) => ({ type: 'function', function: { name, parameters } }))
    const forced = { type: 'function', function: { name: 'fan' } }
    const { events, find } = await ask(provider, chat({ tools, tool_choice: forced, max_tokens: 300 }))
    expect(find('tool-call')).toMatchObject({ name: 'fan' })
    expect(typeof (JSON.parse(find('tool-arguments')?.json ?? '') as { on: unknown }).on).toBe('boolean')
    expect(find('finish')).toMatchObject({ reason: 'tool-calls' })
    expect(events.some(({ kind }) => kind === 'text')).toBe(false)
    const any = await ask(provider, chat({ tools, tool_choice: 'required', max_tokens: 300 }))
    expect(['lamp', 'fan']).toContain(any.find('tool-call')?.name)
  })

  test('takes a conversation with tools that were called, and tools it may call', async () => {
    const tools = [{ type: 'function', function: { name: 'lamp', parameters: { type: 'object', properties: {} } } }]
    const messages = [
      { role: 'user', content: 'On, please' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'lamp', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ]
    const { find } = await ask(provider, chat({ tools, messages }))
    expect(find('finish')).toBeDefined()
  })

  test('goes on behind a prefill, and does not repeat it', async () => {
    const { text } = await ask(provider, chat({}), NEVER, 'Once upon a time')
    expect(text).not.toContain('Once upon')
    expect(text.length).toBeGreaterThan(0)
  })

  test('ends when it is aborted, and is free again', async () => {
    const single = make({})
    const gone = new AbortController()
    const long = ask(single, chat({ max_tokens: 400 }), gone.signal)
    const waiting = new AbortController()
    const second = ask(single, chat({}), waiting.signal)
    setTimeout(() => waiting.abort(new Error('no more patience')), 20)
    await expect(second).rejects.toThrow('no more patience')
    setTimeout(() => gone.abort(new Error('hung up')), 30)
    await expect(long).rejects.toThrow('hung up')
    expect((await ask(single, chat({}))).find('finish')).toBeDefined()
    await single.stop()
  })

  test('what the sink throws ends the call and is thrown', async () => {
    let taken = 0
    const sink = {
      connected: () => undefined,
      take: () => {
        if (++taken === 3) throw new Error('enough')
        return undefined
      },
    }
    const call = { ask: chat({ max_tokens: 400 }), model: 'random', verbatim: false, requestId: 'r' }
    await expect(provider.call(call, sink, NEVER)).rejects.toThrow('enough')
    expect(taken).toBe(3)
  })

  test('leaves the event loop to others while it writes', async () => {
    await ask(provider, chat({}))
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    await ask(provider, chat({ max_tokens: 300 }))
    delay.disable()
    // In the median: a machine with other work to do stalls now and then.
    expect(delay.percentile(50) / 1e6).toBeLessThan(40)
  })

  test('refuses a prompt that is too long, in words for the caller', async () => {
    const failure = await failureOf(ask(provider, chat({ messages: [{ role: 'user', content: 'x'.repeat(3000) }] })))
    expect(failure).toMatchObject({ kind: 'upstream_context_length' })
    expect(failure.detail.publicMessage).toMatch(/^The prompt has \d+ tokens, and this model reads 2048/)
  })

  test('embeds: vectors of length one, the same for the same text, in order, with the tokens counted', async () => {
    const { frames, find } = await ask(provider, embeddings({ input: ['Hello', 'world', 'Hello'] }))
    const vectors = find('embeddings')?.vectors ?? []
    expect(vectors).toHaveLength(3)
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 6)
    expect(vectors[0]).toEqual(vectors[2])
    expect(vectors[0]).not.toEqual(vectors[1])
    expect(frames[0]).toMatchObject({ complete: true, usage: { outputTokens: 0 } })
    expect(frames[0]?.usage?.inputTokens).toBeGreaterThanOrEqual(15)
    const failure = await failureOf(ask(provider, embeddings({ input: 'a', dimensions: 3 })))
    expect(failure.detail.publicMessage).toContain('64 dimensions')
  })

  test('that is no model says which file', async () => {
    const wrong = join(folder, 'wrong.gguf')
    writeFileSync(wrong, 'no model')
    const broken = make({ path: wrong })
    const failure = await failureOf(ask(broken, chat({})))
    expect(failure.kind).toBe('upstream_unreachable')
    expect(failure.message).toContain(wrong)
    await broken.stop()
  })
})

test('where the library is not installed, the error says what to do', async () => {
  const provider = createLocalProvider({
    name: 'local',
    path: '/nowhere.gguf',
    parallel: 1,
    load: async () => {
      throw await failureOf(loadLibrary())
    },
  })
  const failure = await failureOf(ask(provider, chat({})))
  expect(failure).toMatchObject({ kind: 'upstream_unreachable' })
  expect(failure.message).toContain('npm install node-llama-cpp')
  await provider.stop()
})

test('what a model said, called and learnt is one item of its history', () => {
  const history = historyOf([
    { role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] },
    { role: 'user', parts: [{ kind: 'text', text: 'On' }] },
    {
      role: 'assistant',
      parts: [
        { kind: 'reasoning', text: 'hm' },
        { kind: 'text', text: 'I see.' },
        { kind: 'tool-call', id: 'c', name: 'lamp', arguments: '{"on":true}' },
      ],
    },
    {
      role: 'user',
      parts: [{ kind: 'tool-result', callId: 'c', parts: [{ kind: 'text', text: 'it broke' }], isError: true }],
    },
    { role: 'assistant', parts: [{ kind: 'text', text: 'Sorry.' }] },
  ])
  expect(history).toEqual([
    { type: 'system', text: 'Be brief.' },
    { type: 'user', text: 'On' },
    {
      type: 'model',
      response: [
        { type: 'segment', segmentType: 'thought', text: 'hm', ended: true },
        'I see.',
        { type: 'functionCall', name: 'lamp', params: { on: true }, result: { error: 'it broke' } },
        'Sorry.',
      ],
    },
  ])
  expect(() => historyOf([{ role: 'user', parts: [{ kind: 'tool-result', callId: 'x', parts: [] }] }])).toThrow(
    'the call x',
  )
})

test('who finds no place waits in turn, and who hangs up takes none', async () => {
  const pool = new Pool(['one'])
  const order: string[] = []
  let release = () => undefined as void
  const held = pool.use(NEVER, () => new Promise<void>((resolve) => (release = resolve)))
  const gone = new AbortController()
  const left = pool.use(gone.signal, async () => void order.push('gone'))
  const next = pool.use(NEVER, async () => void order.push('next'))
  const last = pool.use(NEVER, async () => void order.push('last'))
  gone.abort(new Error('hung up'))
  await expect(left).rejects.toThrow('hung up')
  release()
  await Promise.all([held, next, last])
  expect(order).toEqual(['next', 'last'])
})
