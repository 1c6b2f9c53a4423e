// Issues at GitHub, or a GitHub Enterprise Server. GitHub takes no key that would make a second filing the same as the first,
// and its search lags; its lists do not. So an issue is found again in the lists (of our label, and of what changed since the
// incident began, for a label is dropped in silence where the token may not set it) by a mark in its body that no reader sees,
// and only where we wrote it. What remains is an issue that GitHub is still writing down while it is looked for.
import { z } from 'zod'
import type { Clock } from '../../../core/clock.ts'
import { AppError } from '../../../core/errors.ts'
import type { Secret } from '../../../core/secret.ts'
import type { Channel } from '../channel.ts'
import { titleOf } from '../ticket-words.ts'
import { createTickets, type FiledOn, type Ticket, type TicketSystem } from '../tickets.ts'
import { connectVendorApi, refusalOf, retryAfterOf, type VendorAnswer, type VendorCall } from '../vendor-api.ts'
import { authorize, type GithubCredentials } from './credentials.ts'
import { findMark, markOf, toMarkdown } from './markdown.ts'

export interface GithubOptions {
  /** `https://api.github.com`, or an Enterprise Server's with `/api/v3`. */
  readonly url: string
  readonly credentials: GithubCredentials
  /** `owner/name`. */
  readonly repository: string
  readonly on: FiledOn
  readonly labels: readonly string[]
  /** Whether an issue is closed with its incident. */
  readonly close: boolean
  readonly clock: Clock
  readonly timeoutMs?: number
  readonly fetch?: typeof fetch
}

/** Pages of a hundred that are looked through. */
const MOST_PAGES = 5
/** How far their clock may be from ours. */
const SKEW_MS = 15 * 60_000
const LABEL = 'midwatch'
/** GitHub takes 65,536. */
const MAX_BODY = 60_000

const account = z.object({ login: z.string() }).nullish()
const issue = z.object({
  number: z.number().int(),
  html_url: z.url({ protocol: /^https?$/ }),
  state: z.string(),
  body: z.string().nullish(),
  user: account,
  /** Pull requests are in the lists too. */
  pull_request: z.unknown().optional(),
})
type Issue = z.infer<typeof issue>
const comment = z.object({ body: z.string().nullish(), user: account })

const failure = z.object({
  message: z.string(),
  errors: z
    .array(
      z.union([
        z.string(),
        z.looseObject({
          message: z.string().optional(),
          field: z.string().optional(),
          code: z.string().optional(),
          value: z.unknown().optional(),
        }),
      ]),
    )
    .nullish(),
})

export function createGithub(options: GithubOptions): Channel {
  return createTickets(githubSystem(options), options.on)
}

function githubSystem(options: GithubOptions): TicketSystem {
  const { credentials, clock, timeoutMs, fetch } = options
  const api = connectVendorApi({
    kind: 'GitHub',
    url: options.url,
    headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
    secrets: secretsOf(credentials),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(fetch === undefined ? {} : { fetch }),
  })
  const authorizer = authorize(api, credentials, clock)

  const call = async (repository: string, asked: VendorCall, signal: AbortSignal): Promise<VendorAnswer> => {
    const authorization = await authorizer.authorizationFor(repository, signal)
    const path = `/repos/${repository}${asked.path}`
    const answer = await api.call({ ...asked, path, headers: { authorization } }, signal)
    if (answer.status === 401) authorizer.forget()
    return answer
  }
  const refused = (answer: VendorAnswer): AppError =>
    refusalOf(api, answer, {
      said: complaintsOf(answer.json),
      waitSeconds: waitSecondsOf(answer, clock),
      advice: {
        301: 'the repository has moved; put its new name into agent.tickets.github.repository',
        401: 'the credentials of agent.tickets.github are not accepted; make new ones and put them in',
        403: 'the token or App of agent.tickets.github may not do this; give it the permission to write issues of the repository',
        404: 'there is no such repository or issue, or it is hidden; check agent.tickets.github.repository, and give the token or App access to it with the permission to write issues',
        410: 'the repository has its issues switched off, or this one was deleted; switch them on, or name another one in agent.tickets.github.repository',
        422: 'it does not take what was sent; agent.tickets.github has the settings',
      },
    })
  const read = <T>(answer: VendorAnswer, schema: z.ZodType<T>): T => {
    if (answer.status < 200 || answer.status > 299) throw refused(answer)
    const parsed = schema.safeParse(answer.json)
    if (parsed.success) return parsed.data
    throw new AppError(
      'upstream',
      `${api.name} answered in a shape that is not its API. Is the address that of GitHub's API?`,
      {
        cause: parsed.error,
      },
    )
  }

  /** The first entry of a list that is it, page by page. */
  const findIn = async <T>(
    repository: string,
    path: string,
    schema: z.ZodType<T>,
    isIt: (one: T) => boolean,
    signal: AbortSignal,
  ): Promise<T | undefined> => {
    for (let page = 1; page <= MOST_PAGES; page++) {
      const asked: VendorCall = { method: 'GET', path: `${path}&per_page=100&page=${page}` }
      const entries = read(await call(repository, asked, signal), z.array(schema))
      const one = entries.find(isIt)
      if (one !== undefined || entries.length < 100) return one
    }
    return undefined
  }

  const ticketOf = (repository: string, { number, html_url, state, body }: Issue): Ticket => {
    const mark = findMark(body ?? '')
    const name = `${repository}#${number}`
    return {
      trace: { reference: name, title: name, url: html_url },
      isClosed: state === 'closed',
      filedWith: mark && { step: mark.step, at: mark.at },
    }
  }

  const set = async (ticket: Ticket, body: object, signal: AbortSignal): Promise<void> => {
    const { repository, number } = placeOfReference(ticket.trace.reference)
    read(await call(repository, { method: 'PATCH', path: `/issues/${number}`, body }, signal), issue)
  }

  return {
    name: 'github',
    // Whether a token may write is seen only where something is written.
    examine: async (signal) => {
      const { repository } = options
      const login = await authorizer.login(repository, signal)
      read(await call(repository, { method: 'GET', path: '/issues?state=all&per_page=1' }, signal), z.array(issue))
      return `${login === undefined ? 'it' : `@${login}`} can read the issues of ${repository}`
    },
    kind: 'GitHub',
    placeOf: (to) => {
      const repository = to ?? options.repository
      if (REPOSITORY.test(repository)) return repository
      throw new AppError('malformed', 'A GitHub repository is named owner/name.')
    },
    find: async ({ incident }, repository, signal) => {
      const login = await authorizer.login(repository, signal)
      const isOurs = (one: Issue): boolean =>
        one.pull_request === undefined &&
        (login === undefined || one.user?.login === login) &&
        findMark(one.body ?? '')?.incidentId === incident.id
      const since = new Date(incident.openedAt - SKEW_MS).toISOString()
      // Oldest first: what is filed meanwhile moves nothing to another page.
      const order = `state=all&sort=created&since=${encodeURIComponent(since)}`
      const one =
        (await findIn(repository, `/issues?labels=${LABEL}&${order}&direction=asc`, issue, isOurs, signal)) ??
        (await findIn(repository, `/issues?${order}&direction=desc`, issue, isOurs, signal))
      return one && ticketOf(repository, one)
    },
    read: async (reference, signal) => {
      const { repository, number } = placeOfReference(reference)
      const answer = await call(repository, { method: 'GET', path: `/issues/${number}` }, signal)
      if (answer.status === 404 || answer.status === 410) return undefined
      return ticketOf(repository, read(answer, issue))
    },
    file: async ({ incident, step, at }, repository, parts, signal) => {
      const body = {
        title: titleOf(incident, 250),
        body: `${toMarkdown(parts, MAX_BODY)}\n\n${markOf(incident.id, step, at)}`,
        labels: [...new Set([...options.labels, LABEL])],
      }
      const filed = read(await call(repository, { method: 'POST', path: '/issues', body }, signal), issue)
      return ticketOf(repository, filed)
    },
    hasComment: async ({ trace }, { incident, step, at }, signal) => {
      const { repository, number } = placeOfReference(trace.reference)
      const login = await authorizer.login(repository, signal)
      const since = new Date(at - SKEW_MS).toISOString()
      const path = `/issues/${number}/comments?since=${encodeURIComponent(since)}`
      const isIt = ({ body, user }: z.infer<typeof comment>): boolean =>
        (login === undefined || user?.login === login) && (body ?? '').includes(markOf(incident.id, step, at))
      return (await findIn(repository, path, comment, isIt, signal)) !== undefined
    },
    comment: async ({ trace }, { incident, step, at }, parts, signal) => {
      const { repository, number } = placeOfReference(trace.reference)
      const body = { body: `${toMarkdown(parts, MAX_BODY)}\n\n${markOf(incident.id, step, at)}` }
      read(await call(repository, { method: 'POST', path: `/issues/${number}/comments`, body }, signal), comment)
    },
    close: async (ticket, signal) => {
      if (!options.close || ticket.isClosed) return undefined
      await set(ticket, { state: 'closed', state_reason: 'completed' }, signal)
      return `${ticket.trace.title} is closed.`
    },
    reopen: async (ticket, signal) => {
      if (!ticket.isClosed) return undefined
      await set(ticket, { state: 'open', state_reason: 'reopened' }, signal)
      return `${ticket.trace.title} is open again.`
    },
  }
}

const REPOSITORY = /^[\w.-]{1,100}\/[\w.-]{1,100}$/

function placeOfReference(reference: string): { readonly repository: string; readonly number: string } {
  const [repository = '', number = ''] = reference.split('#')
  return { repository, number }
}

const secretsOf = (credentials: GithubCredentials): readonly Secret[] =>
  credentials.kind === 'token' ? [credentials.token] : [credentials.privateKey]

/** Both of its rate limits: the hourly one says until when, the other often nothing; then a minute is what it asks for. */
function waitSecondsOf({ status, headers, text }: VendorAnswer, clock: Clock): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  const after = retryAfterOf(headers)
  if (after !== undefined) return after
  if (headers.get('x-ratelimit-remaining') === '0') {
    const untilMs = Number(headers.get('x-ratelimit-reset')) * 1000
    return Math.min(3600, Math.max(1, Math.ceil((untilMs - clock.now()) / 1000)))
  }
  return /rate limit/i.test(text) ? 60 : undefined
}

function complaintsOf(json: unknown): string | undefined {
  const parsed = failure.safeParse(json)
  if (!parsed.success) return undefined
  const { message, errors } = parsed.data
  const all = (errors ?? []).map((one) =>
    typeof one === 'string' ? one : (one.message ?? `${one.field ?? 'a field'} is ${one.code ?? 'not right'}`),
  )
  return all.length === 0 ? message : `${message}: ${all.join('; ')}`
}
