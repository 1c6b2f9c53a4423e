// A provider down to the socket: HTTP/1.1 written by hand over TCP, so that it can break at any byte. What it does with a
// call is said by the name of the model that it is asked for.
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Asked, readAsked, type Speech } from './speech.ts'

/** One call, and what can be done to it. */
export interface FaultyCall extends Asked {
  readonly speech: Speech
  readonly requestId: string
  /** How often this model has been asked, this time included. */
  readonly count: number
  /** Aborts when the caller's end of the connection is gone. */
  readonly hungUp: AbortSignal
  /** Any bytes at all. */
  raw(bytes: string | Uint8Array): Promise<void>
  head(status: number, headers: Readonly<Record<string, string>>): Promise<void>
  /** A piece of a chunked body. */
  piece(bytes: string): Promise<void>
  /** The orderly end of a chunked body. */
  end(): Promise<void>
  /** RST. */
  reset(): void
  /** FIN. */
  close(): void
}

export type Behaviour = (call: FaultyCall) => Promise<void> | void

export interface FaultServer {
  readonly port: number
  /** How often each model was asked, and when, in ms. */
  readonly calls: ReadonlyMap<string, readonly number[]>
  stop(): Promise<void>
}

const ENDS: readonly (readonly [string, Speech])[] = [
  ['/chat/completions', 'chat'],
  ['/responses', 'responses'],
  ['/messages', 'messages'],
]

export async function startFaultServer(behaviourOf: (model: string) => Behaviour): Promise<FaultServer> {
  const calls = new Map<string, number[]>()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    const gone = new AbortController()
    socket.on('error', () => undefined)
    socket.once('close', () => {
      sockets.delete(socket)
      gone.abort()
    })
    void serve(socket, gone.signal, (head, body) => {
      const path = head.split(' ', 2)[1] ?? ''
      const requestId = /^x-request-id: *(\S+)/im.exec(head)?.[1] ?? ''
      const asked = readAsked(body)
      const times = calls.get(asked.model) ?? []
      calls.set(asked.model, times)
      times.push(performance.now())
      const speech = ENDS.find(([end]) => path.includes(end))?.[1] ?? 'chat'
      return behaviourOf(asked.model)({
        ...asked,
        ...primitives(socket, gone.signal),
        speech,
        requestId,
        count: times.length,
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** One request after the other, as they come over the connection. */
async function serve(
  socket: Socket,
  gone: AbortSignal,
  handle: (head: string, body: string) => Promise<void> | void,
): Promise<void> {
  let received = Buffer.alloc(0)
  let later: Buffer[] = []
  let size = 0
  let wanted = 0
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      later.push(chunk)
      size += chunk.length
      if (size < wanted) continue
      received = Buffer.concat([received, ...later])
      later = []
      const headEnd = received.indexOf('\r\n\r\n')
      if (headEnd === -1) continue
      const head = received.subarray(0, headEnd).toString('latin1')
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
      const bodyEnd = headEnd + 4 + length
      wanted = bodyEnd
      if (received.length < bodyEnd) continue
      const body = received.subarray(headEnd + 4, bodyEnd).toString('utf8')
      received = received.subarray(bodyEnd)
      size = received.length
      wanted = 0
      await handle(head, body)
      if (gone.aborted) return
    }
  } catch {
    // The gateway hung up, or the behaviour did.
  }
}

function primitives(socket: Socket, hungUp: AbortSignal) {
  const raw = async (bytes: string | Uint8Array): Promise<void> => {
    if (socket.destroyed) return
    await new Promise<void>((resolve) => socket.write(bytes, () => resolve()))
    // So that what follows is in another packet.
    await nextTurn()
  }
  return {
    hungUp,
    raw,
    head: (status: number, headers: Readonly<Record<string, string>>) =>
      raw(
        `HTTP/1.1 ${status} Answer\r\n${Object.entries(headers)
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join('')}\r\n`,
      ),
    piece: (bytes: string) => raw(`${Buffer.byteLength(bytes).toString(16)}\r\n${bytes}\r\n`),
    end: () => raw('0\r\n\r\n'),
    reset: () => {
      socket.resetAndDestroy()
    },
    close: () => {
      socket.end()
    },
  }
}
