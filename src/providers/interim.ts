// Some servers say `100 Continue` though nobody asked for it. A client has to read past it (RFC 9110, 15.2), but undici
// takes it for a broken connection. So it is taken out of what the socket delivers, before the head of an answer only:
// once the head has begun, every byte passes as it is.
import type { Socket } from 'node:net'
import { buildConnector } from 'undici'

/** Connects as undici does, over sockets that pass over `100 Continue`. */
export function connectWithoutContinue(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options)
  return (target, done) =>
    connect(target, (...result) => {
      if (result[1]) passOverContinue(result[1])
      done(...result)
    })
}

const CONTINUE = /^HTTP\/1\.[01] 100[ \r][^\n]*\n(?:[^\r\n][^\n]*\n)*\r?\n/
const BEGINNING = 'HTTP/1.1 100'
/** Nobody needs more to say that he has nothing to say. */
const MAX_BYTES = 16 * 1024

function passOverContinue(socket: Socket): void {
  const write = socket.write.bind(socket)
  const read = socket.read.bind(socket)
  let awaitsHead = false
  let held: Buffer | undefined
  socket.write = (...args: unknown[]) => {
    // undici writes the head of a request as text, and its body as bytes.
    if (typeof args[0] === 'string') awaitsHead = true
    return Reflect.apply(write, undefined, args) as boolean
  }
  socket.read = (size?: number) => {
    for (;;) {
      const chunk = read(size) as Buffer | null
      if (chunk === null || !awaitsHead) return chunk
      const bytes = held ? Buffer.concat([held, chunk]) : chunk
      held = undefined
      const rest = withoutContinue(bytes)
      if (rest === 'incomplete') held = bytes
      else if (rest.length > 0) {
        awaitsHead = false
        return rest
      }
    }
  }
}

/** `incomplete`: what is there may become one. */
function withoutContinue(bytes: Buffer): Buffer | 'incomplete' {
  let rest = bytes
  for (;;) {
    const begun = rest.toString('latin1', 0, BEGINNING.length).replace(/^HTTP\/1\.0/, 'HTTP/1.1')
    if (rest.length === 0 || !(BEGINNING.startsWith(begun) || begun === BEGINNING)) return rest
    const found = CONTINUE.exec(rest.toString('latin1', 0, MAX_BYTES))
    if (!found) return rest.length < MAX_BYTES ? 'incomplete' : rest
    rest = rest.subarray(found[0].length)
  }
}
