// The provider that all of them call: answers at once, so that what is measured is the way and not the model.
// A process of its own; prints its port.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { CHUNK_EVERY_MS, CHUNKS_A_STREAM } from './workload.ts'

const ANSWER = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1,
    model: 'instant',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'A short answer of some twenty words. '.repeat(8) },
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 120, completion_tokens: 60, total_tokens: 180 },
  }),
)

const event = (value: unknown) => Buffer.from(`data: ${JSON.stringify(value)}\n\n`)
const chunk = (delta: unknown, finish: string | null = null) =>
  event({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'instant',
    system_fingerprint: 'fp_bench',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  })

const BEGIN = chunk({ role: 'assistant', content: '' })
const WORD = chunk({ content: ' word' })
const END = Buffer.concat([
  chunk({}, 'stop'),
  event({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'instant',
    choices: [],
    usage: { prompt_tokens: 120, completion_tokens: CHUNKS_A_STREAM, total_tokens: 120 + CHUNKS_A_STREAM },
  }),
  Buffer.from('data: [DONE]\n\n'),
])

// Answers are cheap here on purpose: what this process uses of the processors is missing to those that are measured.
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    if (Buffer.concat(parts).includes('"stream":true')) void streamAnswer()
    else {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length })
      response.end(ANSWER)
    }
  })
  const streamAnswer = async () => {
    response.socket?.setNoDelay(true)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(BEGIN)
    for (let i = 0; i < CHUNKS_A_STREAM && !response.destroyed; i++) {
      response.write(WORD)
      await wait(CHUNK_EVERY_MS)
    }
    response.end(END)
  }
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
