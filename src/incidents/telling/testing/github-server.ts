// A stand-in that speaks GitHub's REST protocol as far as issues need it: one repository, people and an App. The shapes and
// sentences of its answers are those of the examples in GitHub's reference (docs.github.com/en/rest/issues, /rest/apps).
import { createPublicKey, verify } from 'node:crypto'
import { z } from 'zod'
import { type Answered, type Asked, serveVendor, type VendorServer } from './vendor-server.ts'

export interface GithubIssue {
  readonly number: number
  readonly title: string
  readonly body: string
  readonly labels: readonly string[]
  readonly user: { readonly login: string }
  readonly comments: { readonly body: string; readonly user: { readonly login: string }; readonly at: number }[]
  readonly at: number
  state: 'open' | 'closed'
}

export interface GithubServer extends VendorServer {
  readonly issues: GithubIssue[]
  /** Set by whoever may push; of others GitHub drops labels without a word. */
  keepsLabels: boolean
}

export interface GithubServerOptions {
  readonly repository: string
  readonly token: string
  readonly login: string
  readonly now: () => number
  /** An App beside: its id and the public half of its key. */
  readonly app?: { readonly id: string; readonly publicKey: string; readonly slug: string }
}

const issueBody = z.strictObject({
  title: z.string().min(1).max(256),
  body: z.string().max(65_536),
  labels: z.array(z.string()),
})

export async function serveGithub(options: GithubServerOptions): Promise<GithubServer> {
  const { repository, login, now, app } = options
  const root = `/repos/${repository}`
  const issues: GithubIssue[] = []
  const appTokens = new Set<string>()
  const fail = (status: number, message: string): Answered => ({
    status,
    body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
  })
  const viewOf = ({ number, title, body, labels, user, state }: GithubIssue) => ({
    id: number,
    node_id: 'MDU6SXNzdWUx',
    html_url: `https://github.com/${repository}/issues/${number}`,
    number,
    title,
    body,
    labels: labels.map((name) => ({ name })),
    user: { ...user, type: 'User' },
    state,
    locked: false,
  })
  const page = <T>(all: readonly T[], query: URLSearchParams): readonly T[] => {
    const size = Number(query.get('per_page') ?? 30)
    const at = (Number(query.get('page') ?? 1) - 1) * size
    return all.slice(at, at + size)
  }

  const list = ({ query }: Asked): Answered => {
    const label = query.get('labels')
    const since = Date.parse(query.get('since') ?? '1970-01-01T00:00:00Z')
    const found = issues
      .filter(({ labels, at }) => at >= since && (label === null || labels.includes(label)))
      .filter(({ state }) => query.get('state') === 'all' || state === 'open')
      .map(viewOf)
    if (query.get('direction') !== 'asc') found.reverse()
    return { status: 200, body: page(found, query) }
  }

  const asApp = ({ method, path, headers }: Asked): Answered | undefined => {
    if (!app || !['/app', `${root}/installation`, '/app/installations/42/access_tokens'].includes(path))
      return undefined
    const [head = '', claims = '', signature = ''] = (headers.authorization ?? '').replace('Bearer ', '').split('.')
    const key = createPublicKey(app.publicKey)
    const good = verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))
    const { iss, exp, iat } = (good ? JSON.parse(Buffer.from(claims, 'base64url').toString()) : {}) as Record<
      string,
      unknown
    >
    if (iss !== app.id || Number(exp) - Number(iat) > 600 || Number(iat) * 1000 > now())
      return fail(401, 'A JSON web token could not be decoded')
    if (path === '/app') return { status: 200, body: { id: Number(app.id), slug: app.slug, name: app.slug } }
    if (method === 'GET')
      return { status: 200, body: { id: 42, account: { login: 'octocat' }, app_id: Number(app.id) } }
    const token = `ghs_${appTokens.size}`
    appTokens.add(token)
    return { status: 201, body: { token, expires_at: new Date(now() + 3_600_000).toISOString() } }
  }

  const onIssue = (issue: GithubIssue, isComments: boolean, asked: Asked, by: string): Answered => {
    if (isComments && asked.method === 'GET') {
      const since = Date.parse(asked.query.get('since') ?? '1970-01-01T00:00:00Z')
      return {
        status: 200,
        body: page(
          issue.comments.filter(({ at }) => at >= since),
          asked.query,
        ),
      }
    }
    if (isComments) {
      const { body } = z.strictObject({ body: z.string().min(1).max(65_536) }).parse(asked.json)
      const comment = { body, user: { login: by }, at: now() }
      issue.comments.push(comment)
      return { status: 201, body: { id: issue.comments.length, ...comment } }
    }
    if (asked.method === 'PATCH') {
      const { state } = z
        .strictObject({
          state: z.enum(['open', 'closed']),
          state_reason: z.enum(['completed', 'not_planned', 'duplicate', 'reopened']),
        })
        .parse(asked.json)
      issue.state = state
    }
    return { status: 200, body: viewOf(issue) }
  }

  const server: GithubServer = Object.assign(
    await serveVendor((asked) => {
      const { method, path, headers } = asked
      const appAnswer = asApp(asked)
      if (appAnswer) return appAnswer
      const token = (headers.authorization ?? '').replace('Bearer ', '')
      if (token !== options.token && !appTokens.has(token)) return fail(401, 'Bad credentials')
      if (headers['user-agent'] === undefined) return fail(403, 'Request forbidden by administrative rules.')
      const by = appTokens.has(token) ? `${app?.slug}[bot]` : login
      if (path === '/user')
        return appTokens.has(token)
          ? fail(403, 'Resource not accessible by integration')
          : { status: 200, body: { login } }
      if (path === `${root}/issues` && method === 'GET') return list(asked)
      if (path === `${root}/issues`) {
        const { title, body, labels } = issueBody.parse(asked.json)
        const kept = server.keepsLabels ? labels : []
        issues.push({
          number: issues.length + 1,
          title,
          body,
          labels: kept,
          user: { login: by },
          comments: [],
          at: now(),
          state: 'open',
        })
        return { status: 201, body: viewOf(issues.at(-1) as GithubIssue) }
      }
      const [, number, comments] = new RegExp(`^${root}/issues/(\\d+)(/comments)?$`).exec(path) ?? []
      const issue = issues.find((one) => String(one.number) === number)
      return issue ? onIssue(issue, comments !== undefined, asked, by) : fail(404, 'Not Found')
    }),
    { issues, keepsLabels: true },
  )
  return server
}
