// The fields of a chat request that mean something in no dialect; what is not here is a hint of one server, and left away
// where the request is translated. Beside OpenAI's own: `top_k` of vLLM, `reasoning` of OpenRouter, `cache_control` of
// those who pass Anthropic's cache marks through this dialect, and the reasoning that servers give back.
import { z } from 'zod'

/** A string is the short form of one text part. */
const listOf = <T extends z.ZodType>(part: T) =>
  z.preprocess((value) => (typeof value === 'string' ? [{ type: 'text', text: value }] : value), z.array(part))

const cacheControl = z.looseObject({ type: z.string(), ttl: z.enum(['5m', '1h']).nullish() }).nullish()

const textPart = z.looseObject({ type: z.literal('text'), text: z.string(), cache_control: cacheControl })
const userPart = z.discriminatedUnion('type', [
  textPart,
  z.looseObject({
    type: z.literal('image_url'),
    image_url: z.looseObject({ url: z.string().min(1), detail: z.string().nullish() }),
    cache_control: cacheControl,
  }),
  z.looseObject({
    type: z.literal('file'),
    file: z.looseObject({
      file_data: z.string().nullish(),
      file_id: z.string().nullish(),
      filename: z.string().nullish(),
    }),
    cache_control: cacheControl,
  }),
  z.looseObject({
    type: z.literal('input_audio'),
    input_audio: z.looseObject({ data: z.string(), format: z.string() }),
  }),
])
const assistantPart = z.discriminatedUnion('type', [
  textPart,
  z.looseObject({ type: z.literal('refusal'), refusal: z.string() }),
])

const toolCall = z.looseObject({
  id: z.string().min(1),
  type: z.literal('function', 'only calls of functions can be translated for this provider').default('function'),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string().default('') }),
})

const texts = listOf(textPart)
const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal(['system', 'developer']), content: texts }),
  z.looseObject({ role: z.literal('user'), content: listOf(userPart), name: z.string().nullish() }),
  z.looseObject({
    role: z.literal('assistant'),
    content: listOf(assistantPart).nullish(),
    refusal: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    reasoning: z.string().nullish().catch(undefined),
    tool_calls: z.array(toolCall).nullish(),
    function_call: z.null('is of the old form; give `tool_calls`').optional(),
  }),
  z.looseObject({ role: z.literal('tool'), content: texts, tool_call_id: z.string().min(1) }),
])

const schemaObject = z.record(z.string(), z.unknown())
const tool = z.looseObject({
  type: z.literal('function', 'only tools of the type function can be translated for this provider'),
  function: z.looseObject({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: schemaObject.nullish(),
    strict: z.boolean().nullish(),
  }),
  cache_control: cacheControl,
})
const named = z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string().min(1) }) })
const toolChoice = z.union(
  [
    z.enum(['auto', 'none', 'required']),
    named,
    z.looseObject({
      type: z.literal('allowed_tools'),
      allowed_tools: z.looseObject({ mode: z.enum(['auto', 'required']), tools: z.array(named) }),
    }),
  ],
  'must be auto, none, required, the name of a function, or allowed_tools',
)

const responseFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({
      name: z.string().min(1),
      schema: schemaObject.nullish(),
      strict: z.boolean().nullish(),
      description: z.string().nullish(),
    }),
  }),
])

const effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh'])
const nothing = (what: string) => z.null(`cannot be translated for this provider: ${what}`).optional()

export const chatRequest = z.looseObject({
  messages: z.array(message).min(1),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: responseFormat.nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().nullish(),
  stop: z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(z.string())).nullish(),
  seed: z.int().nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  reasoning_effort: effort.nullish(),
  reasoning: z
    .looseObject({
      effort: effort.nullish(),
      max_tokens: z.int().min(1).nullish(),
      exclude: z.boolean().nullish(),
    })
    .nullish(),
  n: z.int().min(1).max(128).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  service_tier: z.string().nullish(),
  // What would change the answer, and nobody else has.
  functions: nothing('it is of the old form; give `tools`'),
  function_call: nothing('it is of the old form; give `tool_choice`'),
  audio: nothing('only text is answered'),
  modalities: z.array(z.literal('text', 'cannot be translated for this provider: only text is answered')).nullish(),
  logprobs: z.literal(false, 'cannot be translated for this provider: it tells no logprobs').nullish(),
  logit_bias: z.record(z.string(), z.never('cannot be translated for this provider: its tokens are others')).nullish(),
  web_search_options: nothing('only functions can be called'),
})

export type ChatBody = z.output<typeof chatRequest>
