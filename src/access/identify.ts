// From a request to its Caller. A key may come as a bearer token, as `x-api-key` (how Anthropic's clients send it), or in
// the cookie that the page was given; where callers cannot set headers, also in the address or as a password. A wrong key
// of ours is refused even where none is needed: it is a mistake to be told.
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
export function createIdentify({
  mode,
  keyRing,
}: IdentifyOptions): (request: IncomingMessage, where?: { readonly keyInUrl: boolean }) => Promise<Caller> {
  return async (request, where) => {
    const key = where?.keyInUrl ? keyOfSender(request) : presentedKey(request.headers)
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

/** The key of a sender of webhooks: as any, or as the password of basic authentication, or as `?key=` of the address. */
function keyOfSender({ headers, url = '' }: IncomingMessage): string | undefined {
  const basic = /^basic +([A-Za-z0-9+/=_-]+)\s*$/i.exec(headers.authorization ?? '')?.[1]
  if (basic !== undefined) {
    const [user = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':')
    return password.join(':').trim() || user.trim()
  }
  const query = url.indexOf('?')
  const inUrl = query < 0 ? null : new URLSearchParams(url.slice(query)).get('key')
  return headers.authorization === undefined && headers['x-api-key'] === undefined && inUrl !== null
    ? inUrl.trim()
    : presentedKey(headers)
}

function cookieValue(cookies: string | undefined, name: string): string | undefined {
  for (const pair of cookies?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}
