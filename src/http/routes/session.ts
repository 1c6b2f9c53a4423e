// The page cannot keep a key where scripts can read it: it hands it in once and gets a cookie that only the browser sees.
import { z } from 'zod'
import { SESSION_COOKIE } from '../../access/identify.ts'
import type { KeyRing } from '../../access/key-ring.ts'
import { AppError } from '../../core/errors.ts'
import type { Route } from '../exchange.ts'

export interface SessionOptions {
  readonly keyRing: KeyRing
  readonly publicUrl: string | undefined
}

const MAX_AGE_SECONDS = 30 * 86_400

const opening = z.strictObject({ key: z.string().trim() })

/** `POST /v1/session {key}` → 204 and the cookie; `DELETE` clears it. */
export function sessionRoutes({ keyRing, publicUrl }: SessionOptions): Route[] {
  // Browsers drop a Secure cookie that comes over plain HTTP, so it is set where the page is served over HTTPS.
  const secure = publicUrl?.startsWith('https:') === true ? '; Secure' : ''
  const cookie = (value: string, maxAgeSeconds: number) =>
    `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure}`
  return [
    {
      method: 'POST',
      path: '/v1/session',
      scope: null,
      handle: async (exchange) => {
        const { key } = await exchange.json(opening)
        await keyRing.identify(key).catch((error: unknown) => {
          // A person typed it: the advice about headers is for programs.
          if (!(error instanceof AppError) || error.code !== 'unauthenticated') throw error
          throw new AppError('unauthenticated', 'This key is not known, or it was revoked.', { cause: error })
        })
        return { status: 204, headers: { 'set-cookie': cookie(key, MAX_AGE_SECONDS) }, body: '' }
      },
    },
    {
      method: 'DELETE',
      path: '/v1/session',
      scope: null,
      handle: async () => ({ status: 204, headers: { 'set-cookie': cookie('', 0) }, body: '' }),
    },
  ]
}
