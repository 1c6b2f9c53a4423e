// Tells other programs about an incident: one JSON POST, signed when a secret is set. Whoever receives it checks
// `x-midwatch-signature: sha256=HEX`, the HMAC-SHA256 of the body's bytes, and drops a known `idempotency-key`.
import { createHmac } from 'node:crypto'
import { fetchOnce } from '../../../actions/one-shot.ts'
import { AppError } from '../../../core/errors.ts'
import type { Secret } from '../../../core/secret.ts'
import type { Channel } from '../channel.ts'
import { retryAfterOf } from '../vendor-api.ts'

export interface WebhookOptions {
  readonly url: string
  readonly secret?: Secret | undefined
  readonly fetch?: typeof fetch
}

const TIMEOUT_MS = 10_000

/** Its `tell` throws AppError `upstream` unless the receiver answers 2xx. */
export function createWebhook({ url, secret, fetch: fetchUrl = fetchOnce }: WebhookOptions): Channel {
  return {
    name: 'webhook',
    wants: new Set(['diagnosed', 'proposed', 'acted', 'escalated', 'acknowledged', 'closed']),
    async tell({ kind, at, key, details, to, incident: told }, signal) {
      const { id, number, severity, state, outcome, title, sentence, service, url: page } = told
      const incident = { id, number, severity, state, outcome, title, sentence, service, url: page }
      // Where else it goes, which names addresses of people, is not its concern.
      const { targets: _targets, ...about } = details
      const body = JSON.stringify({ event: kind, at, ...(to === null ? {} : { to }), incident, ...about })
      let response: Response
      try {
        response = await fetchUrl(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            // Two people are told of one news.
            'idempotency-key': to === null ? key : `${key}:${encodeURIComponent(to)}`,
            ...(secret ? { 'x-midwatch-signature': signatureOf(body, secret) } : {}),
          },
          body,
          redirect: 'manual',
          signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        })
      } catch (error) {
        throw new AppError('upstream', 'The notification webhook could not be reached.', { cause: error })
      }
      await response.body?.cancel()
      if (!response.ok) {
        const seconds = retryAfterOf(response.headers)
        const wait = seconds === undefined ? {} : { retryAfterSeconds: seconds }
        throw new AppError('upstream', `The notification webhook answered ${response.status}.`, wait)
      }
      return `The webhook was told: ${kind}.`
    },
  }
}

export const signatureOf = (body: string, secret: Secret): string =>
  `sha256=${createHmac('sha256', secret.reveal()).update(body).digest('hex')}`
