// The server's side of a WebSocket (RFC 6455), as far as Socket Mode needs it: text, ping and close, one frame a message.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

export interface TextSocket {
  send(text: string): void
  close(): void
}

const TEXT = 1
const CLOSE = 8
const PING = 9
const PONG = 10

export function acceptSocket(request: IncomingMessage, socket: Duplex, onText: (text: string) => void): TextSocket {
  const key = request.headers['sec-websocket-key'] ?? ''
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  let rest = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let frame = takeFrame(rest); frame; frame = takeFrame(rest)) {
      rest = rest.subarray(frame.size)
      if (frame.opcode === TEXT) onText(frame.payload.toString())
      else if (frame.opcode === PING) socket.write(frameOf(PONG, frame.payload))
      else if (frame.opcode === CLOSE) socket.end(frameOf(CLOSE, frame.payload))
    }
  })
  return {
    send: (text) => void socket.write(frameOf(TEXT, Buffer.from(text))),
    close: () => void socket.end(frameOf(CLOSE, Buffer.from([3, 232]))),
  }
}

function frameOf(opcode: number, payload: Buffer): Buffer {
  const long = payload.length > 125
  const head = long ? Buffer.from([0x80 | opcode, 126, 0, 0]) : Buffer.from([0x80 | opcode, payload.length])
  if (long) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** What a client sends is masked. */
function takeFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 6) return undefined
  const short = (bytes[1] ?? 0) & 0x7f
  const at = short === 126 ? 4 : 2
  const length = short === 126 ? bytes.readUInt16BE(2) : short
  const size = at + 4 + length
  if (bytes.length < size) return undefined
  const mask = bytes.subarray(at, at + 4)
  const payload = Buffer.from(bytes.subarray(at + 4, size).map((byte, i) => byte ^ (mask[i % 4] ?? 0)))
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload, size }
}
