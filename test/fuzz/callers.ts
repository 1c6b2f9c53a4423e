// Callers of every kind that a door on a street meets: most ask for something, some ask for nonsense, many leave in the
// middle. All of it follows from a seed.
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../lab/platform/random.ts'

export interface Door {
  readonly url: string
  readonly key: string
  readonly models: readonly string[]
}

/** Statuses that were answered, and what is never to be: a hang. */
export interface Met {
  readonly statuses: Map<number, number>
  readonly wrong: string[]
}

const PATIENCE_MS = 20_000

export async function fuzz(door: Door, random: Random, id: string, met: Met): Promise<void> {
  const draw = random.next()
  if (draw < 0.55) return ask(door, random, id, met)
  // What is mangled may come to the id of another.
  if (draw < 0.65) return mangle(door, random, requestBytes(door, random, `mangled-${random.hex(8)}`))
  const bytes = requestBytes(door, random, id)
  if (draw < 0.8) return hangUp(door, random, bytes)
  if (draw < 0.9) return drip(door, random, bytes)
  return readNothing(door, random, bytes)
}

const ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/messages/count_tokens',
  '/v1/embeddings',
]

/** A good request, or one with anything anywhere. */
function bodyFor(path: string, door: Door, random: Random): string {
  const content = random.next() < 0.004 ? 'x'.repeat(10 * 1024 * 1024) : `Mail ${random.hex(2)}@example.com, please`
  const body: Record<string, unknown> = {
    model: random.next() < 0.9 ? random.pick(door.models) : random.hex(12),
    stream: random.next() < 0.6,
    ...(path === '/v1/responses'
      ? { input: content }
      : path === '/v1/embeddings'
        ? { input: content, stream: undefined }
        : { messages: [{ role: 'user', content }] }),
    ...(path === '/v1/messages' ? { max_tokens: 100 } : {}),
  }
  for (let i = random.next() < 0.5 ? 0 : random.int(1, 3); i > 0; i--) body[random.pick(FIELDS)] = anything(random, 3)
  const text = JSON.stringify(body)
  if (random.next() < 0.05) return text.slice(0, random.int(0, text.length))
  return random.next() < 0.03 ? `${'['.repeat(random.int(1, 50_000))}${text}` : text
}

const FIELDS =
  'model messages input stream stream_options tools tool_choice max_tokens temperature n stop response_format user metadata system instructions thinking reasoning text seed __proto__ constructor encoding_format previous_response_id store top_p logprobs'.split(
    ' ',
  )

function anything(random: Random, depth: number): unknown {
  const leaf = (): unknown =>
    random.pick<unknown>([
      null,
      true,
      false,
      0,
      -1,
      1e308,
      2 ** 53,
      '',
      'auto',
      'user',
      '\u0000',
      '\ud800',
      '🌙'.repeat(50),
    ])
  if (depth === 0 || random.next() < 0.4) return leaf()
  if (random.next() < 0.5) return Array.from({ length: random.int(0, 4) }, () => anything(random, depth - 1))
  const keys = ['role', 'content', 'type', 'text', 'function', 'name', 'image_url', 'id', 'tool_calls', '__proto__']
  return Object.fromEntries(keys.filter(() => random.next() < 0.4).map((key) => [key, anything(random, depth - 1)]))
}

function headersFor(door: Door, random: Random, id: string): Record<string, string> {
  const headers: Record<string, string> = { authorization: `Bearer ${door.key}`, 'x-request-id': id }
  if (random.next() < 0.03) headers['authorization'] = `Bearer mw_${random.hex(43)}`
  if (random.next() < 0.1)
    headers['x-midwatch-deadline-ms'] = random.pick(['1', '50', '-1', '1e9', '99999999999999', 'NaN'])
  if (random.next() < 0.1) headers['x-midwatch-on-cut'] = random.pick(['fail', 'restart', 'continue', 'hope'])
  if (random.next() < 0.1) headers['x-midwatch-cache'] = random.pick(['no-store', 'refresh', '%', ''])
  if (random.next() < 0.1) headers['x-midwatch-user'] = random.pick(['anna', 'ben', 'ü'.repeat(3), 'x'.repeat(300)])
  if (random.next() < 0.02) headers['x-long'] = 'y'.repeat(random.int(1, 40_000))
  if (random.next() < 0.05) headers['anthropic-version'] = random.hex(9)
  if (random.next() < 0.02) headers['content-encoding'] = random.pick(['gzip', 'identity', 'br'])
  return headers
}

/** Asks, and waits for the end of the answer. */
async function ask(door: Door, random: Random, id: string, { statuses, wrong }: Met): Promise<void> {
  const path = random.pick(ENDPOINTS)
  const headers = headersFor(door, random, id)
  if (headers['x-midwatch-user']?.startsWith('ü')) delete headers['x-midwatch-user']
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const response = await fetch(door.url + path, {
      method: 'POST',
      headers,
      body: bodyFor(path, door, random),
      signal,
    })
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
    const text = await response.text()
    if (response.status === 500) wrong.push(`${id}: 500: ${text.slice(0, 200)}`)
  } catch (error) {
    const { name, message, cause } = error as Error
    wrong.push(`${id}: ${name}: ${message}: ${String(cause)}`)
  }
}

function requestBytes(door: Door, random: Random, id: string): Buffer {
  const path = random.pick(ENDPOINTS)
  const body = Buffer.from(bodyFor(path, door, random))
  const head = Object.entries(headersFor(door, random, id)).map(([name, value]) => `${name}: ${value}\r\n`)
  const first = `POST ${path} HTTP/1.1\r\nhost: midwatch\r\n${head.join('')}`
  if (random.next() < 0.5) return Buffer.concat([Buffer.from(`${first}content-length: ${body.length}\r\n\r\n`), body])
  const parts: Buffer[] = [Buffer.from(`${first}transfer-encoding: chunked\r\n\r\n`)]
  for (let at = 0; at < body.length;) {
    const piece = body.subarray(at, at + random.int(1, Math.max(100, body.length / 5)))
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
    at += piece.length
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

/** Open until `work` is done or the other end has closed; then gone, mostly without a farewell. */
async function overSocket({ url }: Door, random: Random, work: (socket: Socket) => Promise<void>): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('close', () => reject(new Error('not let in')))
    })
    await Promise.race([work(socket), closed])
  } finally {
    if (random.next() < 0.7) socket.resetAndDestroy()
    else socket.destroy()
  }
}

/** Sends it all or a part, and is gone after a moment, whatever has come. */
const hangUp = (door: Door, random: Random, bytes: Buffer): Promise<void> =>
  overSocket(door, random, async (socket) => {
    socket.resume()
    socket.write(random.next() < 0.7 ? bytes : bytes.subarray(0, random.int(1, bytes.length)))
    await pause(random.next() < 0.5 ? random.int(0, 30) : random.int(0, 500))
  })

/** A byte or a few at a time, and never the last. */
const drip = (door: Door, random: Random, bytes: Buffer): Promise<void> =>
  overSocket(door, random, async (socket) => {
    socket.resume()
    for (let at = 0; at < Math.min(bytes.length - 1, 400) && !socket.destroyed;) {
      const size = random.int(1, 25)
      socket.write(bytes.subarray(at, at + size))
      at += size
      await pause(10)
    }
  })

/** Not quite HTTP. */
const mangle = (door: Door, random: Random, bytes: Buffer): Promise<void> =>
  overSocket(door, random, async (socket) => {
    socket.resume()
    const broken = Buffer.from(bytes.subarray(0, 20_000))
    for (let i = random.int(1, 10); i > 0; i--)
      broken[random.int(0, Math.min(broken.length - 1, 300))] = random.int(0, 255)
    socket.write(random.next() < 0.5 ? broken : Buffer.concat([bytes, broken]))
    await pause(random.int(0, 300))
  })

/** Takes nothing of what it asked for. */
const readNothing = (door: Door, random: Random, bytes: Buffer): Promise<void> =>
  overSocket(door, random, async (socket) => {
    socket.pause()
    socket.write(bytes)
    await pause(random.int(50, 800))
  })
