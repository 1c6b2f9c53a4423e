// `agent.services`, `agent.teams` and `agent.routes`: who owns what, what its users may expect of it, who is told and who is
// woken. What the parts say about each other (a team, a person, a schedule that must exist) is checked with the whole.
import { z } from 'zod'
import { matcherText } from '../core/label-matchers.ts'
import { compileLinear } from '../core/linear-regex.ts'
import { parseWall } from '../core/zoned-time.ts'
import { days, name, timeZone } from './fields.ts'

const SEVERITY_NAMES = ['critical', 'error', 'warning', 'info'] as const

const metricName = z.string().regex(/^[A-Za-z_:][A-Za-z0-9_:]{0,299}$/, 'must be the name of a metric')
const labelName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,299}$/, 'must be the name of a label')
const where = z.record(labelName, z.string().max(500)).optional()

const pattern = z
  .string()
  .min(1)
  .max(500)
  .superRefine((text, context) => {
    try {
      compileLinear(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: `the pattern ${(error as Error).message}` })
    }
  })

/** What users may expect, and how it is counted: of all requests, by a ratio of one's own, or how many are fast enough. */
const objective = z
  .strictObject({
    name,
    /** Percent of what is good. */
    target: z.number().gt(0).lt(100),
    windowDays: z.number().int().min(1).max(90).default(30),
    requests: z
      .strictObject({ metric: metricName, where, bad: z.strictObject({ label: labelName, matches: pattern }) })
      .optional(),
    latency: z.strictObject({ metric: metricName, where, withinSeconds: z.number().positive() }).optional(),
    /** PromQL that gives the share of bad ones, 0 to 1, over `$window`. */
    errorRatio: z
      .string()
      .max(5000)
      .refine(
        (text) => text.includes('$window'),
        'must look back over $window, as in rate(http_requests_total[$window])',
      )
      .optional(),
  })
  .refine(
    ({ requests, latency, errorRatio }) => [requests, latency, errorRatio].filter(Boolean).length === 1,
    'needs one of requests, latency and errorRatio',
  )
export type Objective = z.output<typeof objective>

/** The service catalogue: owners, users, objectives, and calls that the metrics do not show. */
export const servicesSchema = z.record(
  z.string(),
  z.strictObject({
    owner: z.string().min(1).max(200).optional(),
    dependsOn: z.array(z.string()).default([]),
    /** Who is hurt when it fails: `shoppers`, `the finance department`. */
    users: z.string().min(1).max(200).optional(),
    objectives: z.array(objective).max(20).optional(),
  }),
)

/** Where somebody is told: a channel of `agent.notify` or `agent.tickets`, and whom there. */
const target = z.strictObject({ channel: name, to: z.string().min(1).max(500).optional() })

const wallTime = z
  .string()
  .refine((text) => parseWall(text) !== undefined, 'must be a day and a time such as 2026-11-02T09:00')
const timeOfDay = z.string().regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time such as 02:30')

const layerShape = z.strictObject({
  people: z.array(name).min(1).max(100),
  /** The first hand-over, by the clock of the schedule's place; the later ones are at the same time of day. */
  from: wallTime,
  until: wallTime.optional(),
  rotation: z
    .union([
      z.enum(['daily', 'weekly']),
      z.strictObject({ days: z.number().int().min(1).max(366) }),
      z.strictObject({ hours: z.number().int().min(1).max(8784) }),
    ])
    .default('weekly'),
  /** The layer counts only then. */
  hours: z
    .array(z.strictObject({ days, from: timeOfDay, to: timeOfDay }))
    .min(1)
    .max(20)
    .optional(),
})

const layer = layerShape.refine(
  ({ from, until }) => until === undefined || (parseWall(until) ?? 0) > (parseWall(from) ?? 0),
  { path: ['until'], message: 'must be later than from: so nobody is ever on call' },
)

/** Of several layers, the last that has somebody decides. */
const schedule = z.strictObject({ timeZone: timeZone.default('UTC'), layers: z.array(layer).min(1).max(20) })
export type ScheduleConfig = z.output<typeof schedule>
export type LayerConfig = z.output<typeof layer>

const tell = z.union([
  /** A schedule of this team, or `team/schedule` of another. */
  z.strictObject({ onCall: z.string().regex(/^[\w.-]+(?:\/[\w.-]+)?$/) }),
  z.strictObject({ person: name }),
  z.strictObject({ everyone: z.literal(true) }),
  target,
])

const escalation = z.strictObject({
  /** How bad an incident has to be to wake somebody. */
  severities: z.array(z.enum(SEVERITY_NAMES)).min(1).default(['critical', 'error']),
  /** Each at most once for an incident, until somebody acknowledges it. */
  steps: z
    .array(
      z.strictObject({
        /** Since the incident was routed. */
        afterSeconds: z
          .number()
          .int()
          .min(0)
          .max(7 * 86_400)
          .default(0),
        tell: z.array(tell).min(1).max(50),
      }),
    )
    .min(1)
    .max(20)
    .refine(
      (steps) => steps.every(({ afterSeconds }, i) => i === 0 || afterSeconds > (steps[i - 1]?.afterSeconds ?? 0)),
      'afterSeconds must grow from step to step',
    ),
})

const team = z.strictObject({
  people: z
    .record(
      name,
      z.strictObject({ name: z.string().min(1).max(200).optional(), reach: z.array(target).min(1).max(10) }),
    )
    .default({}),
  /** Where the team as a whole reads; none: every channel's own default. */
  targets: z.array(target).max(20).default([]),
  schedules: z.record(name, schedule).default({}),
  escalation: escalation.optional(),
})
export type TeamConfig = z.output<typeof team>

export const teamsSchema = z.record(name, team)

export interface RouteConfig {
  readonly name: string
  readonly matchers: readonly string[]
  readonly team?: string | undefined
  readonly targets?: readonly z.output<typeof target>[] | undefined
  readonly continue: boolean
  readonly routes: readonly RouteConfig[]
}

/** As Alertmanager's tree: the first that matches takes it, unless it says to continue; within one, the deepest. */
const route: z.ZodType<RouteConfig> = z.strictObject({
  name,
  /** Of `service`, `owner`, `severity`, `kind`, `cause`, `cause_service`, `cause_owner` and labels that all alerts share; none: all. */
  matchers: z.array(matcherText).max(50).default([]),
  team: name.optional(),
  targets: z.array(target).min(1).max(20).optional(),
  continue: z.boolean().default(false),
  routes: z.lazy(() => z.array(route).max(200)).default([]),
})

export const routesSchema = z.array(route).max(500)
