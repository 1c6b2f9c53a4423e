// Where people are told of incidents beside chat: pages, letters and tickets.
import { z } from 'zod'
import { headerSecret, headerText, httpUrl, name, secret } from './fields.ts'

export const NEWS_KINDS = [
  'opened',
  'diagnosed',
  'proposed',
  'decided',
  'acted',
  'verified',
  'escalated',
  'acknowledged',
  'closed',
] as const

/** From when on an incident is worth it. */
const on = (usual: 'opened' | 'diagnosed') => z.enum(['opened', 'diagnosed']).default(usual)
const routingKey = z
  .string()
  .regex(/^[A-Za-z0-9]{32}$/, 'must be the 32 characters of an Events API v2 integration')
  .pipe(secret)

export const pagerdutySchema = z.strictObject({
  url: httpUrl.default('https://events.pagerduty.com'),
  routingKey,
  /** Of other services, by the name that a route calls them. */
  routingKeys: z.record(name, routingKey).default({}),
  on: on('opened'),
  acknowledge: z.boolean().default(true),
})

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/
const line = z
  .string()
  .min(1)
  .max(320)
  .regex(/^[^\r\n]*$/, 'has a line break')

export const emailSchema = z
  .strictObject({
    host: headerText.min(1),
    port: z.number().int().min(1).max(65_535).default(587),
    tls: z.enum(['starttls', 'implicit', 'none']).default('starttls'),
    caFile: z.string().min(1).optional(),
    user: z.string().min(1).optional(),
    password: secret.optional(),
    from: line,
    to: z.array(line).min(1).max(50),
    news: z.array(z.enum(NEWS_KINDS)).min(1).default(['diagnosed', 'escalated', 'closed']),
  })
  .refine(({ tls, host }) => tls !== 'none' || LOOPBACK.test(host), {
    path: ['tls'],
    error: 'can be none only for a mail server on this machine',
  })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    path: ['user'],
    error: 'user and password belong together',
  })

const jiraName = z.string().min(1).max(255)

const jira = z.strictObject({
  url: httpUrl,
  /** The cloud: whose API token it is. Without it the token is a personal access token of Server or Data Center. */
  email: headerText.min(3).optional(),
  token: headerSecret,
  project: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,254}$/, 'must be the key of a project, such as OPS'),
  type: jiraName.default('Task'),
  on: on('diagnosed'),
  labels: z.array(z.string().regex(/^\S{1,255}$/, 'must have no space')).default([]),
  priorities: z
    .strictObject({
      critical: jiraName.optional(),
      error: jiraName.optional(),
      warning: jiraName.optional(),
      info: jiraName.optional(),
    })
    .prefault({}),
  /** What the project requires beside, as Jira's API takes it. */
  fields: z.record(z.string().min(1), z.unknown()).default({}),
  transitions: z.strictObject({ closed: jiraName.optional(), reopened: jiraName.optional() }).prefault({}),
})

const github = z
  .strictObject({
    url: httpUrl.default('https://api.github.com'),
    token: headerSecret.optional(),
    appId: z.union([z.string().min(1), z.number().int().transform(String)]).optional(),
    privateKey: secret.optional(),
    repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be owner/name'),
    on: on('diagnosed'),
    labels: z.array(z.string().min(1).max(50)).default([]),
    close: z.boolean().default(true),
  })
  .refine(
    ({ token, appId, privateKey }) =>
      token === undefined
        ? appId !== undefined && privateKey !== undefined
        : appId === undefined && privateKey === undefined,
    'needs a token, or the appId and privateKey of an App',
  )

export const ticketsSchema = z.strictObject({ jira: jira.optional(), github: github.optional() })
