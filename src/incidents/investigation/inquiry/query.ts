// A question to a tool, in one flat shape for all of them: what a model can be held to by a schema, and what two questions
// can be compared by.
import { z } from 'zod'

export const TOOLS = [
  'list_anomalies',
  'query_series',
  'log_templates',
  'search_logs',
  'list_changes',
  'neighbours',
  'search_knowledge',
  'past_cases',
  'model_calls',
  'page',
] as const
export type ToolName = (typeof TOOLS)[number]

const short = z.string().max(200).nullable()

export const toolQuery = z.strictObject({
  tool: z.enum(TOOLS),
  /** One service; null for all. */
  service: short,
  /** Of `query_series`. */
  metric: short,
  /** Text to look for: of `search_logs` and `search_knowledge`. */
  contains: short,
  /** Of `page`: the id of a call, and the first row wanted. */
  handle: short,
  offset: z.number().int().min(0).max(100_000).nullable(),
})
export type ToolQuery = z.infer<typeof toolQuery>

export const queryOf = (tool: ToolName, more: Partial<Omit<ToolQuery, 'tool'>> = {}): ToolQuery => ({
  tool,
  service: null,
  metric: null,
  contains: null,
  handle: null,
  offset: null,
  ...more,
})

/** Equal for questions that would be answered alike: letters' case, spaces and numbers in a text make no new question. */
export function keyOf({ tool, service, metric, contains, handle, offset }: ToolQuery): string {
  const plain = (text: string | null): string =>
    (text ?? '')
      .toLowerCase()
      .replaceAll(/\d+/g, '#')
      .replaceAll(/[^\p{L}#]+/gu, ' ')
      .trim()
  if (tool === 'page') return `page ${handle ?? ''} ${offset ?? 0}`
  return [tool, (service ?? '').toLowerCase().trim(), (metric ?? '').toLowerCase().trim(), plain(contains)].join(
    '\u0000',
  )
}
