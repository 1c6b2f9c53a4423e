// `agent.intake`: how senders prove who they are, and how the JSON of a sender that Midwatch does not know is read. The
// same kind of mapping reads many of those that it does know.
import { z } from 'zod'
import { name, secret } from './fields.ts'

/** `alert.title`, `$.items[0].name`, `labels["app.kubernetes.io/name"]`; `[*]` only where a list is taken apart. */
const path = z
  .string()
  .min(1)
  .max(300)
  .regex(
    /^\$?(?:\.?[^.[\]"]+|\[\d+\]|\[\*\]|\["[^"]+"\])+$|^\$$/,
    'must be a path such as alert.title or items[0].name',
  )
const paths = z.union([path, z.array(path).min(1).max(20)])

/** Where a text is found: the first of the paths that has one, put into other words, or else a constant. */
const value = z.union([
  paths,
  z
    .strictObject({
      path: paths.optional(),
      /** In whose words it is said, whatever their case, and what is meant. */
      values: z.record(z.string(), z.string()).optional(),
      default: z.string().optional(),
    })
    .refine(({ path: from, default: fallback }) => from !== undefined || fallback !== undefined, {
      error: 'needs a path, a default, or both',
    }),
])

export const mapping = z.strictObject({
  /** The list whose items are the alerts, such as `events[*]`. Without it the body is one alert. */
  alerts: path.optional(),
  name: value,
  /** Read as firing or resolved; in common words (`down`, `OK`, `closed`) without `values`. */
  status: value.optional(),
  severity: value.optional(),
  service: value.optional(),
  host: value.optional(),
  summary: value.optional(),
  url: value.optional(),
  /** When this was so, when it began, when it ended. */
  at: value.optional(),
  startsAt: value.optional(),
  endsAt: value.optional(),
  /** What the sender tells its alerts apart by. Without it: the name, the service, the host and the labels. */
  identity: z.array(value).min(1).max(10).optional(),
  labels: z.record(z.string().max(100), value).optional(),
  annotations: z.record(z.string().max(100), value).optional(),
})
export type Mapping = z.output<typeof mapping>
export type MappedValue = z.output<typeof value>

/** `secret` of a sender: its bodies are taken only with a signature that was made with it. */
const signed = z.strictObject({ secret })

export const intakeSchema = z.strictObject({
  /** How `POST /v1/alerts/generic` reads a body. Without it, by the names that such fields commonly have. */
  generic: mapping.optional(),
  /** Senders of your own: each gets the address `/v1/alerts/NAME`. */
  senders: z.record(name, mapping).default({}),
  grafana: signed.optional(),
  pagerduty: signed.optional(),
  sentry: signed.optional(),
  cloudwatch: z
    .strictObject({
      /** `required`: only messages with a valid signature of Amazon SNS are taken. */
      signature: z.enum(['required', 'off']).default('off'),
      /** The topics that are taken, by their ARN. Without it every topic. */
      topics: z.array(z.string().startsWith('arn:')).min(1).optional(),
    })
    .prefault({}),
})
export type IntakeConfig = z.output<typeof intakeSchema>
