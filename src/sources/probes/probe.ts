// One probe of a URL, phase by phase: resolve, connect, TLS, until the first byte, the rest. The certificate is looked at before
// anything is sent, so that a header of the config never reaches a server that is not who it should be. Redirects are answers.
import { lookup } from 'node:dns/promises'
import { type IncomingMessage, request } from 'node:http'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { describeError } from '../../core/errors.ts'
import { readBounded } from '../../core/read-bounded.ts'

export interface ProbeTarget {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Any of 200 to 399 unless told. */
  readonly expectStatus?: readonly number[] | undefined
  readonly expectBody?: string | undefined
  /** PEM. */
  readonly ca?: string | undefined
}

export type Phase = 'resolve' | 'connect' | 'tls' | 'processing' | 'transfer'

export interface Probed {
  /** Empty when it answered as it should. */
  readonly problem: string
  readonly tookMs: number
  /** Of those that were reached. */
  readonly phasesMs: Readonly<Partial<Record<Phase, number>>>
  readonly status?: number
  /** When its certificate ends, also where that is why it failed. */
  readonly certificateEndsMs?: number
}

/** More of a body is not read. */
const MAX_BODY = 1024 * 1024

/** Never throws; `signal` ends it like a timeout does. */
export async function probe(target: ProbeTarget, signal: AbortSignal): Promise<Probed> {
  const timeout = AbortSignal.timeout(target.timeoutMs)
  const either = AbortSignal.any([signal, timeout])
  const url = new URL(target.url)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const phasesMs: Partial<Record<Phase, number>> = {}
  const began = performance.now()
  let reached = began
  const ended = (phase: Phase): void => {
    const now = performance.now()
    phasesMs[phase] = now - reached
    reached = now
  }
  let socket: Socket | undefined
  let status: number | undefined
  let certificateEndsMs: number | undefined
  const result = (problem: string): Probed => ({
    problem,
    tookMs: performance.now() - began,
    phasesMs,
    ...(status === undefined ? {} : { status }),
    ...(certificateEndsMs === undefined ? {} : { certificateEndsMs }),
  })
  try {
    const address = isIP(host) === 0 ? (await orOver(lookup(host), either)).address : host
    ended('resolve')
    socket = connectTcp({ host: address, port })
    await happened(socket, 'connect', either)
    ended('connect')
    if (url.protocol === 'https:') {
      const secure = connectTls({
        socket,
        rejectUnauthorized: false,
        ALPNProtocols: ['http/1.1'],
        ...(isIP(host) === 0 ? { servername: host } : { host }),
        ...(target.ca === undefined ? {} : { ca: target.ca }),
      })
      socket = secure
      await happened(secure, 'secureConnect', either)
      ended('tls')
      certificateEndsMs = endOf(secure)
      if (!secure.authorized)
        return result(`its certificate is not accepted: ${String(secure.authorizationError).slice(0, 100)}`)
    }
    const response = await ask(socket, url, target.headers, either)
    ended('processing')
    status = response.statusCode ?? 0
    const body = await orOver(readBounded(response, MAX_BODY), either)
    ended('transfer')
    const fine = target.expectStatus?.includes(status) ?? (status >= 200 && status < 400)
    if (!fine) return result(`it answered ${status}`)
    if (target.expectBody !== undefined && body?.includes(target.expectBody) !== true)
      return result('its answer does not have the expected text in it')
    return result('')
  } catch (error) {
    if (timeout.aborted) return result(`no answer in ${target.timeoutMs} ms`)
    return result(describeError(error).slice(0, 200))
  } finally {
    socket?.destroy()
  }
}

/** Rejects when it fails or ends first. The socket keeps a listener, as it may fail again when nobody looks. */
function happened(socket: Socket | TLSSocket, event: 'connect' | 'secureConnect', over: AbortSignal): Promise<void> {
  const wait = new Promise<void>((resolve, reject) => {
    socket.once(event, () => resolve())
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
  })
  return orOver(wait, over)
}

function ask(socket: Socket, url: URL, headers: ProbeTarget['headers'], over: AbortSignal): Promise<IncomingMessage> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({
      createConnection: () => socket,
      path: `${url.pathname}${url.search}`,
      headers: { 'user-agent': 'midwatch-probe', accept: '*/*', ...headers, host: url.host, connection: 'close' },
    })
    sent.once('response', resolve)
    sent.on('error', reject)
    sent.end()
  })
  return orOver(answered, over)
}

/** Lookups and sockets that do not listen to a signal are left behind. */
async function orOver<T>(work: Promise<T>, over: AbortSignal): Promise<T> {
  work.catch(() => undefined)
  over.throwIfAborted()
  const done = new AbortController()
  const late = new Promise<never>((_, reject) => {
    over.addEventListener('abort', () => reject(new Error('over')), { once: true, signal: done.signal })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    done.abort()
  }
}

function endOf(socket: TLSSocket): number | undefined {
  const ends = Date.parse(socket.getPeerCertificate().valid_to)
  return Number.isNaN(ends) ? undefined : ends
}
