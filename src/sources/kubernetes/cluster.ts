// A Kubernetes API server, only ever read: there is no other request here than GET of a list or of one object. The official
// client says where the server is and who asks (kubeconfig, exec plugins, the pod's own service account, its certificates);
// the answers are read here, bounded in time, in size and in number, as those of every other source.
import type { HttpLibrary, KubeConfig, RequestContext } from '@kubernetes/client-node'
import { z } from 'zod'
import { orAborted } from '../../core/deadline.ts'
import { AppError } from '../../core/errors.ts'
import { readBounded } from '../../core/read-bounded.ts'

export interface ClusterOptions {
  /** A kubeconfig file; without one $KUBECONFIG, ~/.kube/config, or the service account of the pod Midwatch runs in. */
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  /** Only these are asked for; empty: all, for which a cluster-wide role is needed. */
  readonly namespaces: readonly string[]
  readonly timeoutMs?: number | undefined
  readonly maxBytes?: number | undefined
  /** Objects of one list beyond it are not read. */
  readonly maxObjects?: number | undefined
  readonly pageSize?: number | undefined
}

/** `group` is `api/v1` or `apis/apps/v1`. */
export interface Kind {
  readonly group: string
  readonly plural: string
}

export interface Listed<T> {
  readonly items: readonly T[]
  /** Whether there were more objects than are read. */
  readonly cut: boolean
}

export interface Cluster {
  readonly namespaces: readonly string[]
  /** All objects of a kind in the namespaces. `metadataOnly`: the server sends no contents. Items of another shape are left out. */
  list<T>(kind: Kind, shape: z.ZodType<T>, signal: AbortSignal, metadataOnly?: boolean): Promise<Listed<T>>
  /** Undefined when it is not there, or is in no namespace that may be read. */
  read<T>(kind: Kind, namespace: string, name: string, shape: z.ZodType<T>, signal: AbortSignal): Promise<T | undefined>
}

const page = z.object({
  metadata: z.object({ continue: z.string().nullish() }).nullish(),
  items: z.array(z.unknown()).nullable(),
})
const status = z.object({ kind: z.literal('Status'), message: z.string().default(''), reason: z.string().nullish() })

const JSON_ONLY = 'application/json'
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

interface Client {
  readonly config: KubeConfig
  readonly newGet: (url: string) => RequestContext
  readonly http: HttpLibrary
  readonly server: string
}

export function createCluster(options: ClusterOptions): Cluster {
  const timeoutMs = options.timeoutMs ?? 10_000
  const maxBytes = options.maxBytes ?? 32 * 1024 * 1024
  const maxObjects = options.maxObjects ?? 10_000
  const pageSize = options.pageSize ?? 500
  let client: Promise<Client> | undefined

  // A kubeconfig that is mended, or a token that is mounted later, counts at the next question.
  const connected = (): Promise<Client> =>
    (client ??= connect(options).catch((error: unknown) => {
      client = undefined
      throw error
    }))

  const get = async (path: string, query: URLSearchParams, accept: string, signal: AbortSignal) => {
    signal.throwIfAborted()
    const { config, newGet, http, server } = await connected()
    const name = `Kubernetes at ${server}`
    const timeout = AbortSignal.timeout(timeoutMs)
    const either = AbortSignal.any([signal, timeout])
    try {
      either.throwIfAborted()
      const request = newGet(`${server}${path}${query.size === 0 ? '' : `?${query.toString()}`}`)
      const authorized = config.applySecurityAuthentication(request).catch((error: unknown) => {
        throw new AppError('upstream', `${name} cannot be asked with the credentials and address of its kubeconfig.`, {
          cause: error,
        })
      })
      // It may run a program that asks somebody else, and has no deadline of its own.
      await orAborted(authorized, either)
      request.setHeaderParam('accept', accept)
      request.setHeaderParam('user-agent', 'midwatch')
      request.setSignal(either)
      const reply = await http.send(request).toPromise()
      const text = await readBounded(reply.body.stream(), maxBytes)
      if (text === undefined)
        throw new AppError('upstream', `${name} answered with more than ${maxBytes} bytes. Name fewer namespaces.`)
      return { name, code: reply.httpStatusCode, json: parseJson(text), text }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof AppError) throw error
      if (timeout.aborted)
        throw new AppError('deadline', `${name} did not answer within ${timeoutMs} ms.`, { cause: error })
      throw new AppError('upstream', `${name} cannot be reached.`, { cause: error })
    }
  }

  const listAt = async (path: string, accept: string, most: number, signal: AbortSignal): Promise<Listed<unknown>> => {
    let items: unknown[] = []
    let token: string | undefined
    let restarted = false
    for (;;) {
      const query = new URLSearchParams({ limit: String(pageSize) })
      if (token !== undefined) query.set('continue', token)
      const answer = await get(path, query, accept, signal)
      // The list as it was when it was begun is no longer kept: begin once more.
      if (answer.code === 410 && token !== undefined && !restarted) {
        restarted = true
        items = []
        token = undefined
        continue
      }
      const read = understand(answer, page, path)
      items.push(...(read.items ?? []))
      token = read.metadata?.continue ?? undefined
      if (token === undefined || token === '') return { items: items.slice(0, most), cut: items.length > most }
      if (items.length >= most) return { items: items.slice(0, most), cut: true }
      if (read.items === null || read.items.length === 0)
        throw new AppError('upstream', `${answer.name} gives pages without anything in them.`)
    }
  }

  return {
    namespaces: options.namespaces,
    async list<T>({ group, plural }: Kind, shape: z.ZodType<T>, signal: AbortSignal, metadataOnly = false) {
      const scopes = options.namespaces.length === 0 ? [''] : options.namespaces.map((one) => `namespaces/${one}/`)
      const items: T[] = []
      let cut = false
      for (const scope of scopes) {
        const accept = metadataOnly ? METADATA_ONLY : JSON_ONLY
        const found = await listAt(`/${group}/${scope}${plural}`, accept, maxObjects - items.length, signal)
        cut ||= found.cut
        for (const item of found.items) {
          const parsed = shape.safeParse(item)
          if (parsed.success) items.push(parsed.data)
        }
      }
      return { items, cut }
    },
    async read<T>({ group, plural }: Kind, namespace: string, name: string, shape: z.ZodType<T>, signal: AbortSignal) {
      if (options.namespaces.length > 0 && !options.namespaces.includes(namespace)) return undefined
      const path = `/${group}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`
      const answer = await get(path, new URLSearchParams(), JSON_ONLY, signal)
      if (answer.code === 404) return undefined
      return understand(answer, shape, path)
    },
  }
}

/** The client is large and only loaded where a cluster is configured. */
async function connect({ kubeconfig, context }: ClusterOptions): Promise<Client> {
  const { HttpMethod, IsomorphicFetchHttpLibrary, KubeConfig, RequestContext } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    if (kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
    if (context !== undefined) config.setCurrentContext(context)
    const server = config.getCurrentCluster()?.server
    if (server === undefined) throw new Error(`there is no context ${config.getCurrentContext()}`)
    return {
      config,
      newGet: (url) => new RequestContext(url, HttpMethod.GET),
      http: new IsomorphicFetchHttpLibrary(),
      server: server.replace(/\/+$/, ''),
    }
  } catch (error) {
    const where = kubeconfig === undefined ? 'The kubeconfig' : `The kubeconfig ${kubeconfig}`
    throw new AppError(
      'upstream',
      `${where} cannot be used. See agent.sources.kubernetes: it needs a file that can be read and a context in it.`,
      { cause: error },
    )
  }
}

function understand<T>(
  answer: { name: string; code: number; json: unknown; text: string },
  shape: z.ZodType<T>,
  path: string,
): T {
  const { name, code, json, text } = answer
  if (code < 200 || code > 299) {
    const said = status.safeParse(json).data?.message ?? text
    const sentence =
      code === 401
        ? 'answered 401: its credentials are not accepted'
        : code === 403
          ? `answered 403: its account may not get or list ${path}`
          : `answered ${code}`
    throw new AppError('upstream', `${name} ${sentence}.`, { cause: new Error(said.slice(0, 500)) })
  }
  const parsed = shape.safeParse(json)
  if (!parsed.success)
    throw new AppError('upstream', `${name} answered in a shape that is not its API.`, { cause: parsed.error })
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
