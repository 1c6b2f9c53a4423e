// One entry of the action catalogue: what it does, with which parameters, when it may, what it risks, how it is taken back
// and how one sees that it helped. Nothing outside the catalogue can ever run, so everything that runs is described here.
import { z } from 'zod'
import { ACTION_KINDS, COMPARISONS } from '../core/action-kinds.ts'
import { FAULT_KINDS } from '../core/fault-kinds.ts'
import { Secret } from '../core/secret.ts'
import { templateProblems } from './action-templates.ts'
import { milliseconds, name } from './fields.ts'

const text = z.string().min(1)
const headers = z.record(z.string(), z.union([z.string(), z.instanceof(Secret)]))

const pattern = z.string().refine(isPattern, 'is not a regular expression')

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'u').source !== ''
  } catch {
    return false
  }
}

/**
 * A text is a value of the catalogue's own. The others have a type that every value is held against, when it is proposed
 * and again when it is carried out; one without a `value` has to be given by whoever asks for the action.
 */
const parameter = z.union([
  z.string(),
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('string'),
      /** The whole value has to match. */
      pattern: pattern.optional(),
      maxLength: z.number().int().min(1).max(200).default(200),
      value: z.string().optional(),
    }),
    z.strictObject({
      type: z.literal('number'),
      min: z.number(),
      max: z.number(),
      integer: z.boolean().default(true),
      value: z.union([z.string(), z.number().transform(String)]).optional(),
    }),
    z.strictObject({ type: z.literal('enum'), values: z.array(text).min(1), value: z.string().optional() }),
  ]),
])

const request = z.strictObject({
  method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
  url: z.string(),
  headers: headers.default({}),
  body: z.record(z.string(), z.string()).default({}),
  timeoutMs: milliseconds(30_000),
})

/** A program and its arguments, started without a shell. It sees PATH and the variables named in `env`, nothing else. */
const command = z.strictObject({
  argv: z.array(z.string()).min(1),
  env: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')).default([]),
  folder: z.string().optional(),
  timeoutMs: milliseconds(60_000),
  /** Exit codes that say that nothing was done. Any other but 0 leaves it uncertain. */
  refusedExitCodes: z.array(z.number().int().min(1).max(255)).default([]),
})

const compared = { query: text, is: z.enum(COMPARISONS), value: z.number() }

/** Asked when the action is proposed and once more right before it is carried out; one that cannot be asked does not hold. */
const precondition = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('http'),
    /** For people: "the release to go back to is still there". */
    says: text,
    url: z.string(),
    headers: headers.default({}),
    status: z.number().int().min(100).max(599).default(200),
    /** Where in the answer's JSON (`status.version`), and what has to stand there. */
    field: text.optional(),
    equals: z.string().optional(),
    timeoutMs: milliseconds(5000),
  }),
  z.strictObject({ kind: z.literal('promql'), says: text, ...compared }),
])

/** In words alone, or something that Midwatch can carry out: another entry of the catalogue, a request or a command. */
const undo = z.union([
  text,
  z
    .strictObject({
      text,
      action: name.optional(),
      /** For the parameters of that entry, filled with those of this one. */
      parameters: z.record(z.string(), z.string()).default({}),
      request: request.optional(),
      command: command.optional(),
    })
    .refine(({ action, request, command }) => [action, request, command].filter(Boolean).length === 1, {
      message: 'needs one of action, request and command; for words alone write a text',
    }),
])

export const actionConfig = z
  .strictObject({
    name,
    does: z.enum(ACTION_KINDS),
    /** Services it may touch; `*` is every one that the topology knows. */
    services: z.array(z.string()).min(1),
    /** The kinds of cause it mends. One that mends none is proposed by nobody but people. */
    fits: z.array(z.enum(FAULT_KINDS)),
    title: z.string(),
    expected: z.string(),
    undo,
    touches: z.string().default('{service}'),
    /** 0 to 10 before blast radius, confidence, hour and record are weighed in. */
    risk: z.number().int().min(0).max(10),
    parameters: z.record(z.string(), parameter).default({}),
    preconditions: z.array(precondition).default([]),
    request: request.optional(),
    command: command.optional(),
    /** Asked after a crash: `{run}` is the key of the one run. 200 or exit code 0 says it was carried out, 404 or 1 that it never arrived. */
    check: z
      .union([z.strictObject({ url: z.string() }), z.strictObject({ argv: z.array(z.string()).min(1) })])
      .optional(),
    /** Tried out without an effect, when a person asks for it. */
    dryRun: z.union([request, z.strictObject({ argv: z.array(z.string()).min(1) })]).optional(),
    /** What has to be true afterwards beside the symptom itself being gone. PromQL. */
    verify: z.strictObject(compared).optional(),
    /** How long the same action on the same service rests after it was carried out. */
    cooldownSeconds: z
      .number()
      .min(0)
      .max(7 * 86_400)
      .default(0),
  })
  .superRefine((entry, context) => {
    if ((entry.request === undefined) === (entry.command === undefined))
      context.addIssue({ code: 'custom', message: 'needs a request or a command, and not both', path: ['request'] })
    for (const { path, message } of templateProblems(entry))
      context.addIssue({ code: 'custom', path: [...path], message })
  })

export type ActionConfig = z.output<typeof actionConfig>
export type ParameterConfig = ActionConfig['parameters'][string]
export type PreconditionConfig = ActionConfig['preconditions'][number]
export type RequestConfig = z.output<typeof request>
export type CommandConfig = z.output<typeof command>

export const actionCatalogue = z.array(actionConfig).superRefine((entries, context) => {
  for (const [i, { undo }] of entries.entries()) {
    if (typeof undo === 'string' || undo.action === undefined) continue
    const target = entries.find((entry) => entry.name === undo.action)
    const path = [i, 'undo', 'action']
    if (!target) {
      context.addIssue({ code: 'custom', path, message: `no action of the catalogue is called ${undo.action}` })
      continue
    }
    for (const key of Object.keys(undo.parameters)) {
      const of = target.parameters[key]
      if (of === undefined || typeof of === 'string')
        context.addIssue({
          code: 'custom',
          path: [i, 'undo', 'parameters', key],
          message: `${undo.action} has no parameter ${key} with a type`,
        })
    }
  }
})
