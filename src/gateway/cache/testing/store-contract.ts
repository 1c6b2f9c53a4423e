// What every store of cached answers promises, run against each of them.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerStore } from '../answer-store.ts'
import { MAX_ANSWER_BYTES } from '../answer-store.ts'
import type { CachedAnswer } from '../cached-answer.ts'

export interface StoreUnderTest {
  readonly store: () => AnswerStore
  /** Returns when so much time has passed for the store. */
  readonly pass: (ms: number) => Promise<void>
  /** Returns when what was handed over is kept. */
  readonly settled: () => Promise<void>
}

export const answer = (text: string, more: Partial<CachedAnswer> = {}): CachedAnswer => ({
  form: 'stream',
  pieces: [
    { kind: 'said', bytes: Buffer.from(`data: ${text}\n\n`) },
    { kind: 'usage', bytes: Buffer.from('data: {"usage":1}\n\n') },
  ],
  closing: Buffer.from('data: [DONE]\n\n'),
  tellsUsage: true,
  text,
  provider: 'main',
  model: 'gpt-real',
  answeredBy: 'gpt-real-2026',
  usage: {
    inputTokens: 12,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    cacheWrite1hTokens: null,
    outputTokens: 5,
    reasoningTokens: null,
  },
  at: 1_790_000_000_000,
  ...more,
})

export function storeContract(name: string, { store, pass, settled }: StoreUnderTest): void {
  const plain = (bytes: Uint8Array) =>
    answer('', { form: 'plain', pieces: [{ kind: 'said', bytes }], closing: Buffer.alloc(0) })

  describe(`${name} keeps its contract:`, () => {
    test('what was kept comes back as it was', async () => {
      store().set('whole', answer('Hé 🌊'), 60)
      await settled()
      const found = await store().get('whole')
      expect(found).toEqual(answer('Hé 🌊'))
      expect(await store().get('other')).toBeUndefined()
    })

    test('whatever the bytes are', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'grapheme' }), async (bytes, rest) => {
          // Half of a character, as JSON may hold it.
          const given = { ...plain(Buffer.from(bytes)), text: `\uD83C${rest}` }
          store().set('bytes', given, 60)
          await settled()
          expect(await store().get('bytes')).toEqual(given)
        }),
        { numRuns: 30 },
      )
    })

    test('the newest of two is there', async () => {
      store().set('twice', answer('old'), 60)
      store().set('twice', answer('new'), 60)
      await settled()
      expect(await store().get('twice')).toMatchObject({ text: 'new' })
    })

    test('nothing outlives its time', async () => {
      store().set('short', answer('short'), 0.05)
      store().set('long', answer('long'), 60)
      await settled()
      expect(await store().get('short')).toBeDefined()
      await pass(60)
      expect(await store().get('short')).toBeUndefined()
      expect(await store().get('long')).toBeDefined()
    })

    test('what was deleted is gone', async () => {
      store().set('gone', answer('gone'), 60)
      store().delete('gone')
      await settled()
      expect(await store().get('gone')).toBeUndefined()
    })

    test('an answer that is too large is not kept, and leaves none of an older one', async () => {
      store().set('large', plain(Buffer.alloc(MAX_ANSWER_BYTES + 1)), 60)
      await settled()
      expect(await store().get('large')).toBeUndefined()
    })
  })
}
