// What the answers of a batch used together, in the words of OpenAI's batch object.
import type { ReadStream } from 'node:fs'
import { linesOf } from './lines.ts'

export interface BatchUsage {
  input_tokens: number
  input_tokens_details: { cached_tokens: number }
  output_tokens: number
  output_tokens_details: { reasoning_tokens: number }
  total_tokens: number
}

type Counts = Readonly<Record<string, unknown>>

/** From the answers themselves, whichever of the dialects they speak. */
export async function sumUsage(output: ReadStream): Promise<BatchUsage> {
  const sum: BatchUsage = {
    input_tokens: 0,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 0,
  }
  for await (const { bytes } of linesOf(output, Infinity)) {
    if (bytes === 'too long') continue
    const line = JSON.parse(bytes.toString('utf8')) as { response?: { body?: { usage?: Counts } } }
    const usage = line.response?.body?.usage
    if (!usage) continue
    const inside = (name: string): Counts => (usage[name] ?? {}) as Counts
    // Anthropic counts what a cache took part in beside the input.
    const beside = count(usage['cache_read_input_tokens']) + count(usage['cache_creation_input_tokens'])
    sum.input_tokens += count(usage['prompt_tokens'] ?? usage['input_tokens']) + beside
    sum.output_tokens += count(usage['completion_tokens'] ?? usage['output_tokens'])
    sum.input_tokens_details.cached_tokens +=
      count(inside('prompt_tokens_details')['cached_tokens'] ?? inside('input_tokens_details')['cached_tokens']) +
      count(usage['cache_read_input_tokens'])
    sum.output_tokens_details.reasoning_tokens += count(
      inside('completion_tokens_details')['reasoning_tokens'] ?? inside('output_tokens_details')['reasoning_tokens'],
    )
  }
  sum.total_tokens = sum.input_tokens + sum.output_tokens
  return sum
}

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)
