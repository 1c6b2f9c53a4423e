// Sources of `agent.sources` that have more to say: clusters, journals, databases, probes, and other people's stores.
import { z } from 'zod'
import { headerSecret, headerText, httpUrl, name, seconds, secret } from './fields.ts'

const names = (...fallback: string[]) => z.array(z.string()).default(fallback)

/** Names of the fields of a log line, first present wins. */
export const lineFields = z
  .strictObject({
    time: names('time', 'timestamp', 'ts', '@timestamp'),
    service: names('service', 'app', 'logger'),
    level: names('level', 'severity'),
    message: names('msg', 'message'),
    requestId: names('requestId', 'request_id', 'traceId', 'trace_id'),
  })
  .prefault({})

/** How what has no memory of its own is sampled. */
const sampled = (everySeconds: number) => ({
  intervalSeconds: seconds(everySeconds),
  retentionSeconds: seconds(6 * 3600),
})

const kubernetes = z.strictObject({
  /** Without it $KUBECONFIG, ~/.kube/config, or the service account of the pod. */
  kubeconfig: z.string().min(1).optional(),
  context: z.string().min(1).optional(),
  namespaces: z
    .array(z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be the name of a namespace'))
    .default([]),
  /** Labels that name the service of a workload, first present wins. */
  serviceLabels: z.array(z.string().min(1)).default(['app.kubernetes.io/name', 'app']),
  /** `namespace/name` or `name` of a workload → service. */
  services: z.record(z.string(), name).default({}),
  /** Annotations that name who rolled out. */
  authorAnnotations: z.array(z.string().min(1)).default([]),
  /** Tell that secrets were changed. Only their metadata is asked for, but the account has to be allowed to list them. */
  secrets: z.boolean().default(false),
  ...sampled(30),
})

const journald = z
  .strictObject({
    /** A folder of journals, or journal files; with neither, this machine's own journal. */
    directory: z.string().min(1).optional(),
    files: z.array(z.string().min(1)).default([]),
    /** Only these units, `cart.service`; empty: all. */
    units: z.array(z.string().min(1)).default([]),
    /** Unit → service; without it the unit's name without `.service`. */
    services: z.record(z.string(), name).default({}),
    fields: lineFields,
  })
  .refine(
    ({ directory, files }) => directory === undefined || files.length === 0,
    'takes a directory or files, not both',
  )

const postgres = z.strictObject({
  databases: z
    .array(
      z.strictObject({
        service: name,
        url: z
          .string()
          .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')
          .transform((text, context) => {
            if (URL.canParse(text)) return text
            context.addIssue({ code: 'custom', message: 'must be a postgres:// URL' })
            return z.NEVER
          }),
        password: secret.optional(),
      }),
    )
    .min(1),
  ...sampled(15),
})

const probes = z.strictObject({
  targets: z
    .array(
      z.strictObject({
        service: name,
        url: httpUrl,
        timeoutSeconds: z.number().positive().max(60).default(5),
        /** Any of 200 to 399 unless told. */
        expectStatus: z.array(z.number().int().min(100).max(599)).min(1).optional(),
        /** Text that the answer has to have in it. */
        expectBody: z.string().min(1).max(1000).optional(),
        headers: z
          .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header'), headerSecret)
          .default({}),
        /** Of a certificate that no known authority signed: its file, in PEM. */
        caFile: z.string().min(1).optional(),
      }),
    )
    .min(1),
  ...sampled(15),
})

const SITES = [
  'datadoghq.com',
  'us3.datadoghq.com',
  'us5.datadoghq.com',
  'datadoghq.eu',
  'ap1.datadoghq.com',
  'ap2.datadoghq.com',
  'ddog-gov.com',
] as const

const datadog = z.strictObject({
  site: z.enum(SITES).default('datadoghq.com'),
  /** In place of what follows from the site, for a proxy. */
  url: httpUrl.optional(),
  apiKey: headerSecret,
  applicationKey: headerSecret,
  /** The tag that names the service of a series. */
  serviceTag: z
    .string()
    .regex(/^[a-z][a-z0-9_.-]*$/, 'must be the name of a tag')
    .default('service'),
  /** What is read of metrics: Datadog has too many to read all. */
  metrics: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z][A-Za-z0-9_.]*$/, 'must be the name of a metric'),
        type: z.enum(['gauge', 'counter']).default('gauge'),
        aggregate: z.enum(['avg', 'sum', 'max', 'min']).default('avg'),
        by: z
          .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, 'must be the name of a tag'))
          .max(4)
          .default([]),
      }),
    )
    .max(100)
    .default([]),
  /** Restricts both, `env:prod`. */
  filter: z
    .string()
    .regex(/^[^{}]*$/, 'must be tags such as env:prod')
    .default(''),
  logs: z.boolean().default(true),
})

const tempo = z.strictObject({
  url: httpUrl,
  bearerToken: headerSecret.optional(),
  user: headerText.optional(),
  password: secret.optional(),
  /** The X-Scope-OrgID, where it serves several tenants. */
  tenant: headerText.optional(),
})

/** All of them, as keys of `agent.sources`. */
export const moreSources = {
  /** Rollouts, scalings and changed settings as changes, events as log lines, restarts as numbers. */
  kubernetes: kubernetes.optional(),
  /** The journal of systemd. */
  journald: journald.optional(),
  /** Databases by their statistics. */
  postgres: postgres.optional(),
  /** URLs that are asked for now and then. */
  probes: probes.optional(),
  /** Metrics and logs. */
  datadog: datadog.optional(),
  /** Traces, as what they say of services and calls. */
  tempo: tempo.optional(),
}
