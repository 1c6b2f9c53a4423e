import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { type ChatModel, type ChatRequest, NO_USAGE } from '../../llm/chat.ts'
import { silentLog } from '../../observe/log.ts'
import { openSqliteStore } from '../store/sqlite/open.ts'
import { type Assist, inModelsOrder, otherWords, RERANKED } from './assist.ts'
import { createRetriever } from './retriever.ts'

const never = new AbortController().signal
const passages = ['a', 'b', 'c'].map((id) => ({ id, title: `Title ${id}`, text: `Text of ${id}.` }))

function assistWith(
  complete: (request: ChatRequest, signal: AbortSignal) => Promise<string>,
  clock = new ManualClock(),
): Assist {
  const chat: ChatModel = {
    complete: async (request, signal) => ({
      text: await complete(request, signal),
      model: 'm',
      usage: NO_USAGE,
      costMicroUsd: null,
    }),
  }
  return { chat, rewrite: 'fast', rerank: 'fast', clock, log: silentLog() }
}

const ordered = async (answer: string) =>
  (
    await inModelsOrder(
      assistWith(async () => answer),
      'q',
      passages,
      never,
    )
  )
    .map(({ id }) => id)
    .join('')

describe('the order of a model', () => {
  it('is followed, and what it does not name stays behind in its own', async () => {
    expect(await ordered('{"best":[3]}')).toBe('cab')
    expect(await ordered('{"best":[2,3,1]}')).toBe('bca')
    expect(await ordered('{"best":[]}')).toBe('abc')
  })

  it('counts for nothing where it names what it was not shown, or says something else', async () => {
    expect(await ordered('{"best":[7,0,-1,1.5,3,3]}')).toBe('cab')
    for (const answer of ['{"best":["c"]}', 'I think c.', '', '{"best":null}', '[3]'])
      expect(await ordered(answer)).toBe('abc')
  })

  it('is not waited for for long, and not missed when it fails', async () => {
    const clock = new ManualClock()
    const slow = inModelsOrder(
      assistWith(() => new Promise(() => undefined), clock),
      'q',
      passages,
      never,
    )
    await clock.advance(4_000)
    expect(await slow).toEqual(passages)
    const failed = assistWith(() => Promise.reject(new AppError('upstream')))
    expect(await inModelsOrder(failed, 'q', passages, never)).toEqual(passages)
  })

  it('costs a bounded prompt, however much was found', async () => {
    let shown = ''
    const assist = assistWith(async ({ messages }) => {
      shown = messages.map(({ content }) => content).join('\n')
      return '{"best":[]}'
    })
    const long = Array.from({ length: 100 }, () => ({ title: 'T'.repeat(9_999), text: 'x'.repeat(99_999) }))
    expect(await inModelsOrder(assist, 'q'.repeat(99_999), long, never)).toHaveLength(100)
    expect(shown.length).toBeLessThan(RERANKED * 1_000 + 3_000)
  })
})

describe('whoever asks', () => {
  it('is who the models are asked for, and without a model of theirs none is asked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'midwatch-assist-'))
    const store = await openSqliteStore(join(folder, 'knowledge.db'), { log: silentLog() })
    try {
      await store.ensureCollection({ tenant: 'acme', name: 'runbooks' }, 1)
      const { chat: _, ...assist } = assistWith(async () => '{"words":[]}')
      const retriever = createRetriever({ store, modelOf: async () => null, log: silentLog(), assist })
      const query = { tenant: 'acme', text: 'disk', collections: ['runbooks'], topK: 3 }
      const asked: string[] = []
      const chatOf = (name: string): ChatModel => ({
        complete: async (request) => {
          asked.push(`${name} ${request.model}`)
          return { text: '{"words":[]}', model: 'm', usage: NO_USAGE, costMicroUsd: 1, requestId: 'r' }
        },
      })
      await retriever.retrieve(query, never)
      expect(asked).toEqual([])
      await retriever.retrieve({ ...query, chat: chatOf('ann') }, never)
      await retriever.retrieve({ ...query, chat: chatOf('bob') }, never)
      expect(asked).toEqual(['ann fast', 'bob fast'])
    } finally {
      await store.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('other words of a model', () => {
  it('are a few, or none where it fails', async () => {
    expect(
      await otherWords(
        assistWith(async () => '{"words":["kubelet","node agent"]}'),
        'q',
        never,
      ),
    ).toBe('kubelet node agent')
    const many = JSON.stringify({ words: Array.from({ length: 999 }, () => 'word') })
    expect(
      (
        await otherWords(
          assistWith(async () => many),
          'q',
          never,
        )
      ).length,
    ).toBeLessThanOrEqual(400)
    expect(
      await otherWords(
        assistWith(async () => 'no'),
        'q',
        never,
      ),
    ).toBe('')
  })

  it('are not asked for any more when the caller is gone', async () => {
    const stop = new AbortController()
    const assist = assistWith(() => {
      stop.abort(new AppError('client_gone'))
      return Promise.reject(new Error('cut'))
    })
    await expect(otherWords(assist, 'q', stop.signal)).rejects.toMatchObject({ code: 'client_gone' })
  })
})
