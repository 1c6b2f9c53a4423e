// A provider with malice or a broken mind: sometimes a good answer, mostly one with bytes turned, lost, doubled or added,
// and now and then something that is no answer at all.
import { setTimeout as pause } from 'node:timers/promises'
import { createRandom, type Random } from '../../lab/platform/random.ts'
import type { Behaviour, FaultyCall } from '../faults/fault-server.ts'
import { plainIn, refusalIn, streamIn } from '../faults/speech.ts'

/** The same for the same call: what it does follows from the request's id. */
export const malice =
  (onArrival: (requestId: string) => void): Behaviour =>
  async (call) => {
    onArrival(call.requestId)
    const random = createRandom(hash(`${call.requestId} ${call.count}`))
    // A third of all is good, so that the breakers stay closed often enough for the rest to be met.
    if (random.next() < 0.35) return answer(call, goodBody(call), random)
    const body = random.pick([mangled, mangled, mangled, endless, nested, noise])(goodBody(call), random)
    await random.pick([answer, answer, answer, answerOdd, refuse, cutShort, silence])(call, body, random)
  }

const hash = (text: string): number => Buffer.from(text).reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 7)

const WORDS = ['Well', ', ', 'this ', 'is ', 'ünïcödé ', '🌙 ', 'and\n', '"more"', '.']

function goodBody({ speech, stream }: FaultyCall): Buffer {
  if (!stream) return Buffer.from(plainIn(speech, WORDS))
  const { greeting, words, closing, end } = streamIn(speech, WORDS)
  return Buffer.from([...greeting, ...words, ...closing, end].join(''))
}

type Mangle = (good: Buffer, random: Random) => Buffer

const mangled: Mangle = (good, random) => {
  let bytes = good
  for (let i = random.int(1, 4); i > 0; i--) {
    const at = random.int(0, bytes.length)
    const to = Math.min(bytes.length, at + random.int(0, 80))
    bytes = random.pick([
      () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]),
      () => Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]),
      () => Buffer.concat([bytes.subarray(0, at), noise(bytes.subarray(0, 40), random), bytes.subarray(at)]),
      () => bytes.subarray(0, at),
      () => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ (1 << random.int(0, 7)) : byte))),
      () =>
        Buffer.from(bytes.toString('latin1').replaceAll(/"(?:index|content|delta|usage)":/g, '"__proto__":'), 'latin1'),
      () =>
        Buffer.from(
          bytes.toString('latin1').replaceAll(/\d+/g, () => random.pick(['-1', '1e999', 'null', '"7"'])),
          'latin1',
        ),
    ])()
  }
  return bytes
}
const noise: Mangle = (good, random) => Buffer.from(good.map(() => random.int(0, 255)))
const endless: Mangle = (good, random) =>
  Buffer.concat([good.subarray(0, random.int(0, good.length)), Buffer.alloc(random.int(1, 400_000), 'data: x')])
const nested: Mangle = (good, random) => {
  const depth = random.int(1, 30_000)
  const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`
  return Buffer.concat([
    Buffer.from(`data: {"choices":${deep},"type":"content_block_delta","delta":${deep}}\n\n`),
    good,
  ])
}

type Send = (call: FaultyCall, body: Buffer, random: Random) => Promise<void> | void

/** In pieces that fit nothing. */
const answer: Send = async (call, body, random) => {
  const type = call.stream ? 'text/event-stream' : 'application/json'
  await call.head(200, { 'content-type': type, 'content-length': String(body.length) })
  for (let at = 0; at < body.length && !call.hungUp.aborted;) {
    const size = random.next() < 0.2 ? random.int(1, 9) : random.int(100, 40_000)
    await call.raw(body.subarray(at, at + size))
    at += size
  }
}
const answerOdd: Send = async (call, body, random) => {
  const head = random.pick([
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 999999\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\n\r\n',
    'HTTP/1.1 301 Moved\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n',
    `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`,
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    'HTTP/0.9\r\n\r\n',
    '',
  ])
  await call.raw(head)
  await call.raw(body.subarray(0, 100_000))
  call.close()
}
const refuse: Send = async (call, _body, random) => {
  const { status, body } = refusalIn(call.speech, random.pick(['rate-limit', 'server', 'context-length', 'prefill']))
  const text = random.next() < 0.5 ? body : body.slice(0, random.int(0, body.length))
  const after = random.pick(['', '0', '-1', '99999999999', 'Thu, 01 Jan 2099 00:00:00 GMT', 'soon'])
  await call.head(status, { 'content-length': String(Buffer.byteLength(text)), 'retry-after': after })
  await call.raw(text)
}
const cutShort: Send = async (call, body, random) => {
  await call.head(200, { 'content-type': 'text/event-stream', 'content-length': String(body.length + 10) })
  await call.raw(body.subarray(0, random.int(0, body.length)))
  await pause(random.int(0, 20))
  call.reset()
}
const silence: Send = () => undefined
