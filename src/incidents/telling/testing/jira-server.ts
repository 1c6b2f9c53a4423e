// A stand-in that speaks Jira's REST protocol: version 3 of the cloud or version 2 of Data Center, one project, a workflow of
// three steps, and a search whose index may lag behind. The shapes and the sentences of its answers are those of the examples
// in Atlassian's API reference (developer.atlassian.com/cloud/jira/platform/rest/v3, docs.atlassian.com/software/jira/docs/api/REST).
import { z } from 'zod'
import { type Answered, type Asked, serveVendor, type VendorServer } from './vendor-server.ts'

const PRIORITIES = ['Highest', 'High', 'Medium', 'Low', 'Lowest']
const STATUSES = { 'To Do': 'new', 'In Progress': 'indeterminate', Done: 'done' } as const
type Status = keyof typeof STATUSES

export interface JiraIssue {
  readonly id: string
  readonly key: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly properties: Readonly<Record<string, unknown>>
  readonly comments: unknown[]
  status: Status
}

export interface JiraServer extends VendorServer {
  readonly issues: JiraIssue[]
  /** How many of them the search knows; all unless told. */
  indexed: number
  /** What the create screen has beside the usual. */
  readonly extraFields: { fieldId: string; name: string; required: boolean; hasDefaultValue: boolean }[]
  readonly hiddenFields: Set<string>
}

export interface JiraServerOptions {
  readonly kind: 'cloud' | 'server'
  /** The value of the one authorization that is accepted. */
  readonly authorization: string
  readonly project?: string
}

const createBody = z.strictObject({
  fields: z.record(z.string(), z.unknown()),
  properties: z.array(z.object({ key: z.string(), value: z.unknown() })).optional(),
})

export async function serveJira({ kind, authorization, project = 'OPS' }: JiraServerOptions): Promise<JiraServer> {
  const isCloud = kind === 'cloud'
  const root = `/rest/api/${isCloud ? 3 : 2}`
  const issues: JiraIssue[] = []
  const fail = (status: number, ...errorMessages: string[]): Answered => ({
    status,
    body: { errorMessages, errors: {} },
  })
  const hidden = fail(404, 'Issue does not exist or you do not have permission to see it.')
  const find = (idOrKey: string) => issues.find(({ id, key }) => id === idOrKey || key === idOrKey)
  const page = (name: string, all: readonly unknown[], query: URLSearchParams): Answered => {
    const startAt = Number(query.get('startAt') ?? 0)
    const values = all.slice(startAt, startAt + Math.min(50, Number(query.get('maxResults') ?? 50)))
    return { status: 200, body: { maxResults: 50, startAt, total: all.length, [isCloud ? name : 'values']: values } }
  }

  const screen = () =>
    [
      { fieldId: 'summary', name: 'Summary', required: true, hasDefaultValue: false },
      { fieldId: 'issuetype', name: 'Issue Type', required: true, hasDefaultValue: false },
      { fieldId: 'project', name: 'Project', required: true, hasDefaultValue: false },
      { fieldId: 'reporter', name: 'Reporter', required: true, hasDefaultValue: true },
      { fieldId: 'description', name: 'Description', required: false, hasDefaultValue: false },
      { fieldId: 'labels', name: 'Labels', required: false, hasDefaultValue: false },
      {
        fieldId: 'priority',
        name: 'Priority',
        required: false,
        hasDefaultValue: true,
        allowedValues: PRIORITIES.map((name, i) => ({ id: String(i + 1), name })),
      },
      ...server.extraFields,
    ].filter(({ fieldId }) => !server.hiddenFields.has(fieldId))

  const isText = (value: unknown): boolean =>
    isCloud
      ? (value as { type?: string } | undefined)?.type === 'doc'
      : typeof value === 'string' && value.length < 32_768

  const create = ({ json }: Asked): Answered => {
    const { fields, properties = [] } = createBody.parse(json)
    const errors: Record<string, string> = {}
    const known = screen()
    for (const name of Object.keys(fields))
      if (!known.some(({ fieldId }) => fieldId === name))
        errors[name] = `Field '${name}' cannot be set. It is not on the appropriate screen, or unknown.`
    for (const { fieldId, name, required, hasDefaultValue } of known)
      if (required && !hasDefaultValue && fields[fieldId] === undefined) errors[fieldId] = `${name} is required.`
    if (typeof fields['summary'] !== 'string' || /\n/.test(fields['summary']) || fields['summary'].length > 255)
      errors['summary'] = 'You must specify a summary of the issue.'
    if (fields['description'] !== undefined && !isText(fields['description']))
      errors['description'] = isCloud
        ? 'Operation value must be an Atlassian Document (see the Atlassian Document Format)'
        : 'Operation value must be a string'
    if (Object.keys(errors).length > 0) return { status: 400, body: { errorMessages: [], errors } }
    const n = issues.length + 1
    const issue: JiraIssue = {
      id: String(10_000 + n),
      key: `${project}-${n}`,
      fields,
      properties: Object.fromEntries(properties.map(({ key, value }) => [key, value])),
      comments: [],
      status: 'To Do',
    }
    issues.push(issue)
    return { status: 201, body: { id: issue.id, key: issue.key, self: `${server.url}${root}/issue/${issue.id}` } }
  }

  const search = ({ json }: Asked): Answered => {
    const { jql, maxResults } = z.object({ jql: z.string(), maxResults: z.number() }).parse(json)
    const [, name] = /project = "([^"]*)"/.exec(jql) ?? []
    const [, label] = /labels = "([^"]*)"/.exec(jql) ?? []
    if (name !== project) return fail(400, `The value '${name}' does not exist for the field 'project'.`)
    const found = issues
      .slice(0, server.indexed)
      .filter(({ fields }) => label === undefined || (fields['labels'] as string[] | undefined)?.includes(label))
    if (jql.endsWith('DESC')) found.reverse()
    const some = found
      .slice(0, maxResults)
      .map(({ id, key }) => ({ id, key, self: `${server.url}${root}/issue/${id}`, fields: {} }))
    return {
      status: 200,
      body: isCloud ? { issues: some, isLast: true } : { startAt: 0, maxResults, total: found.length, issues: some },
    }
  }

  const transitionsOf = ({ status }: JiraIssue) =>
    (Object.keys(STATUSES) as Status[])
      .filter((to) => to !== status)
      .map((to, i) => ({
        id: String(11 + i * 10),
        name: to === 'Done' ? 'Resolve' : to,
        to: { name: to, id: String(10_000 + i), statusCategory: { id: i + 2, key: STATUSES[to], name: to } },
        hasScreen: false,
        isGlobal: true,
      }))

  const onIssue = (issue: JiraIssue, what: string, asked: Asked): Answered => {
    if (what === '' && asked.method === 'GET') {
      const { id, key, fields, properties, status } = issue
      const wanted = asked.query.get('properties')?.split(',') ?? []
      const statusCategory = { key: STATUSES[status], name: status }
      return {
        status: 200,
        body: {
          id,
          key,
          fields: { labels: fields['labels'] ?? [], status: { name: status, statusCategory } },
          properties: Object.fromEntries(Object.entries(properties).filter(([name]) => wanted.includes(name))),
        },
      }
    }
    if (what === '/comment' && asked.method === 'GET') {
      const comments = issue.comments.map((body, i) => ({ id: String(i + 1), body })).reverse()
      return { status: 200, body: { startAt: 0, maxResults: 100, total: comments.length, comments } }
    }
    if (what === '/comment') {
      const { body } = z.strictObject({ body: z.unknown() }).parse(asked.json)
      if (!isText(body))
        return { status: 400, body: { errorMessages: [], errors: { comment: 'Comment body is not valid!' } } }
      issue.comments.push(body)
      return { status: 201, body: { id: String(issue.comments.length), body } }
    }
    if (what === '/transitions' && asked.method === 'GET')
      return { status: 200, body: { expand: 'transitions', transitions: transitionsOf(issue) } }
    if (what === '/transitions') {
      const { transition } = z.object({ transition: z.object({ id: z.string() }) }).parse(asked.json)
      const way = transitionsOf(issue).find(({ id }) => id === transition.id)
      if (!way) return fail(400, 'It is not possible to perform the transition.')
      issue.status = way.to.name
      return { status: 204 }
    }
    return fail(405)
  }

  const answer = (asked: Asked): Answered => {
    const { method, path, query, headers } = asked
    if (headers.authorization !== authorization)
      return {
        ...fail(401, 'Client must be authenticated to access this resource.'),
        headers: { 'x-seraph-loginreason': 'AUTHENTICATED_FAILED' },
      }
    if (!path.startsWith(root)) return { status: 404, body: { message: 'null for uri' } }
    const rest = path.slice(root.length)
    if (rest === (isCloud ? '/search/jql' : '/search') && method === 'POST') return search(asked)
    if (rest === '/issue' && method === 'POST') return create(asked)
    const [, metaProject, typeId] = /^\/issue\/createmeta\/([^/]+)\/issuetypes(?:\/(\d+))?$/.exec(rest) ?? []
    if (metaProject !== undefined) {
      if (metaProject !== project) return fail(404, `No project could be found with key '${metaProject}'.`)
      const types = ['Task', 'Bug'].map((name, i) => ({ id: String(10_001 + i), name, subtask: false }))
      return typeId === undefined ? page('issueTypes', types, query) : page('fields', screen(), query)
    }
    const [, idOrKey = '', what = ''] = /^\/issue\/([^/]+)(\/\w+)?$/.exec(rest) ?? []
    const issue = find(idOrKey)
    return issue ? onIssue(issue, what, asked) : hidden
  }
  const server: JiraServer = Object.assign(await serveVendor(answer), {
    issues,
    indexed: Number.POSITIVE_INFINITY,
    extraFields: [],
    hiddenFields: new Set<string>(),
  })
  return server
}
