import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { LOCAL_CALLER } from '../core/caller.ts'
import { createGatewayEmbedding } from './embedding-model.ts'
import { type Stack, startStack } from './testing/stack.ts'
import { startUpstream, type Upstream } from './testing/upstream.ts'

let upstream: Upstream
let stack: Stack
const patient = new AbortController().signal
const sizes: number[] = []

/** Answers each text with its length, along `dimensions` axes. */
const embeds = (dimensions: number) =>
  upstream.behave(({ body, response }) => {
    const { input } = z.looseObject({ input: z.array(z.string()) }).parse(body)
    sizes.push(input.length)
    const data = input.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: [text.length, ...Array<number>(dimensions - 1).fill(1)],
    }))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ object: 'list', model: 'm', data, usage: { prompt_tokens: 1, total_tokens: 1 } }))
  })

beforeEach(async () => {
  sizes.length = 0
  upstream = await startUpstream()
  stack = await startStack({
    yaml: `
providers: { main: { kind: openai, baseUrl: "${upstream.baseUrl}" } }
models: { vectors: { targets: [{ provider: main, model: m, price: { inputUsd: 1, outputUsd: 0 } }] } }
`,
  })
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
})

const open = () => createGatewayEmbedding(stack.gateway, { ...LOCAL_CALLER, keyId: 'knowledge' }, 'vectors', patient)

test('texts become unit vectors in their order, in requests that every provider takes, on the ledger', async () => {
  embeds(2)
  const model = await open()
  expect(model).toMatchObject({ id: 'gateway:vectors', dimension: 2 })
  const texts = Array.from({ length: 70 }, (_, i) => 'x'.repeat(i + 1))
  const vectors = await model.embedPassages([...texts, ' ', 'word '.repeat(2_000)], patient)
  vectors.slice(0, 70).forEach((some, i) => {
    expect(some).toHaveLength(1)
    expect(Math.hypot(...(some[0] ?? []))).toBeCloseTo(1, 5)
    expect((some[0]?.[0] ?? 0) / (some[0]?.[1] ?? 1)).toBeCloseTo(i + 1, 2)
  })
  expect(vectors[70]).toEqual([])
  expect(vectors[71]).toHaveLength(2)
  expect(sizes).toEqual([1, 64, 8])
  expect((await stack.rows())[0]).toMatchObject({ key_id: 'knowledge', purpose: 'knowledge', outcome: 'served' })
})

test('vectors of another dimension than before are refused, and a model that is not there is told by name', async () => {
  embeds(2)
  const model = await open()
  embeds(3)
  await expect(model.embedQuery('a', patient)).rejects.toThrow('gave 3 dimensions where it gave 2')
  await expect(createGatewayEmbedding(stack.gateway, LOCAL_CALLER, 'none', patient)).rejects.toMatchObject({
    code: 'not_found',
  })
})
