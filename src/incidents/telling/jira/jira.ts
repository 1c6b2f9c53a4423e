// Tickets in Jira: the cloud (REST version 3, documents, an e-mail address with an API token) or Server and Data Center
// (version 2, wiki markup, a personal access token).
//
// Jira takes no key that would make a second filing the same as the first, and its search lags behind what was filed, by
// seconds and at times by minutes. So before one is filed it is looked for twice: by its label in the search, and by its key,
// reading the tickets after the newest one that the search knows, for reading by key does not lag. What remains is a ticket
// that Jira is still writing down while it is looked for.
import { AppError } from '../../../core/errors.ts'
import type { Secret } from '../../../core/secret.ts'
import type { Channel, News } from '../channel.ts'
import { titleOf } from '../ticket-words.ts'
import { createTickets, type FiledOn, type Ticket, type TicketSystem } from '../tickets.ts'
import { connectVendorApi, refusalOf, type VendorAnswer, type VendorCall } from '../vendor-api.ts'
import { toAdf } from './adf.ts'
import {
  comments,
  complaintsOf,
  created,
  createFields,
  type CreateField,
  found,
  type Issue,
  issue,
  issueTypes,
  PROPERTY,
  type Transition,
  transitions,
} from './answers.ts'
import { priorityOf } from './priority.ts'
import { toWiki } from './wiki.ts'

export interface JiraOptions {
  /** Of the site: `https://example.atlassian.net`. */
  readonly url: string
  /** Whose API token it is: the cloud. Without one the token is a personal access token of Server or Data Center. */
  readonly email?: string | undefined
  readonly token: Secret
  readonly project: string
  /** The name of the issue type. */
  readonly type: string
  readonly on: FiledOn
  readonly labels: readonly string[]
  /** By severity, the name of a priority. */
  readonly priorities: Readonly<Record<string, string | undefined>>
  /** What the project requires beside, as Jira's API takes it. */
  readonly fields: Readonly<Record<string, unknown>>
  /** Names of transitions, or of the status that they lead to. */
  readonly transitions: { readonly closed?: string | undefined; readonly reopened?: string | undefined }
  readonly timeoutMs?: number
  readonly fetch?: typeof fetch
}

/** So many missing keys in a row are the end of a project: one is left behind by a deletion or a failed filing. */
const MISSES_AT_END = 3
const MOST_PROBES = 50
const MOST_PAGES = 10

interface Page<T> {
  readonly all: readonly T[]
  readonly total?: number | null | undefined
}

export function createJira(options: JiraOptions): Channel {
  return createTickets(jiraSystem(options), options.on)
}

function jiraSystem(options: JiraOptions): TicketSystem {
  const { email, token, timeoutMs, fetch } = options
  const isCloud = email !== undefined
  const rest = isCloud ? '/rest/api/3' : '/rest/api/2'
  const api = connectVendorApi({
    kind: 'Jira',
    url: options.url,
    headers: { authorization: authorizationOf(email, token), 'x-atlassian-token': 'no-check' },
    secrets: [token],
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(fetch === undefined ? {} : { fetch }),
  })
  const browse = options.url.replace(/[?#].*$/, '').replace(/\/+$/, '')

  const call = async (asked: VendorCall, signal: AbortSignal): Promise<VendorAnswer> => {
    const answer = await api.call({ ...asked, path: `${rest}${asked.path}` }, signal)
    // A token that is not accepted may be answered as if nobody had asked: with nothing found.
    const login = answer.headers.get('x-seraph-loginreason') ?? ''
    if (/AUTHENTICATED_FAILED|AUTHENTICATION_DENIED/.test(login)) throw refused({ ...answer, status: 401 })
    return answer
  }
  const refused = (answer: VendorAnswer): AppError =>
    refusalOf(api, answer, {
      said: complaintsOf(answer.json),
      advice: {
        400: 'it does not take what was sent; agent.tickets.jira has the settings',
        401: isCloud
          ? 'the e-mail address and API token of agent.tickets.jira are not accepted; make a new token and put it in'
          : 'the token of agent.tickets.jira is not accepted; make a new personal access token and put it in',
        403: `the account of agent.tickets.jira may not do this; give it the permissions to browse projects and to create issues, comment and transition, or log in once by hand if it asks for a captcha`,
        404: 'there is no such project or ticket, or it is hidden from the account of agent.tickets.jira',
      },
    })
  const read = <T>(answer: VendorAnswer, schema: { parse(json: unknown): T }): T => {
    if (answer.status < 200 || answer.status > 299) throw refused(answer)
    try {
      return schema.parse(answer.json)
    } catch (error) {
      throw new AppError(
        'upstream',
        `${api.name} answered in a shape that is not its API. Is the address that of Jira?`,
        {
          cause: error,
        },
      )
    }
  }
  const search = async (jql: string, signal: AbortSignal) => {
    const body = { jql, maxResults: 2, fields: ['status'] }
    return read(await call({ method: 'POST', path: isCloud ? '/search/jql' : '/search', body }, signal), found).issues
  }
  const get = async (idOrKey: string, signal: AbortSignal): Promise<Issue | undefined> => {
    const path = `/issue/${encodeURIComponent(idOrKey)}?fields=labels,status&properties=${PROPERTY}`
    const answer = await call({ method: 'GET', path }, signal)
    return answer.status === 404 ? undefined : read(answer, issue)
  }
  const ticketOf = ({ id, key, fields, properties }: Issue): Ticket => ({
    trace: { reference: id, title: key, url: `${browse}/browse/${encodeURIComponent(key)}` },
    isClosed: fields?.status?.statusCategory?.key === 'done',
    filedWith: properties?.[PROPERTY] ?? undefined,
  })

  /** Reads on from the newest ticket that the search knows of. */
  const probe = async ({ incident }: News, project: string, signal: AbortSignal): Promise<Issue | undefined> => {
    const [newest] = await search(`project = "${project}" ORDER BY key DESC`, signal)
    // A project may have been renamed: its tickets carry the new name.
    const [, prefix = project, number = '0'] = /^(.+)-(\d+)$/.exec(newest?.key ?? '') ?? []
    for (let n = Number(number) + 1, missed = 0; missed < MISSES_AT_END && n <= Number(number) + MOST_PROBES; n++) {
      const one = await get(`${prefix}-${n}`, signal)
      if (one && isOurs(one, incident.id)) return one
      missed = one ? 0 : missed + 1
    }
    return undefined
  }

  const pagesOf = async <T>(path: string, schema: { parse(json: unknown): Page<T> }, signal: AbortSignal) => {
    const all: T[] = []
    for (let page = 0; page < MOST_PAGES; page++) {
      const asked: VendorCall = { method: 'GET', path: `${path}?startAt=${all.length}&maxResults=100` }
      const next = read(await call(asked, signal), schema)
      all.push(...next.all)
      if (next.all.length === 0 || next.total == null || all.length >= next.total) break
    }
    return all
  }

  const createMeta = async (project: string, signal: AbortSignal) => {
    const path = `/issue/createmeta/${encodeURIComponent(project)}/issuetypes`
    const types = await pagesOf(path, issueTypes, signal)
    const type = types.find(({ name }) => name.toLowerCase() === options.type.toLowerCase())
    if (!type)
      throw new AppError(
        'malformed',
        `The Jira project ${project} has no issue type "${api.quote(options.type)}": agent.tickets.jira.type can be ${types.map(({ name }) => api.quote(name)).join(', ')}.`,
      )
    return { type, fields: await pagesOf(`${path}/${encodeURIComponent(type.id)}`, createFields, signal) }
  }

  const transition = async (
    ticket: Ticket,
    fits: (one: Transition) => boolean,
    wanted: string,
    signal: AbortSignal,
  ): Promise<string> => {
    const path = `/issue/${ticket.trace.reference}/transitions`
    const { transitions: all } = read(await call({ method: 'GET', path }, signal), transitions)
    const way = all.find(fits)
    const { title } = ticket.trace
    if (!way) {
      const there = all.map(({ name }) => `"${api.quote(name)}"`).join(', ')
      return `${title} stays where it is: no transition leads from there to ${wanted}; there ${all.length === 1 ? 'is' : 'are'} ${there || 'none for this account'}.`
    }
    const answer = await call({ method: 'POST', path, body: { transition: { id: way.id } } }, signal)
    if (answer.status === 400 || answer.status === 409)
      return `${title} stays where it is: "${api.quote(way.name)}" was refused. ${api.quote(complaintsOf(answer.json) ?? answer.text)}`
    if (answer.status > 299) throw refused(answer)
    return `${title} is now ${api.quote(way.to.name)}.`
  }

  return {
    name: 'jira',
    // With a token that is not accepted Jira may answer as to anybody, and shows no project then.
    examine: async (signal) => {
      const { project } = options
      const { type, fields: known } = await createMeta(project, signal)
      checkFields(known, { ...ALWAYS, ...options.fields }, project, type.name)
      for (const severity of Object.keys(options.priorities)) priorityFieldOf(known, severity, options.priorities)
      return `a ${type.name} can be filed in ${project}`
    },
    kind: 'Jira',
    placeOf: (to) => {
      const project = to ?? options.project
      if (/^[A-Za-z][A-Za-z0-9_]{0,254}$/.test(project)) return project
      throw new AppError('malformed', 'A Jira project is named by its key, such as OPS.')
    },
    find: async (news, project, signal) => {
      const [labelled] = await search(
        `project = "${project}" AND labels = "${labelOf(news.incident.id)}" ORDER BY key ASC`,
        signal,
      )
      const one = (labelled && (await get(labelled.id, signal))) ?? (await probe(news, project, signal))
      return one && ticketOf(one)
    },
    read: async (reference, signal) => {
      const one = await get(reference, signal)
      return one && ticketOf(one)
    },
    file: async ({ incident, step, at }, project, parts, signal) => {
      const { type, fields: known } = await createMeta(project, signal)
      const fields = {
        project: { key: project },
        issuetype: { id: type.id },
        summary: titleOf(incident, 250),
        description: isCloud ? toAdf(parts) : toWiki(parts),
        labels: [...new Set([...options.labels, labelOf(incident.id)])],
        ...priorityFieldOf(known, incident.severity, options.priorities),
        ...options.fields,
      }
      checkFields(known, fields, project, type.name)
      const filing = { incident: incident.id, step, at }
      const body = { fields, properties: [{ key: PROPERTY, value: filing }] }
      const { id, key } = read(await call({ method: 'POST', path: '/issue', body }, signal), created)
      return ticketOf({ id, key, fields: null, properties: { [PROPERTY]: filing } })
    },
    hasComment: async ({ trace }, { incident, step }, signal) => {
      const path = `/issue/${trace.reference}/comment?orderBy=-created&maxResults=100`
      const page = read(await call({ method: 'GET', path }, signal), comments)
      const mark = `/incidents/${incident.id}#${step}`
      return page.comments.some(({ body }) => hasMark(JSON.stringify(body), mark))
    },
    comment: async ({ trace }, _news, parts, signal) => {
      const body = { body: isCloud ? toAdf(parts) : toWiki(parts) }
      const answer = await call({ method: 'POST', path: `/issue/${trace.reference}/comment`, body }, signal)
      if (answer.status < 200 || answer.status > 299) throw refused(answer)
    },
    close: async (ticket, signal) => {
      const { closed } = options.transitions
      if (closed === undefined || ticket.isClosed) return undefined
      return await transition(ticket, isNamed(closed), `"${closed}"`, signal)
    },
    reopen: async (ticket, signal) => {
      const { reopened } = options.transitions
      if (!ticket.isClosed) return undefined
      return reopened === undefined
        ? await transition(ticket, leadsBack, 'a status that is not done', signal)
        : await transition(ticket, isNamed(reopened), `"${reopened}"`, signal)
    },
  }
}

/** The fields that every ticket has from us. */
const ALWAYS = { project: {}, issuetype: {}, summary: '', description: '', labels: [] }

const labelOf = (incidentId: string): string => `midwatch-${incidentId}`

const isOurs = ({ fields, properties }: Issue, incidentId: string): boolean =>
  properties?.[PROPERTY]?.incident === incidentId || fields?.labels?.includes(labelOf(incidentId)) === true

const isNamed =
  (wanted: string) =>
  ({ name, to }: Transition): boolean =>
    name.toLowerCase() === wanted.toLowerCase() || to.name.toLowerCase() === wanted.toLowerCase()

const leadsBack = ({ to }: Transition): boolean => to.statusCategory != null && to.statusCategory.key !== 'done'

/** `#proposed` is not in `#proposed:2`. */
const hasMark = (text: string, mark: string): boolean => {
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1))
    if (!/[\w:.-]/.test(text.charAt(at + mark.length))) return true
  return false
}

function authorizationOf(email: string | undefined, token: Secret): string {
  if (email === undefined) return `Bearer ${token.reveal()}`
  return `Basic ${Buffer.from(`${email}:${token.reveal()}`).toString('base64')}`
}

function priorityFieldOf(
  known: readonly CreateField[],
  severity: string,
  chosen: JiraOptions['priorities'],
): { priority?: { name: string } } {
  const field = known.find(({ fieldId }) => fieldId === 'priority')
  const name =
    field &&
    priorityOf(
      severity,
      (field.allowedValues ?? []).flatMap((one) => one.name ?? []),
      chosen,
    )
  return name === undefined ? {} : { priority: { name } }
}

/** Said before anything is sent: Jira would say only that a number is required. */
function checkFields(
  known: readonly CreateField[],
  given: Readonly<Record<string, unknown>>,
  project: string,
  type: string,
): void {
  if (!known.some(({ fieldId }) => fieldId === 'labels'))
    throw new AppError(
      'malformed',
      `A ${type} of the Jira project ${project} has no labels, by which Midwatch finds its tickets again: put the field Labels on its create screen.`,
    )
  const missing = known.filter((one) => one.required && !one.hasDefaultValue && !(one.fieldId in given))
  if (missing.length > 0)
    throw new AppError(
      'malformed',
      `The Jira project ${project} requires ${missing.map(({ name, fieldId }) => `${name} (${fieldId})`).join(', ')} for a ${type}: say it in agent.tickets.jira.fields.`,
    )
}
