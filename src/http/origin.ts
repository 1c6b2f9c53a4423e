// A page of another site, open in the browser of someone whose Midwatch runs on loopback, must not be able to
// approve a fix. Browsers send Origin with every POST and every cross-site request; programs send none.
// The Host check stops DNS rebinding, where a foreign name is made to point at 127.0.0.1.
import type { IncomingMessage } from 'node:http'
import { AppError } from '../core/errors.ts'

const LOOPBACK_HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]'])

/**
 * Throws `forbidden` for requests that a foreign page caused. Where no key is asked for (`keyless`), reading is
 * guarded too: a rebound name sends no Origin with a GET, but it cannot hide its Host.
 */
export function refuseForeignPages(request: IncomingMessage, publicUrl: string | undefined, keyless: boolean): void {
  const { origin, host = '' } = request.headers
  if (origin === undefined && !keyless) return
  const own = publicUrl === undefined ? undefined : new URL(publicUrl)
  const hostIsOurs = LOOPBACK_HOSTS.has(host.replace(/:\d+$/, '')) || host === own?.host
  const originIsOurs =
    origin === undefined || (URL.canParse(origin) && (new URL(origin).host === host || origin === own?.origin))
  if (!hostIsOurs || !originIsOurs) {
    throw new AppError(
      'forbidden',
      `Requests for ${host || 'no host'}${origin === undefined ? '' : ` from pages of ${origin}`} are not served. Set server.publicUrl to the address people use.`,
    )
  }
}
