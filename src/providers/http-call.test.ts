import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAiChat } from '../dialects/openai-chat/dialect.ts'
import type { FrameSink } from '../llm/provider.ts'
import { ProviderFailure } from '../llm/provider.ts'
import { callOverHttp } from './http-call.ts'
import { type Peer, startPeer } from './testing/peer.ts'
import { createWire, type Wire } from './wire.ts'

let peer: Peer
let wire: Wire
beforeEach(async () => {
  peer = await startPeer()
  wire = createWire(peer.origin)
})
afterEach(async () => {
  await wire.stop()
  await peer.stop()
})

const request = { path: '/', headers: [], body: Buffer.from('{}'), stream: true }

test('a stream of comments without end is not kept', async () => {
  peer.answer((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(': wait\n\n'.repeat(1_000_000))
  })
  const sink: FrameSink = { connected: () => undefined, take: () => undefined }
  let keptBytes = 0
  const codec = {
    reader: openAiChat.createReader({ decode: true, choices: 1 }),
    verbatim: false,
    secrets: [],
    failureFromReply: () => new ProviderFailure('upstream_5xx', 'not asked'),
    failureInBody: (body: Buffer) => {
      keptBytes = body.length
      return new ProviderFailure('upstream_malformed', 'no event')
    },
  }
  await expect(callOverHttp(wire, request, codec, sink, new AbortController().signal)).rejects.toThrow('no event')
  expect(keptBytes).toBeLessThan(2 * 1024 * 1024)
})
