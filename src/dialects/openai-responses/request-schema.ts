// The fields of a Responses request that mean something in no dialect; what is not here is a hint, and left away where the
// request is translated. What only a provider with Responses has is refused by its name: state that it keeps, and tools
// that it runs itself.
import { z } from 'zod'

const ELSEWHERE = 'needs a model whose provider speaks Responses itself'
const nothing = (what: string) => z.null(`${ELSEWHERE}: ${what}`).optional()

const text = z.looseObject({ type: z.literal(['input_text', 'output_text', 'text']), text: z.string() })
const image = z.looseObject({
  type: z.literal('input_image'),
  image_url: z.string(`is needed: a file that a provider keeps ${ELSEWHERE}`).min(1),
  detail: z.string().nullish(),
})
const file = z.looseObject({
  type: z.literal('input_file'),
  file_data: z.string().nullish(),
  file_url: z.string().nullish(),
  file_id: z.string().nullish(),
  filename: z.string().nullish(),
})
const refusal = z.looseObject({ type: z.literal('refusal'), refusal: z.string() })
const resultPart = z.discriminatedUnion('type', [text, image, file])
const part = z.discriminatedUnion('type', [text, image, file, refusal])

/** A string is the short form of one text. */
const listOf = <T extends z.ZodType>(part: T) =>
  z.preprocess((value) => (typeof value === 'string' ? [{ type: 'input_text', text: value }] : value), z.array(part))

const item = z.preprocess(
  (value) =>
    value !== null && typeof value === 'object' && !('type' in value) ? { ...value, type: 'message' } : value,
  z.discriminatedUnion(
    'type',
    [
      z.looseObject({
        type: z.literal('message'),
        role: z.enum(['user', 'assistant', 'system', 'developer']),
        content: listOf(part),
      }),
      z.looseObject({
        type: z.literal('function_call'),
        call_id: z.string().min(1),
        name: z.string().min(1),
        arguments: z.string(),
      }),
      z.looseObject({
        type: z.literal('function_call_output'),
        call_id: z.string().min(1),
        output: listOf(resultPart),
      }),
      z.looseObject({
        type: z.literal('reasoning'),
        summary: z.array(z.looseObject({ text: z.string() })).default([]),
        content: z.array(z.looseObject({ text: z.string() })).nullish(),
        encrypted_content: z.string().nullish(),
      }),
    ],
    `${ELSEWHERE}: only messages, reasoning, function calls and their outputs can be translated. Of what was answered here an hour ago nothing is known; with store: false clients send it whole`,
  ),
)

const named = z.looseObject({ type: z.literal('function'), name: z.string().min(1) })
const schemaObject = z.record(z.string(), z.unknown())

export const responsesRequest = z.looseObject({
  input: z.preprocess(
    (value) => (typeof value === 'string' ? [{ role: 'user', content: value }] : value),
    z.array(item).min(1),
  ),
  instructions: z.string().nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function', `${ELSEWHERE}: only tools of the type function can be translated`),
        name: z.string().min(1),
        description: z.string().nullish(),
        parameters: schemaObject.nullish(),
        strict: z.boolean().nullish(),
      }),
    )
    .nullish(),
  tool_choice: z
    .union(
      [
        z.enum(['auto', 'none', 'required']),
        named,
        z.looseObject({
          type: z.literal('allowed_tools'),
          mode: z.enum(['auto', 'required']),
          tools: z.array(named),
        }),
      ],
      'must be auto, none, required, the name of a function, or allowed_tools',
    )
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z
    .looseObject({
      format: z
        .discriminatedUnion('type', [
          z.looseObject({ type: z.literal('text') }),
          z.looseObject({ type: z.literal('json_object') }),
          z.looseObject({
            type: z.literal('json_schema'),
            name: z.string().min(1),
            schema: schemaObject,
            strict: z.boolean().nullish(),
            description: z.string().nullish(),
          }),
        ])
        .nullish(),
    })
    .nullish(),
  reasoning: z
    .looseObject({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).nullish(),
      summary: z.string().nullish(),
    })
    .nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  service_tier: z.string().nullish(),
  previous_response_id: nothing('the response before is not known here, or no more'),
  conversation: nothing('the conversation is kept there'),
  prompt: nothing('the prompt is kept there'),
  store: z.literal(false, `${ELSEWHERE}: nobody else keeps the response`).nullish(),
  top_logprobs: z.literal(0, `${ELSEWHERE}: no other tells logprobs`).nullish(),
  include: z
    .array(
      z.string().refine((what) => what !== 'message.output_text.logprobs', `${ELSEWHERE}: no other tells logprobs`),
    )
    .nullish(),
})

export type ResponsesBody = z.output<typeof responsesRequest>
