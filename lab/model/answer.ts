// What the scripted stand-in says. It never claims to know anything: whoever asks it for a judgement gets the emptiest
// answer that the wanted shape allows.
import { z } from 'zod'

export const OPENING = 'This is a scripted stand-in, not a language model.'

const SAYINGS: readonly (readonly [RegExp, string])[] = [
  [/deliver|ship/i, 'Orders are usually delivered within three working days.'],
  [/return|refund/i, 'Goods can be sent back within thirty days.'],
  [/tea|coffee/i, 'The green tea and the small kettle are often bought together.'],
]

const format = z.object({ type: z.string(), json_schema: z.object({ schema: z.unknown() }).nullish() }).nullish()

/** Text, or JSON in the shape of `response_format` when one was given. */
export function scriptedAnswer(prompt: string, responseFormat: unknown): string {
  const wanted = format.parse(responseFormat ?? null)
  if (wanted?.type === 'json_schema') return JSON.stringify(emptiest(wanted.json_schema?.schema))
  if (wanted?.type === 'json_object') return JSON.stringify({ note: OPENING })
  const saying = SAYINGS.find(([pattern]) => pattern.test(prompt))?.[1]
  return `${OPENING} ${saying ?? 'It has nothing to add to what you already know.'}`
}

const schemaNode = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  minItems: z.number().optional(),
  minimum: z.number().optional(),
})

/** Words by which a list of choices says "I do not know". */
const NO_OPINION = ['unknown', 'none', 'unsure', 'abstain', 'no_opinion', 'other']

/** The value of the schema that says least: null before nothing, nothing before something. */
function emptiest(schema: unknown): unknown {
  const parsed = schemaNode.safeParse(schema)
  if (!parsed.success) return null
  const node = parsed.data
  if (node.const !== undefined) return node.const
  if (node.enum)
    return (
      node.enum.find((choice) => choice === null || (typeof choice === 'string' && NO_OPINION.includes(choice))) ??
      node.enum.at(-1)
    )
  const options = node.anyOf ?? node.oneOf
  if (options) {
    const nothing = options.find((option) => schemaNode.safeParse(option).data?.type === 'null')
    return nothing ? null : emptiest(options[0])
  }
  const types = Array.isArray(node.type) ? node.type : [node.type ?? 'null']
  if (types.includes('null')) return null
  switch (types[0]) {
    case 'object': {
      const wanted = node.required ?? Object.keys(node.properties ?? {})
      return Object.fromEntries(wanted.map((key) => [key, emptiest(node.properties?.[key])]))
    }
    case 'array':
      return Array.from({ length: node.minItems ?? 0 }, () => emptiest(node.items))
    case 'string':
      return OPENING
    case 'number':
    case 'integer':
      return node.minimum ?? 0
    case 'boolean':
      return false
    default:
      return null
  }
}
