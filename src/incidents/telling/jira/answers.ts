// What Jira's REST API answers, as far as it is read: version 3 of the cloud, version 2 of Server and Data Center.
// (developer.atlassian.com/cloud/jira/platform/rest/v3, docs.atlassian.com/software/jira/docs/api/REST)
import { z } from 'zod'

/** What we keep in a ticket that only programs see; searching does not find it. */
export const PROPERTY = 'midwatch'
const property = z.object({ incident: z.string(), step: z.string(), at: z.number() })

export const issue = z.object({
  id: z.string(),
  key: z.string(),
  fields: z
    .object({
      labels: z.array(z.string()).nullish(),
      status: z.object({ name: z.string(), statusCategory: z.object({ key: z.string() }).nullish() }).nullish(),
    })
    .nullish(),
  properties: z.object({ [PROPERTY]: property.nullish().catch(null) }).nullish(),
})
export type Issue = z.infer<typeof issue>

export const found = z.object({ issues: z.array(z.object({ id: z.string(), key: z.string() })) })

export const created = z.object({ id: z.string(), key: z.string() })

const issueType = z.object({ id: z.string(), name: z.string() })
const field = z.object({
  fieldId: z.string(),
  name: z.string(),
  required: z.boolean(),
  hasDefaultValue: z.boolean().nullish(),
  allowedValues: z.array(z.looseObject({ name: z.string().nullish() })).nullish(),
})
export type CreateField = z.infer<typeof field>

const total = z.number().nullish()
/** The cloud calls a list by what is in it. */
export const issueTypes = z
  .union([z.object({ issueTypes: z.array(issueType), total }), z.object({ values: z.array(issueType), total })])
  .transform((page) => ({ total: page.total, all: 'issueTypes' in page ? page.issueTypes : page.values }))
export const createFields = z
  .union([z.object({ fields: z.array(field), total }), z.object({ values: z.array(field), total })])
  .transform((page) => ({ total: page.total, all: 'fields' in page ? page.fields : page.values }))

export const transitions = z.object({
  transitions: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      to: z.object({ name: z.string(), statusCategory: z.object({ key: z.string() }).nullish() }),
    }),
  ),
})
export type Transition = z.infer<typeof transitions>['transitions'][number]

/** The body is a document in one version and a text in the other; only our mark is looked for in it. */
export const comments = z.object({ comments: z.array(z.object({ body: z.unknown() })) })

const failure = z.object({
  errorMessages: z.array(z.string()).nullish(),
  errors: z.record(z.string(), z.string()).nullish(),
})

/** All of what Jira complains of, each with its field. */
export function complaintsOf(json: unknown): string | undefined {
  const read = failure.safeParse(json)
  if (!read.success) return undefined
  const { errorMessages, errors } = read.data
  const all = [...(errorMessages ?? []), ...Object.entries(errors ?? {}).map(([name, said]) => `${name}: ${said}`)]
  return all.length === 0 ? undefined : all.join(' ')
}
