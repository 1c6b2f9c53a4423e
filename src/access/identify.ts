// From a request to its Caller. A key may come as a bearer token, as `x-api-key` (how Anthropic's clients send it), or in
// the cookie that the page was given. A wrong key of ours is refused even where none is needed: it is a mistake to be told.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type Caller, LOCAL_CALLER } from '../core/caller.ts'
import { AppError } from '../core/errors.ts'
import type { KeyRing } from './key-ring.ts'
import { looksLikeKey } from './keys.ts'

export const SESSION_COOKIE = 'midwatch_session'

export interface IdentifyOptions {
  readonly mode: 'required' | 'off'
  readonly keyRing: KeyRing
}

/** Throws `unauthenticated`, or `unavailable` when it cannot know. */
export function createIdentify({ mode, keyRing }: IdentifyOptions): (request: IncomingMessage) => Promise<Caller> {
  return async (request) => {
    const key = presentedKey(request.headers)
    // Clients of other APIs cannot go without a key, so where none is needed they make one up.
    if (mode === 'off' && (key === undefined || !looksLikeKey(key))) return LOCAL_CALLER
    if (key !== undefined) return keyRing.identify(key)
    throw new AppError('unauthenticated')
  }
}

/** The key a request carries, valid or not. An explicit header wins over the cookie that a browser adds by itself. */
function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization.replace(/^bearer +/i, '').trim()
  const apiKey = headers['x-api-key']
  if (typeof apiKey === 'string') return apiKey.trim()
  return cookieValue(headers.cookie, SESSION_COOKIE)
}

function cookieValue(cookies: string | undefined, name: string): string | undefined {
  for (const pair of cookies?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}
