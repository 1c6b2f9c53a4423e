import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { anthropicMessages } from '../../dialects/anthropic-messages/dialect.ts'
import { recordedAnswer } from '../../dialects/anthropic-messages/testing/recorded.ts'
import { parseConfig } from '../../config/load.ts'
import type { ModelConfig } from '../../config/schema.ts'
import { ManualClock } from '../../core/clock.ts'
import { silentLog } from '../../observe/log.ts'
import { AnswerCache, type Lookup } from './answer-cache.ts'
import type { CacheDirective } from './cacheable.ts'
import type { Embed } from './embedder.ts'
import { MemoryStore } from './memory-store.ts'
import { RequestKey } from './request-key.ts'
import { factsOf } from './testing/heard.ts'

const dialect = anthropicMessages
const settings = (text: string): ModelConfig['cache'] =>
  (
    parseConfig(
      `providers: { p: { kind: openai, baseUrl: "http://127.0.0.1:1/v1" } }
models: { fast: { targets: [{ provider: p, model: m }], cache: { ${text} } }, vectors: { targets: [{ provider: p, model: v }] } }`,
      'test.yaml',
      {},
    ).models['fast'] as ModelConfig
  ).cache
const EXACT = settings('mode: exact')
const SEMANTIC = settings('mode: semantic, embeddings: vectors, similarity: 0.9')

interface Asked {
  readonly prompt?: string
  readonly tenant?: string
  readonly settings?: ModelConfig['cache']
  readonly directive?: CacheDirective
  readonly embed?: Embed
  readonly more?: Record<string, unknown>
}

let clock: ManualClock
let cache: AnswerCache

beforeEach(() => {
  clock = new ManualClock()
  cache = new AnswerCache({ store: new MemoryStore({ clock }), clock, log: silentLog() })
})

function lookup({ prompt = 'Hi', tenant = 'a', settings = EXACT, directive, embed, more }: Asked): Promise<Lookup> {
  const body = { model: 'fast', max_tokens: 50, messages: [{ role: 'user', content: prompt }], ...more }
  const ask = dialect.read(Buffer.from(JSON.stringify(body)))
  return cache.lookup({
    request: new RequestKey(ask, { tenant, variant: '' }),
    dialect,
    settings,
    directive: directive ?? null,
    embed,
    signal: new AbortController().signal,
  })
}

/** Asks, and where nothing is kept, lets a provider answer. */
async function ask(asked: Asked, answer = recordedAnswer('text')): Promise<string> {
  const found = await lookup(asked)
  if (found.kind === 'hit') return found.how
  if (found.kind === 'miss') {
    found.recording.recorder.take([dialect.createReader({ decode: false, choices: 1 }).whole(answer)])
    found.recording.keep(Buffer.alloc(0), factsOf())
  }
  return found.kind
}

describe('the exact cache', () => {
  test('answers the same request from what it kept, until its time is over', async () => {
    expect([await ask({}), await ask({})]).toEqual(['miss', 'exact'])
    const found = await lookup({})
    expect(found).toMatchObject({ answer: { provider: 'main', model: 'real-1', at: clock.now() } })
    expect(
      found.kind === 'hit' && Buffer.from(found.replay.frames[0]?.bytes ?? []).equals(recordedAnswer('text')),
    ).toBe(true)
    await clock.advance(3600_000)
    expect(await ask({})).toBe('miss')
  })

  test('keeps nothing of an answer that was never served whole', async () => {
    const found = await lookup({})
    if (found.kind === 'miss') found.recording.recorder.take([])
    expect(await ask({})).toBe('miss')
  })

  test('never says a refusal again, and forgets it', async () => {
    expect(await ask({}, recordedAnswer('refusal'))).toBe('miss')
    expect(await ask({})).toBe('miss')
    expect(await ask({})).toBe('exact')
  })

  test('an answer that cannot be read is a miss', async () => {
    const found = await lookup({})
    if (found.kind === 'miss') {
      const frame = dialect.createReader({ decode: false, choices: 1 }).whole(recordedAnswer('text'))
      found.recording.recorder.take([{ ...frame, bytes: Buffer.from('{"oh') }])
      found.recording.keep(Buffer.alloc(0), factsOf())
    }
    expect(await ask({})).toBe('miss')
  })

  test('does as the caller says', async () => {
    expect(await ask({ directive: 'no-store' })).toBe('off')
    expect(await ask({})).toBe('miss')
    expect(await ask({ directive: 'refresh' }, recordedAnswer('tool-no-args'))).toBe('miss')
    expect(await lookup({})).toMatchObject({
      kind: 'hit',
      answer: { text: expect.stringContaining('<thinking>') as string },
    })
  })

  test('no tenant ever gets what another asked for, whatever they are called and ask', async () => {
    const asked = fc.record({ tenant: fc.string({ maxLength: 3 }), prompt: fc.constantFrom('Hi', 'Ho') })
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { maxLength: 12 }), async (all) => {
        const own = new AnswerCache({ store: new MemoryStore({ clock }), clock, log: silentLog() })
        cache = own
        const seen = new Set<string>()
        for (const one of all) {
          const known = JSON.stringify([one.tenant, one.prompt])
          expect(await ask(one)).toBe(seen.has(known) ? 'exact' : 'miss')
          seen.add(known)
        }
      }),
    )
  })
})

describe('the semantic cache', () => {
  let embedded: string[]
  /** Texts about one thing have one vector, whatever they say of it. */
  const embed: Embed = (texts) => {
    embedded.push(...texts)
    return Promise.resolve(
      texts.map((text) => {
        const topic = /password|capital|days/.exec(text)?.[0] ?? text
        const seed = createHash('sha256').update(topic).digest()
        return Float32Array.from({ length: 8 }, (_, i) => (seed[i] ?? 0) - 128)
      }),
    )
  }
  const semantic = (prompt: string, more: Asked = {}) => ask({ prompt, settings: SEMANTIC, embed, ...more })

  beforeEach(() => {
    embedded = []
  })

  test('answers a prompt that only puts it otherwise', async () => {
    expect(await semantic('How do I reset my password?')).toBe('miss')
    expect(await semantic('Please tell me how to reset a password')).toBe('semantic')
    expect(await semantic('How do I make tea?')).toBe('miss')
  })

  test('looks for the same request first, without embedding it', async () => {
    await semantic('How do I reset my password?')
    embedded = []
    expect(await semantic('How do I reset my password?')).toBe('exact')
    expect(embedded).toEqual([])
  })

  test('asks anew where what is asked differs in a number, a name or a negation', async () => {
    await semantic('How many days are in 3 weeks?')
    expect(await semantic('How many days are in 4 weeks?')).toBe('miss')
    await semantic('What is the capital of France?')
    expect(await semantic('What is the capital of Spain?')).toBe('miss')
    await semantic('Can I reset my password?')
    expect(await semantic('Can I not reset my password?')).toBe('miss')
  })

  test('asks anew for another tenant, another system prompt, and what is meant to vary', async () => {
    await semantic('How do I reset my password?')
    const other = 'how to reset my password'
    expect(await semantic(other, { tenant: 'b' })).toBe('miss')
    expect(await semantic(other, { more: { system: 'Answer in rhymes.' } })).toBe('miss')
    expect(await semantic(other, { more: { temperature: 0.9 } })).toBe('off')
    expect(await semantic(other, { more: { tools: [{ name: 'look', input_schema: {} }] } })).toBe('off')
    expect(await semantic(other)).toBe('semantic')
  })

  test('does without an embedder that fails, and leaves it alone for a while', async () => {
    let calls = 0
    const fails: Embed = () => {
      calls++
      return Promise.reject(new Error('down'))
    }
    expect(await semantic('How do I reset my password?', { embed: fails })).toBe('miss')
    expect(await semantic('how to reset my password', { embed: fails })).toBe('miss')
    expect(calls).toBe(1)
    expect(await semantic('How do I reset my password?', { embed: fails })).toBe('exact')
  })

  test('does without an embedder that is late', async () => {
    const fromMs = performance.now()
    expect(await semantic('How do I reset my password?', { embed: () => new Promise(() => undefined) })).toBe('miss')
    expect(performance.now() - fromMs).toBeLessThan(2_000)
  })

  test('asks anew where the store has forgotten the answer', async () => {
    await semantic('How do I reset my password?')
    await clock.advance(3600_000)
    expect(await semantic('how to reset my password')).toBe('miss')
  })
})
