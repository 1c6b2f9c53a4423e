// A stand-in for kube-apiserver: lists of objects by path with its paging (`limit`, `continue`, 410 when a continued list is too
// old), single objects, metadata alone where that is asked for, and its Status objects for what it refuses.
import { type AnsweringServer, startAnswering } from '../../testing/answering-server.ts'

type Json = Readonly<Record<string, unknown>>
export type KubeObject = Json & { readonly metadata: Json }

export interface ApiServer extends AnsweringServer {
  /** `apis/apps/v1/deployments` → objects. A test may change it as it goes. */
  readonly objects: Record<string, KubeObject[]>
  /** Paths that are forbidden. */
  readonly forbidden: Set<string>
  /** How many continued lists are said to be too old. */
  expired: number
  /** Whether it leaves every question unanswered. */
  hung: boolean
}

export async function startApiServer(objects: Record<string, KubeObject[]>): Promise<ApiServer> {
  const forbidden = new Set<string>()
  const refusal = (code: number, reason: string, message: string) => ({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
  })
  const held = { expired: 0, hung: false }
  const server = await startAnswering(({ url, headers, method }, response) => {
    if (held.hung) return undefined
    response.setHeader('content-type', 'application/json')
    const refuse = (code: number, reason: string, message: string) => {
      response.statusCode = code
      return refusal(code, reason, message)
    }
    if (method !== 'GET') return refuse(403, 'Forbidden', 'this account may only read')
    if (headers.authorization !== 'Bearer the-token') return refuse(401, 'Unauthorized', 'Unauthorized')
    const match = /^\/(api\/v1|apis\/[^/]+\/[^/]+)\/(?:namespaces\/([^/]+)\/)?([a-z]+)(?:\/([^/]+))?$/.exec(
      url.pathname,
    )
    const [, group = '', namespace, plural = '', name] = match ?? []
    const kind = `${group}/${plural}`
    if (forbidden.has(kind))
      return refuse(403, 'Forbidden', `${plural} is forbidden: User "midwatch" cannot list resource`)
    const all = (objects[kind] ?? []).filter(
      ({ metadata }) => namespace === undefined || metadata['namespace'] === decodeURIComponent(namespace),
    )
    if (name !== undefined) {
      const found = all.find(({ metadata }) => metadata['name'] === decodeURIComponent(name))
      return found ?? refuse(404, 'NotFound', `${plural} "${name}" not found`)
    }
    const from = Number(Buffer.from(url.searchParams.get('continue') ?? '', 'base64').toString() || 0)
    if (from > 0 && held.expired > 0) {
      held.expired--
      return refuse(410, 'Expired', 'The provided continue parameter is too old')
    }
    const limit = Number(url.searchParams.get('limit') ?? all.length)
    const rest = all.length - from - limit
    const metadataOnly = headers.accept?.includes('as=PartialObjectMetadataList') === true
    return {
      kind: metadataOnly ? 'PartialObjectMetadataList' : 'List',
      apiVersion: metadataOnly ? 'meta.k8s.io/v1' : 'v1',
      metadata: {
        resourceVersion: '1',
        ...(rest > 0
          ? { continue: Buffer.from(String(from + limit)).toString('base64'), remainingItemCount: rest }
          : {}),
      },
      items: all.slice(from, from + limit).map((one) => (metadataOnly ? { metadata: one.metadata } : one)),
    }
  })
  return {
    url: server.url,
    asked: server.asked,
    objects,
    forbidden,
    get expired() {
      return held.expired
    },
    set expired(value: number) {
      held.expired = value
    },
    get hung() {
      return held.hung
    },
    set hung(value: boolean) {
      held.hung = value
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** As `kubectl config view --flatten` prints one. */
export const kubeconfigFor = (url: string, user: object = { token: 'the-token' }): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'shop',
    clusters: [{ name: 'shop', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'midwatch', user }],
    contexts: [
      { name: 'shop', context: { cluster: 'shop', user: 'midwatch' } },
      { name: 'elsewhere', context: { cluster: 'nowhere', user: 'midwatch' } },
    ],
  })
