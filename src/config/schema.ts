// The shape of midwatch.yaml. Every object is strict: a key that nobody reads is a mistake that must be told.
import { z } from 'zod'
import { actionCatalogue } from './action-schema.ts'
import { approvalSchema } from './approval-schema.ts'
import { CHANGE_KINDS } from '../core/telemetry.ts'
import { headerSecret, headerText, httpUrl, modelName, name, seconds, secret } from './fields.ts'
import { foldingSchema } from './folding-schema.ts'
import { gatewayFields } from './gateway-schema.ts'
import { intakeSchema } from './intake-schema.ts'
import { mcpSources } from './mcp-schema.ts'
import { ragSchema } from './rag-schema.ts'
import { slackSchema } from './slack-schema.ts'
import { lineFields, moreSources } from './source-schema.ts'
import { emailSchema, pagerdutySchema, ticketsSchema } from './telling-schema.ts'
import { routesSchema, servicesSchema, teamsSchema } from './routing-schema.ts'

const server = z.strictObject({
  host: z.string().default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(4747),
  publicUrl: httpUrl.optional(),
})

const auth = z.strictObject({
  // YAML 1.1 readers turn a bare off into false: both are taken.
  mode: z.union([z.enum(['required', 'off']), z.literal(false).transform(() => 'off' as const)]).default('required'),
})

/** Where the embedded scraper finds targets: Prometheus's own `file_sd` format, read again when it changes. */
const scrape = z.strictObject({
  targetFiles: z.array(z.string()).default([]),
  targets: z.array(z.strictObject({ service: name, url: httpUrl })).default([]),
  intervalSeconds: seconds(15),
  retentionSeconds: seconds(6 * 3600),
})

const names = (...fallback: string[]) => z.array(z.string()).default(fallback)

/** Names of the fields of a document as the Elastic Common Schema has them, and others often. */
const documentFields = z
  .strictObject({
    time: z.array(z.string()).min(1).default(['@timestamp']),
    service: names('service.name', 'kubernetes.labels.app', 'service', 'app'),
    level: names('log.level', 'level', 'severity'),
    message: names('message', 'msg'),
    requestId: names('trace.id', 'requestId', 'request_id', 'trace_id'),
  })
  .prefault({})

/** How a source knows who asks: a token, or a user with a password. */
const credentials = { bearerToken: headerSecret.optional(), user: headerText.optional(), password: secret.optional() }

const sources = z.strictObject({
  ...moreSources,
  prometheus: z
    .strictObject({ url: httpUrl, serviceLabel: z.string().default('service'), bearerToken: secret.optional() })
    .optional(),
  scrape: scrape.optional(),
  mcp: mcpSources,
  /** Files or folders of JSON-line logs. */
  files: z.strictObject({ paths: z.array(z.string()).min(1), fields: lineFields }).optional(),
  loki: z
    .strictObject({
      url: httpUrl,
      ...credentials,
      tenant: headerText.optional(),
      /** Matchers that every stream has to meet. */
      selector: z.string().optional(),
      serviceLabel: z.string().default('service_name'),
      fields: lineFields,
    })
    .optional(),
  elasticsearch: z
    .strictObject({
      url: httpUrl,
      ...credentials,
      apiKey: headerSecret.optional(),
      index: z.string().min(1).default('logs-*'),
      fields: documentFields,
    })
    .optional(),
  /** Traces, as what they say of services and calls. */
  jaeger: z.strictObject({ url: httpUrl, ...credentials }).optional(),
  /** Repositories on this machine, whose commits on a branch are changes. */
  git: z
    .strictObject({
      repositories: z
        .array(
          z
            .strictObject({
              path: z.string(),
              branch: z.string().min(1).default('HEAD'),
              service: name.optional(),
              folders: z.record(z.string().min(1), name).optional(),
              kind: z.enum(CHANGE_KINDS).default('deploy'),
            })
            .refine(
              ({ service, folders }) => service !== undefined || folders !== undefined,
              'needs a service or folders',
            ),
        )
        .min(1),
    })
    .optional(),
  github: z
    .strictObject({
      url: httpUrl.default('https://api.github.com'),
      token: headerSecret.optional(),
      repositories: z
        .array(
          z.strictObject({
            name: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be owner/name'),
            service: name,
            read: z
              .array(z.enum(['deployments', 'releases', 'commits']))
              .min(1)
              .default(['deployments', 'releases']),
            branch: z.string().optional(),
            environment: z.string().optional(),
          }),
        )
        .min(1),
    })
    .optional(),
})

const agent = z.strictObject({
  /** Asked first, for opinions and words. */
  model: modelName.optional(),
  /** Asked only where opinions differ from the ranking. */
  largerModel: modelName.optional(),
  /** What one investigation may spend on looking closer; beyond it, it goes by what it has. */
  investigation: z
    .strictObject({
      maxSeconds: seconds(60),
      maxModelCalls: z.number().int().min(0).max(1000).default(24),
      maxTokens: z.number().int().min(0).max(10_000_000).default(120_000),
      maxUsd: z.number().min(0).max(1000).default(0.5),
      maxToolCalls: z.number().int().min(0).max(1000).default(80),
      /** From this confidence on no model is asked what it thinks. */
      sureAt: z.number().min(0).max(1).default(0.9),
    })
    .prefault({}),
  sources: sources.prefault({}),
  /** How alerts come in. */
  intake: intakeSchema.prefault({}),
  /** The service catalogue: owners, users, objectives, and calls that the metrics do not show. */
  services: servicesSchema.default({}),
  /** Who is on call, and who is woken when nobody answers. */
  teams: teamsSchema.default({}),
  /** Which team an incident goes to; none: its owner's, where there is such a team. */
  routes: routesSchema.default([]),
  folding: foldingSchema.prefault({}),
  diagnosis: z
    .strictObject({
      /** How much of the healthy past is compared with. */
      baselineSeconds: seconds(3600),
      stepSeconds: seconds(15),
    })
    .prefault({}),
  notify: z
    .strictObject({
      webhook: z.strictObject({ url: httpUrl, secret: secret.optional() }).optional(),
      slack: slackSchema.optional(),
      /** What people who are not engineers are told. */
      status: z
        .strictObject({
          /** A service, and what they call it: `storefront: the shop`. */
          names: z.record(name, z.string().trim().min(1).max(80)).default({}),
        })
        .prefault({}),
      pagerduty: pagerdutySchema.optional(),
      email: emailSchema.optional(),
    })
    .prefault({}),
  tickets: ticketsSchema.prefault({}),
  /** What it may do: nothing outside of it can run. */
  actions: actionCatalogue.default([]),
  approval: approvalSchema.prefault({}),
  /** Collections of the knowledge base that are asked for runbooks. */
  knowledge: z.strictObject({ collections: z.array(name).default([]) }).prefault({}),
  /** How long closed incidents are remembered as cases, and how many of them. */
  memory: z
    .strictObject({
      keepDays: z.number().int().min(1).max(36_500).default(730),
      keepCases: z.number().int().min(1).max(100_000).default(5000),
    })
    .prefault({}),
  verify: z.strictObject({ withinSeconds: seconds(300), everySeconds: seconds(10) }).prefault({}),
})

export const configSchema = z.strictObject({
  server: server.prefault({}),
  data: z.string().default('./data'),
  auth: auth.prefault({}),
  ...gatewayFields,
  rag: ragSchema.prefault({}),
  agent: agent.prefault({}),
})

export type Config = z.output<typeof configSchema>
export type ModelConfig = Config['models'][string]
export type ProviderConfig = Config['providers'][string]
export type AgentConfig = Config['agent']
export type { ActionConfig } from './action-schema.ts'
