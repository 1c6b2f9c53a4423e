import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import { anthropicMessages } from '../../dialects/anthropic-messages/dialect.ts'
import type { Ask } from '../../llm/dialect.ts'
import { type Peer, startPeer } from '../testing/peer.ts'
import { createOpenAiProvider, type OpenAiOptions } from './provider.ts'

const messages = (more: Record<string, unknown> = {}): Ask =>
  anthropicMessages.read(
    Buffer.from(
      JSON.stringify({ model: 'fast', max_tokens: 2000, messages: [{ role: 'user', content: 'Hi' }], ...more }),
    ),
  )

describe('a provider of OpenAI’s API', () => {
  let peer: Peer
  beforeEach(async () => {
    peer = await startPeer()
    peer.answer((response) => void response.end('{"choices":[{"message":{"content":"Hi"}}],"output":[]}'))
  })
  afterEach(() => peer.stop())

  const asked = async (options: Partial<OpenAiOptions>, ask: Ask, model = 'gpt-5') => {
    const provider = createOpenAiProvider({ name: 'p', baseUrl: `${peer.origin}/v1`, ...options })
    const sink = { take: () => undefined, connected: () => undefined }
    await provider.call({ ask, model, verbatim: false, requestId: 'r' }, sink, new AbortController().signal)
    await provider.stop()
    return peer.received.at(-1)
  }

  test('has both APIs where it is OpenAI itself, chat elsewhere, and what the config says before that', () => {
    const speaks = (options: Partial<OpenAiOptions>) =>
      [...createOpenAiProvider({ name: 'p', baseUrl: 'https://vllm.example/v1', ...options }).speaks].filter(
        (one) => one !== 'openai-embeddings',
      )
    expect(speaks({})).toEqual(['openai-chat'])
    expect(speaks({ baseUrl: 'https://api.openai.com/v1' })).toEqual(['openai-chat', 'openai-responses'])
    expect(speaks({ baseUrl: 'https://eu.api.openai.com/v1' })).toEqual(['openai-chat', 'openai-responses'])
    expect(speaks({ baseUrl: 'https://notapi.openai.com.example/v1' })).toEqual(['openai-chat'])
    expect(speaks({ api: 'responses' })).toEqual(['openai-responses'])
    expect(speaks({ baseUrl: 'https://api.openai.com/v1', api: 'chat' })).toEqual(['openai-chat'])
  })

  test('is asked by others for Responses where a model reasons and both are there, else for chat', async () => {
    expect((await asked({ api: 'both' }, messages()))?.path).toBe('/v1/responses')
    expect((await asked({ api: 'both' }, messages(), 'gpt-4o'))?.path).toBe('/v1/chat/completions')
    expect((await asked({ api: 'both' }, messages({ stop_sequences: ['END'] })))?.path).toBe('/v1/chat/completions')
    expect((await asked({ api: 'chat' }, messages()))?.path).toBe('/v1/chat/completions')
    expect((await asked({ api: 'responses' }, messages(), 'gpt-4o'))?.path).toBe('/v1/responses')
  })

  test('gets the headers of the config, which take the place of ours', async () => {
    const headers = { 'X-Team': 'a', Authorization: new Secret('Basic abc') }
    const call = await asked({ apiKey: new Secret('sk'), headers }, messages())
    expect(call?.headers).toMatchObject({ 'x-team': 'a', authorization: 'Basic abc' })
  })

  test('keeps the query of its address', async () => {
    const call = await asked({ baseUrl: `${peer.origin}/a/v1/?tenant=7` }, messages())
    expect(call?.path).toBe('/a/v1/chat/completions?tenant=7')
  })
})
