// How GitHub knows who asks: a token as it is, or an App that signs a short-lived word for itself (RS256) and is given a token
// for an hour at its installation. What it is called matters too: only its own issues and comments are taken for ours.
import { createPrivateKey, sign } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../../core/clock.ts'
import { AppError } from '../../../core/errors.ts'
import type { Secret } from '../../../core/secret.ts'
import { refusalOf, type VendorApi, type VendorAnswer } from '../vendor-api.ts'

export type GithubCredentials =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'app'; readonly appId: string; readonly privateKey: Secret }

export interface Authorizer {
  /** The header's value for calls about this repository. */
  authorizationFor(repository: string, signal: AbortSignal): Promise<string>
  /** The login that our issues carry; undefined where GitHub does not say. */
  login(repository: string, signal: AbortSignal): Promise<string | undefined>
  /** After a 401: asks anew next time. */
  forget(): void
}

const installation = z.object({ id: z.number() })
const accessToken = z.object({ token: z.string(), expires_at: z.iso.datetime({ offset: true }) })
const app = z.object({ slug: z.string() })
const user = z.object({ login: z.string() })

/** It is renewed this long before it ends. */
const EARLY_MS = 5 * 60_000

export function authorize(api: VendorApi, credentials: GithubCredentials, clock: Clock): Authorizer {
  const tokens = new Map<string, { readonly token: string; readonly untilMs: number }>()
  let login: string | undefined
  const read = <T>(answer: VendorAnswer, schema: z.ZodType<T>): T => {
    const good = answer.status >= 200 && answer.status < 300
    const parsed = schema.safeParse(answer.json)
    if (good && parsed.success) return parsed.data
    throw refusalOf(api, answer, {
      advice: {
        401: 'the App is not accepted; check appId and privateKey in agent.tickets.github, and this machine’s clock',
        404: 'the App is not installed at this repository; install it there with the permission to write issues',
      },
    })
  }
  const asApp = (appId: string, key: Secret) => ({ authorization: `Bearer ${signJwt(appId, key, clock.now())}` })

  const installationToken = async (appId: string, key: Secret, repository: string, signal: AbortSignal) => {
    const known = tokens.get(repository)
    if (known && known.untilMs - EARLY_MS > clock.now()) return known.token
    const headers = asApp(appId, key)
    const { id } = read(
      await api.call({ method: 'GET', path: `/repos/${repository}/installation`, headers }, signal),
      installation,
    )
    const path = `/app/installations/${id}/access_tokens`
    const body = { repositories: [repository.split('/')[1]], permissions: { issues: 'write' } }
    const given = read(await api.call({ method: 'POST', path, headers, body }, signal), accessToken)
    tokens.set(repository, { token: given.token, untilMs: Date.parse(given.expires_at) })
    return given.token
  }

  const authorizationFor = async (repository: string, signal: AbortSignal): Promise<string> =>
    `Bearer ${
      credentials.kind === 'token'
        ? credentials.token.reveal()
        : await installationToken(credentials.appId, credentials.privateKey, repository, signal)
    }`

  return {
    authorizationFor,
    login: async (repository, signal) => {
      if (login !== undefined) return login
      if (credentials.kind === 'app') {
        const headers = asApp(credentials.appId, credentials.privateKey)
        login = `${read(await api.call({ method: 'GET', path: '/app', headers }, signal), app).slug}[bot]`
      } else {
        const headers = { authorization: await authorizationFor(repository, signal) }
        // A token of an installation belongs to nobody, and is told so.
        const answer = await api.call({ method: 'GET', path: '/user', headers }, signal)
        if (answer.status === 200) login = read(answer, user).login
      }
      return login
    },
    forget: () => tokens.clear(),
  }
}

/** RFC 7519; nine minutes, begun a minute ago, for GitHub takes ten and clocks differ. */
function signJwt(appId: string, privateKey: Secret, nowMs: number): string {
  const now = Math.floor(nowMs / 1000)
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode({ iat: now - 60, exp: now + 540, iss: appId })}`
  try {
    const key = createPrivateKey(privateKey.reveal())
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`
  } catch {
    // What the key's reader says of it may quote it.
    throw new AppError(
      'malformed',
      'agent.tickets.github.privateKey is no private key in PEM form. Put in the one that GitHub made for the App.',
    )
  }
}
