// Every SDK against every kind of provider, changed only in address and key. The stand-ins refuse what the vendors would
// refuse, so that a wrong translation fails; what a right one loses is missing from the answer.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayProcess, prepareGateway } from '../faults/midwatch.ts'
import { CLAUDE, CLIENTS, EMBEDDERS, EMBEDDING, GPT, type Place } from '../vendors/clients.ts'
import { CITIES, REPORT, SAID, VECTOR_SIZE, vectorOf } from '../vendors/mind.ts'
import { startVendors, UPSTREAM_KEY, type VendorServer } from '../vendors/server.ts'

let vendors: VendorServer

beforeAll(async () => {
  vendors = await startVendors()
})
afterAll(() => vendors.stop())

interface Kind {
  readonly provider: (origin: string) => object
  /** What answers there, for either name that clients use. */
  readonly gpt: string
  readonly claude: string
  readonly embedding?: string
  /** The APIs that are asked, at least. */
  readonly apis: RegExp
}

const KINDS: Readonly<Record<string, Kind>> = {
  'OpenAI itself': {
    provider: (origin) => ({ kind: 'openai', baseUrl: `${origin}/openai/v1`, apiKey: UPSTREAM_KEY, api: 'both' }),
    gpt: 'gpt-5-mini',
    claude: 'gpt-5-mini',
    embedding: 'text-embedding-3-small',
    apis: /^\/openai\/v1\//,
  },
  'a server that speaks its chat': {
    provider: (origin) => ({ kind: 'openai', baseUrl: `${origin}/openai/v1`, apiKey: UPSTREAM_KEY, api: 'chat' }),
    gpt: 'qwen3',
    claude: 'qwen3',
    embedding: 'bge-m3',
    apis: /\/chat\/completions$/,
  },
  Azure: {
    provider: (origin) => ({ kind: 'azure', baseUrl: `${origin}/azure`, apiKey: UPSTREAM_KEY }),
    gpt: 'our-deployment',
    claude: 'our-deployment',
    embedding: 'our-embeddings',
    apis: /^\/azure\/openai\/v1\//,
  },
  Anthropic: {
    provider: (origin) => ({ kind: 'anthropic', baseUrl: `${origin}/anthropic`, apiKey: UPSTREAM_KEY }),
    gpt: 'claude-opus-4-6',
    claude: 'claude-sonnet-4-5',
    apis: /^\/anthropic\//,
  },
  Gemini: {
    provider: (origin) => ({ kind: 'gemini', baseUrl: `${origin}/gemini`, apiKey: UPSTREAM_KEY }),
    gpt: 'gemini-3-flash-preview',
    claude: 'gemini-3-flash-preview',
    embedding: 'gemini-embedding-001',
    apis: /^\/gemini\//,
  },
  Bedrock: {
    provider: (origin) => ({
      kind: 'bedrock',
      region: 'eu-central-1',
      baseUrl: `${origin}/bedrock`,
      accessKeyId: 'AKIAEXAMPLE',
      secretAccessKey: UPSTREAM_KEY,
    }),
    gpt: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    claude: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    apis: /^\/bedrock\//,
  },
}

describe.each(Object.entries(KINDS))('%s', (_name, kind) => {
  let midwatch: GatewayProcess
  let place: Place

  beforeAll(async () => {
    const serves = (model: string) => ({ targets: [{ provider: 'vendor', model }], retries: { max: 0 } })
    midwatch = await prepareGateway({
      config: {
        providers: { vendor: kind.provider(vendors.origin) },
        models: {
          [GPT]: serves(kind.gpt),
          [CLAUDE]: serves(kind.claude),
          ...(kind.embedding === undefined ? {} : { [EMBEDDING]: serves(kind.embedding) }),
        },
      },
    })
    const key = await midwatch.createKey(['llm:chat', 'llm:embed'])
    await midwatch.start()
    place = { url: midwatch.url, key }
  })

  afterAll(async () => {
    await midwatch.stop()
    midwatch.clean()
  })

  test.each(Object.entries(CLIENTS))('answers %s', async (_client, run) => {
    const from = vendors.asked.length
    const refusedBefore = vendors.refused.length
    const errand = await run(place).catch((error: unknown) => error)
    expect(vendors.refused.slice(refusedBefore), String(errand)).toEqual([])
    expect(errand).toEqual({ called: [...CITIES], said: SAID, report: REPORT, plain: 'Hello, friend.' })
    expect(vendors.asked.slice(from).some((path) => kind.apis.test(path))).toBe(true)
    expect(vendors.asked).toHaveLength(from + 4)
  })

  const embedders = kind.embedding === undefined ? [] : Object.entries(EMBEDDERS)
  test.each(embedders)('embeds for %s', async (_client, embed) => {
    const texts = ['a word', 'some more words']
    const vectors = await embed(place, texts)
    expect(vendors.refused).toEqual([])
    expect(vectors.map((vector) => vector.length)).toEqual([VECTOR_SIZE, VECTOR_SIZE])
    for (const [i, text] of texts.entries()) expect(vectors[i]).toEqual(vectorOf(text))
  })
})
