// Tells other programs about an incident: one JSON POST, signed when a secret is set. Whoever receives it checks
// `x-midwatch-signature: sha256=HEX`, the HMAC-SHA256 of the body's bytes, and drops a known `idempotency-key`.
import { createHmac } from 'node:crypto'
import { AppError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import { fetchOnce } from '../one-shot.ts'

export interface WebhookOptions {
  readonly url: string
  readonly secret?: Secret | undefined
  readonly fetch?: typeof fetch
}

export interface Webhook {
  /** Throws AppError `upstream` unless the receiver answers 2xx; it may be sent again with the same key. */
  post(message: unknown, key: string, signal: AbortSignal): Promise<void>
}

const TIMEOUT_MS = 10_000

export function createWebhook({ url, secret, fetch: fetchUrl = fetchOnce }: WebhookOptions): Webhook {
  return {
    async post(message, key, signal) {
      const body = JSON.stringify(message)
      let response: Response
      try {
        response = await fetchUrl(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'idempotency-key': key,
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
      if (!response.ok) throw new AppError('upstream', `The notification webhook answered ${response.status}.`)
    },
  }
}

export const signatureOf = (body: string, secret: Secret): string =>
  `sha256=${createHmac('sha256', secret.reveal()).update(body).digest('hex')}`
