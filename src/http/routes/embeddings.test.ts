import { OpenAIEmbeddings } from '@langchain/openai'
import OpenAI from 'openai'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKey } from '../../access/keys.ts'
import { systemClock } from '../../core/clock.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import { answersStatus, type Behaviour, startUpstream, type Upstream } from '../../gateway/testing/upstream.ts'

let upstream: Upstream
let stack: Stack
let client: OpenAI

/** Two floats for each input: its length, and a half. `spelt`: whatever was asked for, or always that. */
const embeds =
  (spelt?: 'float' | 'base64'): Behaviour =>
  ({ body, response }) => {
    const inputs = [body['input']].flat() as string[]
    const data = inputs.map((text, index) => {
      const vector = [text.length, 0.5]
      const base64 = (spelt ?? body['encoding_format']) === 'base64'
      return {
        object: 'embedding',
        index,
        embedding: base64 ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector,
      }
    })
    const usage = { prompt_tokens: 5 * inputs.length, total_tokens: 5 * inputs.length }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ object: 'list', data, model: 'embed-real', usage }))
  }

beforeEach(async () => {
  upstream = await startUpstream(embeds())
  stack = await startStack({
    auth: 'required',
    yaml: `
providers:
  main: { kind: openai, baseUrl: "${upstream.baseUrl}", apiKey: sk-secret }
  claude: { kind: anthropic, baseUrl: "${upstream.baseUrl}", apiKey: sk-secret }
models:
  vectors:
    targets: [{ provider: main, model: embed-real, price: { inputUsd: 2, outputUsd: 10 } }]
  talker:
    targets: [{ provider: claude, model: claude }]
`,
  })
  client = await clientWith('llm:embed')
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
})

async function clientWith(scope: 'llm:embed' | 'llm:chat'): Promise<OpenAI> {
  const { key } = await createKey(stack.access, { name: scope, scopes: [scope], tenant: 'acme' }, systemClock)
  return new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 })
}

test("OpenAI's client gets its vectors, which it asks for in base64, and the ledger what they cost", async () => {
  const { data, usage, model } = await client.embeddings.create({ model: 'vectors', input: ['a', 'bcd'] })
  expect(data.map(({ embedding }) => embedding)).toEqual([
    [1, 0.5],
    [3, 0.5],
  ])
  expect({ usage, model }).toEqual({ usage: { prompt_tokens: 10, total_tokens: 10 }, model: 'embed-real' })
  expect(upstream.asked[0]?.request.url).toBe('/v1/embeddings')
  expect(upstream.asked[0]?.body).toEqual({ model: 'embed-real', input: ['a', 'bcd'], encoding_format: 'base64' })
  expect(await stack.rows()).toMatchObject([
    {
      endpoint: '/v1/embeddings',
      model: 'vectors',
      outcome: 'served',
      input_tokens: 10,
      output_tokens: 0,
      usage_source: 'measured',
      cost_micro_usd: 20,
    },
  ])
})

test("OpenAI's client gets its vectors from a server that ignores base64", async () => {
  upstream.behave(embeds('float'))
  const { data } = await client.embeddings.create({ model: 'vectors', input: 'abcd' })
  expect(data[0]?.embedding).toEqual([4, 0.5])
})

test('a caller who asks for numbers gets numbers', async () => {
  upstream.behave(embeds('base64'))
  const { data } = await client.embeddings.create({ model: 'vectors', input: 'ab', encoding_format: 'float' })
  expect(data[0]?.embedding).toEqual([2, 0.5])
})

test("LangChain's embeddings work with the address and the key changed", async () => {
  const embeddings = new OpenAIEmbeddings({
    model: 'vectors',
    apiKey: client.apiKey,
    configuration: { baseURL: `${stack.url}/v1` },
  })
  expect(await embeddings.embedQuery('abc')).toEqual([3, 0.5])
  expect(await embeddings.embedDocuments(['a', 'ab'])).toEqual([
    [1, 0.5],
    [2, 0.5],
  ])
})

test('a refusal of the provider about the request reaches the caller in its own words', async () => {
  const error = {
    message: 'This model does not support dimensions.',
    type: 'invalid_request_error',
    param: 'dimensions',
  }
  upstream.behave(answersStatus(400, { error }))
  await expect(client.embeddings.create({ model: 'vectors', input: 'a', dimensions: 3 })).rejects.toMatchObject({
    status: 400,
    param: 'dimensions',
  })
})

test('what is wrong with a request is told with its field, and no provider is asked', async () => {
  await expect(client.embeddings.create({ model: 'vectors', input: [] })).rejects.toMatchObject({
    status: 400,
    param: 'input',
  })
  await expect(client.embeddings.create({ model: 'talker', input: 'a' })).rejects.toThrow(/none offers embeddings/)
  expect(upstream.asked).toEqual([])
})

test('a key needs the scope llm:embed', async () => {
  const chatter = await clientWith('llm:chat')
  await expect(chatter.embeddings.create({ model: 'vectors', input: 'a' })).rejects.toMatchObject({ status: 403 })
})
