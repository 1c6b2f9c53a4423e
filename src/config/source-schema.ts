// Sources of `agent.sources` that have more to say: clusters, journals, databases, probes, and other people's stores.
import { z } from 'zod'
import { headerSecret, httpUrl, name, seconds, secret } from './fields.ts'

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

export const kubernetes = z.strictObject({
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

export const journald = z
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

export const postgres = z.strictObject({
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

export const probes = z.strictObject({
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
