// Looks at a batch's whole input before the first request is made: what is wrong with it is told at once, line by line.
import type { ReadStream } from 'node:fs'
import { isBlank, linesOf } from './lines.ts'
import { isProblem, type LineProblem, problem, readLine } from './read-line.ts'

const MAX_REQUESTS = 50_000
export const MAX_LINE_BYTES = 32 * 1024 * 1024
/** More would only hide the first ones. */
const MAX_PROBLEMS = 100

export type Validation =
  | { readonly kind: 'good'; readonly total: number; readonly model: string | null }
  | { readonly kind: 'bad'; readonly problems: readonly LineProblem[] }

export async function validateInput(
  source: ReadStream,
  endpoint: string,
  models: readonly string[],
  signal: AbortSignal,
): Promise<Validation> {
  const problems: LineProblem[] = []
  const ids = new Set<string>()
  const named = new Set<string>()
  const known = new Set(models)
  for await (const line of linesOf(source, MAX_LINE_BYTES)) {
    signal.throwIfAborted()
    if (line.bytes !== 'too long' && isBlank(line.bytes)) continue
    if (problems.length >= MAX_PROBLEMS) break
    const read = readLine(line, endpoint)
    if (isProblem(read)) {
      problems.push(read)
      continue
    }
    const { number, customId, model } = read
    if (ids.has(customId)) {
      const message = `The custom_id '${customId}' for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.`
      problems.push(problem(number, 'duplicate_custom_id', message, 'custom_id'))
    } else if (!known.has(model)) {
      const message = `There is no model called '${model}'. Known: ${models.join(', ')}.`
      problems.push(problem(number, 'model_not_found', message, 'body.model'))
    } else if (ids.size >= MAX_REQUESTS) {
      const message = `The batch has more than the ${MAX_REQUESTS} requests that are allowed. Divide it into several.`
      return { kind: 'bad', problems: [...problems, problem(null, 'too_many_tasks', message)] }
    }
    ids.add(customId)
    named.add(model)
  }
  if (problems.length > 0) return { kind: 'bad', problems }
  if (ids.size === 0) {
    const message = 'The batch input file is empty. It must hold at least one request.'
    return { kind: 'bad', problems: [problem(null, 'empty_file', message)] }
  }
  return { kind: 'good', total: ids.size, model: named.size === 1 ? ([...named][0] ?? null) : null }
}
