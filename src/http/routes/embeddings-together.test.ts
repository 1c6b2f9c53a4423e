import OpenAI from 'openai'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKey } from '../../access/keys.ts'
import { systemClock } from '../../core/clock.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import { answersStatus, type Behaviour, startUpstream, type Upstream } from '../../gateway/testing/upstream.ts'

let upstream: Upstream
let stack: Stack
let client: OpenAI

/** One number for each input: its length. Nothing that says `bad` is embedded. */
const embeds: Behaviour = (asked) => {
  const inputs = [asked.body['input']].flat() as string[]
  if (inputs.includes('bad')) {
    return answersStatus(400, { error: { message: `I refuse ${inputs.length}.`, type: 'invalid_request_error' } })(
      asked,
    )
  }
  const data = inputs.map((text, index) => ({ object: 'embedding', index, embedding: [text.length] }))
  const tokens = inputs.join('').length
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  // Nothing promises that the vectors come in order.
  return answersStatus(200, { object: 'list', data: data.reverse(), model: 'embed-real', usage })(asked)
}

beforeEach(async () => {
  upstream = await startUpstream(embeds)
  stack = await startStack({
    auth: 'required',
    yaml: `
providers:
  main: { kind: openai, baseUrl: "${upstream.baseUrl}", apiKey: sk-secret }
models:
  vectors:
    batch: { maxInputs: 16, maxWaitMs: 500 }
    retries: { max: 0 }
    targets: [{ provider: main, model: embed-real, price: { inputUsd: 0.7, outputUsd: 10 } }]
`,
  })
  client = await clientOf('acme')
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
})

async function clientOf(tenant: string): Promise<OpenAI> {
  const { key } = await createKey(stack.access, { name: 'x', scopes: ['llm:embed'], tenant }, systemClock)
  return new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 })
}

const embed = async (input: string | string[], options: OpenAI.RequestOptions = {}, of = client) => {
  const params = { model: 'vectors', input, encoding_format: 'float' } as const
  const { data, usage } = await of.embeddings.create(params, options)
  return { vectors: data.map(({ embedding, index }) => [index, ...embedding]), tokens: usage.prompt_tokens }
}

test('calls that arrive together go up as one; each gets its own vectors and its own part of the cost', async () => {
  const answers = await Promise.all([embed('a'), embed(['bb', 'ccc']), embed('dddd')])
  expect(answers).toEqual([
    { vectors: [[0, 1]], tokens: 1 },
    {
      vectors: [
        [0, 2],
        [1, 3],
      ],
      tokens: 5,
    },
    { vectors: [[0, 4]], tokens: 4 },
  ])
  expect(upstream.asked).toHaveLength(1)
  const rows = await stack.rows()
  expect(rows).toHaveLength(3)
  expect(rows.every(({ outcome, usage_source }) => outcome === 'served' && usage_source === 'measured')).toBe(true)
  expect(rows.reduce((sum, row) => sum + (row.input_tokens ?? Number.NaN), 0)).toBe(10)
  expect(rows.reduce((sum, row) => sum + (row.cost_micro_usd ?? Number.NaN), 0)).toBeCloseTo(7, 9)
})

test('only the call at fault is refused, in the words that are about it alone', async () => {
  const answers = await Promise.allSettled(['a', 'bb', 'bad', 'dddd', 'eeeee'].map((input) => embed(input)))
  expect(
    answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.vectors : String(answer.reason))),
  ).toEqual([[[0, 1]], [[0, 2]], expect.stringContaining('400 I refuse 1.'), [[0, 4]], [[0, 5]]])
  const rows = await stack.rows()
  expect(rows.map(({ outcome }) => outcome).toSorted(byText)).toEqual([
    'failed',
    'served',
    'served',
    'served',
    'served',
  ])
  expect(rows.reduce((sum, row) => sum + (row.input_tokens ?? 0), 0)).toBe(1 + 2 + 4 + 5)
})

test('a failure of the provider is told to all', async () => {
  upstream.behave(answersStatus(500, { error: { message: 'down' } }))
  const answers = await Promise.allSettled([embed('a'), embed('b')])
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(upstream.asked).toHaveLength(1)
})

test('a caller that hangs up or runs out of time disturbs nobody', async () => {
  let release = () => undefined as void
  const held = new Promise<void>((resolve) => (release = resolve))
  upstream.behave(async (asked) => {
    await held
    return embeds(asked)
  })
  const gone = new AbortController()
  const first = embed('a', { signal: gone.signal })
  const late = embed('b', { headers: { 'x-midwatch-deadline-ms': '1500' } })
  const others = [embed('cc'), embed('ddd')]
  await upstream.arrived(1)
  gone.abort()
  await expect(first).rejects.toThrow(/abort/i)
  await expect(late).rejects.toMatchObject({ status: 504 })
  release()
  expect((await Promise.all(others)).map(({ vectors }) => vectors)).toEqual([[[0, 2]], [[0, 3]]])
  expect(upstream.asked).toHaveLength(1)
  const rows = await stack.rows()
  expect(rows.map(({ outcome }) => outcome).toSorted(byText)).toEqual(['abandoned', 'failed', 'served', 'served'])
  // The one call is accounted once, by those who had something of it.
  expect(rows.reduce((sum, row) => sum + (row.input_tokens ?? Number.NaN), 0)).toBe(7)
})

test('when all are gone the call to the provider is ended', async () => {
  upstream.behave(() => new Promise(() => undefined))
  const gone = new AbortController()
  const both = Promise.allSettled([embed('a', { signal: gone.signal }), embed('b', { signal: gone.signal })])
  const { hungUp } = await upstream.arrived(1)
  gone.abort()
  await Promise.all([both, hungUp])
  await expect.poll(async () => (await stack.rows()).map(({ outcome }) => outcome)).toEqual(['abandoned', 'abandoned'])
})

test('calls of different tenants, or of different parameters, never go up together', async () => {
  const other = await clientOf('other')
  const params = { model: 'vectors', input: 'ee', encoding_format: 'float', dimensions: 1 } as const
  await Promise.all([embed('a'), embed('b', {}, other), client.embeddings.create(params)])
  expect(upstream.asked.map(({ body }) => body['input']).toSorted(byText)).toEqual(['a', 'b', 'ee'])
})

const byText = (a: unknown, b: unknown): number => (String(a) < String(b) ? -1 : 1)
