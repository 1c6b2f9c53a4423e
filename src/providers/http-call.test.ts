import { type AddressInfo, createServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
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

test('a 100 Continue is passed over wherever the network cuts it, and what only looks like one is not', async () => {
  const interim = 'HTTP/1.1 100 Continue\r\nx-why: because\r\n\r\n'
  const body = 'HTTP/1.1 100 Continue\r\n\r\n'
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${2 * body.length}\r\n\r\n`
  let cut = 0
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('data', () => {
      const bytes = `${interim}${head}`
      void (async () => {
        for (const piece of [bytes.slice(0, cut), bytes.slice(cut), body, body]) {
          if (piece !== '') await new Promise<void>((resolve) => socket.write(piece, () => resolve()))
          for (let turn = 0; turn < 5; turn++) await nextTurn()
        }
      })()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const raw = createWire(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  for (cut = 0; cut <= interim.length + head.length; cut++) {
    let received = ''
    const receiver = {
      connected: () => undefined,
      head: (status: number) => expect(status).toBe(200),
      data: (chunk: Buffer) => void (received += chunk.toString()),
    }
    await raw.post('/', [], Buffer.from('{}'), receiver, new AbortController().signal)
    expect(received).toBe(body + body)
  }
  await raw.stop()
  server.close()
})
