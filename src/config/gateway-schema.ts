// The gateway's part of midwatch.yaml: providers, models, limits, and what is done to every call.
import { z } from 'zod'
import { Secret } from '../core/secret.ts'
import { limitFields, limitSet } from '../core/limits.ts'
import { headerSecret, headerText, httpUrl, milliseconds, modelName, name, seconds } from './fields.ts'

const CREDENTIAL = /auth|key|token|secret|cookie/i

/** Sent with every call to the provider, beside what its protocol needs. What lets us in somewhere is a secret. */
const headers = z
  .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header'), headerText)
  .transform((given) =>
    Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, CREDENTIAL.test(name) ? new Secret(value) : value]),
    ),
  )

const provider = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('openai'),
    /** Up to and with the version: `https://api.openai.com/v1`. */
    baseUrl: httpUrl,
    apiKey: headerSecret.optional(),
    /** Which of OpenAI's two APIs it has; `both` for OpenAI itself where nothing is said, else `chat`. */
    api: z.enum(['chat', 'responses', 'both']).optional(),
    headers: headers.default({}),
  }),
  z.strictObject({
    kind: z.literal('azure'),
    /** `https://NAME.openai.azure.com`; a target's `model` is the deployment. */
    baseUrl: httpUrl,
    apiKey: headerSecret,
    /** Omit for the v1 API, which needs none. */
    apiVersion: z.string().optional(),
    headers: headers.default({}),
  }),
  z.strictObject({
    kind: z.literal('anthropic'),
    baseUrl: httpUrl.default('https://api.anthropic.com'),
    apiKey: headerSecret.optional(),
    version: z.string().default('2023-06-01'),
    headers: headers.default({}),
  }),
  z.strictObject({
    kind: z.literal('gemini'),
    baseUrl: httpUrl.default('https://generativelanguage.googleapis.com'),
    apiKey: headerSecret,
    headers: headers.default({}),
  }),
  z.strictObject({
    kind: z.literal('bedrock'),
    region: z.string().regex(/^[a-z0-9-]+$/, 'must be a region such as eu-central-1'),
    /** Only to reach it by another way than its public address. */
    baseUrl: httpUrl.optional(),
    accessKeyId: headerSecret,
    secretAccessKey: headerSecret,
    sessionToken: headerSecret.optional(),
    headers: headers.default({}),
  }),
  z.strictObject({
    kind: z.literal('local'),
    /** A GGUF file. */
    path: z.string().min(1),
    contextTokens: z.number().int().positive().optional(),
    /** How many answers it works on at once; the others wait. */
    parallel: z.number().int().min(1).max(64).default(1),
  }),
])

/** US dollars a million tokens. What is not given of the cache rates costs what input costs (an hour's write: the shorter write). */
const price = z.strictObject({
  inputUsd: z.number().nonnegative(),
  outputUsd: z.number().nonnegative(),
  cacheReadUsd: z.number().nonnegative().optional(),
  cacheWriteUsd: z.number().nonnegative().optional(),
  cacheWrite1hUsd: z.number().nonnegative().optional(),
})

const target = z.strictObject({
  provider: name,
  /** As the provider calls it. It is told to callers in a header. */
  model: headerText.min(1),
  weight: z.number().positive().default(1),
  /** Without it the public price list decides; what stands in neither costs null, never 0. */
  price: price.optional(),
  /** How much it can read and write together; without it, it is asked whatever the length. */
  contextTokens: z.number().int().positive().optional(),
  maxOutputTokens: z.number().int().positive().optional(),
  /** What it cannot do, beside what its provider cannot. */
  lacks: z.array(z.enum(['tools', 'images', 'files', 'audio', 'json-schema', 'logprobs', 'choices'])).default([]),
  /** Whether it goes on behind an assistant's message; without it, the provider's own knowledge decides. */
  prefill: z.boolean().optional(),
})

const model = z.strictObject({
  strategy: z.enum(['first', 'weighted', 'least-load', 'latency', 'cost', 'affinity']).default('first'),
  targets: z.array(target).min(1),
  fallbacks: z.array(modelName).default([]),
  timeouts: z
    .strictObject({
      connectMs: milliseconds(5_000),
      /** Until the first content of a stream. */
      firstTokenMs: milliseconds(10_000),
      /**
       * Until the first byte of a plain answer, which comes only when all of it is written. Without it a try may use half
       * of the time left as long as somebody else can be asked, and then all of it.
       */
      plainMs: z.number().int().positive().optional(),
      /** Between two signs of life after that. */
      idleMs: milliseconds(15_000),
      /** All of it: queueing, retries, backoff and every target. */
      totalMs: milliseconds(120_000),
    })
    .prefault({}),
  /** The same target again, before its first content, where that is safe and may help. */
  retries: z
    .strictObject({ max: z.number().int().min(0).max(10).default(1), backoffMs: milliseconds(200) })
    .prefault({}),
  stream: z.strictObject({ onCut: z.enum(['fail', 'restart', 'continue']).default('continue') }).prefault({}),
  /** Which refusals of a target may be tried elsewhere. */
  failover: z
    .strictObject({ contextLength: z.boolean().default(true), contentPolicy: z.boolean().default(false) })
    .prefault({}),
  /** A second try elsewhere once the first is slower than its own 95th percentile. */
  hedge: z
    .strictObject({
      /** At most this share of the calls. 0: never. */
      share: z.number().min(0).max(0.5).default(0),
      /** Not sooner than this. */
      afterMs: milliseconds(500),
    })
    .prefault({}),
  cache: z
    .strictObject({
      mode: z
        .union([z.enum(['off', 'exact', 'semantic']), z.literal(false).transform(() => 'off' as const)])
        .default('off'),
      ttlSeconds: seconds(3600),
      /** semantic: cosine from which two prompts count as the same. */
      similarity: z.number().min(0.5).max(1).default(0.95),
      /** semantic: which of `models` embeds the prompts. */
      embeddings: modelName.optional(),
      /** Cache also what is meant to differ: tools, and temperatures above 0.3. */
      varied: z.boolean().default(false),
    })
    .prefault({}),
  /** Identical requests under way share one call. */
  coalesce: z.boolean().default(false),
  /** Embeddings: calls that arrive together go up as one. */
  batch: z
    .strictObject({
      maxInputs: z.number().int().min(1).max(2048).default(1),
      maxWaitMs: z.number().min(0).max(1000).default(5),
    })
    .prefault({}),
  /** For all its callers together. */
  limits: limitSet.prefault({}),
})

const limits = z.strictObject({
  /** For every key that has none of its own. */
  ...limitFields,
  /** For every user (the header x-midwatch-user, or the one a request names). */
  user: limitSet.prefault({}),
  /** For all keys of a team together. */
  teams: z.record(name, limitSet).default({}),
  /**
   * What to do while Redis cannot be reached. refuse: 503, for what the others admit is not known. local: every process
   * goes on with counters of its own, each up to the whole limit.
   */
  onRedisLoss: z.enum(['refuse', 'local']).default('refuse'),
})

/** What the process may take on at once. Beyond that, callers wait in turn (tenant by tenant), and then get 503. */
const overload = z.strictObject({
  maxActive: z.number().int().positive().default(1000),
  maxQueued: z.number().int().min(0).default(1000),
  maxWaitMs: milliseconds(5_000),
  /** Nobody new is let in while the event loop lags by more. */
  maxLagMs: milliseconds(500),
})

const PII_TYPES = ['email', 'phone', 'card', 'ssn', 'iban', 'ip', 'secret'] as const

const privacy = z.strictObject({
  pii: z
    .strictObject({
      /** mask: replaced for good. pseudonymise: replaced for the provider, put back for the caller. */
      action: z
        .union([
          z.enum(['off', 'detect', 'mask', 'pseudonymise', 'block']),
          z.literal(false).transform(() => 'off' as const),
        ])
        .default('off'),
      types: z.array(z.enum(PII_TYPES)).default([...PII_TYPES]),
    })
    .prefault({}),
  /** Providers see a stable pseudonym in place of the caller's user id. */
  anonymiseUserIds: z.boolean().default(false),
})

const tracing = z.strictObject({
  /** Where OpenTelemetry spans are sent: `http://127.0.0.1:4318/v1/traces`. Without it none are made. */
  otlpUrl: httpUrl.optional(),
  headers: headers.default({}),
  /** Share of the traces that begin here. */
  sampleRatio: z.number().min(0).max(1).default(1),
})

export const gatewayFields = {
  redis: z
    .strictObject({
      url: z.string().regex(/^(redis|rediss|unix):\/\//, 'must be a redis:// URL'),
      prefix: z.string().default('midwatch:'),
    })
    .optional(),
  providers: z.record(name, provider).default({}),
  models: z.record(modelName, model).default({}),
  limits: limits.prefault({}),
  overload: overload.prefault({}),
  privacy: privacy.prefault({}),
  tracing: tracing.prefault({}),
  ledger: z
    .strictObject({
      /** When a row is flushed to the platter: `background` within some milliseconds, `answer` before the answer ends. */
      sync: z.enum(['background', 'answer']).default('background'),
    })
    .prefault({}),
}
