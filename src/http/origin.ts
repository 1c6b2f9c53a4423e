// A page of another site, open in the browser of someone whose Midwatch runs on loopback, must not be able to
// approve a fix. Browsers send Origin with every POST and every cross-site request; programs send none.
// The Host check stops DNS rebinding, where a foreign name is made to point at 127.0.0.1.
import type { IncomingMessage } from 'node:http'
import { AppError } from '../core/errors.ts'

const LOOPBACK_HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** Throws `forbidden` for requests that a foreign page caused. */
export function refuseForeignPages(request: IncomingMessage, publicUrl: string | undefined): void {
  const origin = request.headers.origin
  if (origin === undefined) return
  const host = request.headers.host ?? ''
  const own = publicUrl === undefined ? undefined : new URL(publicUrl)
  const hostIsOurs = LOOPBACK_HOSTS.has(host.replace(/:\d+$/, '')) || host === own?.host
  const originIsOurs = URL.canParse(origin) && (new URL(origin).host === host || origin === own?.origin)
  if (!hostIsOurs || !originIsOurs) {
    throw new AppError(
      'forbidden',
      `Pages from ${origin} may not call this server. Set server.publicUrl to the address people use.`,
    )
  }
}
