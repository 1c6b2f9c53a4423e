// One call of a tool on behalf of a step: what it may cost is looked at first, its rows get the ids they are cited by, and
// what it cannot answer is said in words.
import { AppError, describeError } from '../../../core/errors.ts'
import type { InvestigationContext } from '../context.ts'
import type { Row } from './claim-ref.ts'
import { type Inquiry, plainReason } from './inquiry.ts'
import type { ToolOutput } from './notebook.ts'
import type { ToolQuery } from './query.ts'
import type { Answer } from './toolbox.ts'

/**
 * `id` is that of the call: `metrics.2`. `answer` takes the place of the toolbox for what only the step itself can answer.
 * undefined when no more tools may be called. Throws only when `signal` aborts.
 */
export async function callTool(
  { clock, log }: Pick<InvestigationContext, 'clock' | 'log'>,
  { purse, toolbox }: Pick<Inquiry, 'purse' | 'toolbox'>,
  id: string,
  query: ToolQuery,
  signal: AbortSignal,
  answer: () => Promise<Answer> = () => toolbox.run(query, signal),
): Promise<ToolOutput | undefined> {
  if (purse.whyNoTool(clock.now()) !== undefined) return undefined
  purse.countTool()
  const found = await answer().catch((error: unknown): Answer => {
    signal.throwIfAborted()
    log.warn({ err: error, call: id, tool: query.tool }, 'a tool could not answer')
    return { kind: 'failed', reason: error instanceof AppError ? error.message : describeError(error) }
  })
  return found.kind === 'found'
    ? { id, query, rows: found.rows.map((one, i): Row => ({ ...one, id: `${id}.${i + 1}` })), error: null }
    : { id, query, rows: [], error: plainReason(found.reason) }
}
