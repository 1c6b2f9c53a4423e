// One line of a batch's input: `{"custom_id", "method", "url", "body"}`. The body goes on as the bytes it is.
import { z } from 'zod'
import { layoutOf } from '../../core/json-members.ts'
import type { Line } from './lines.ts'

export interface LineRequest {
  readonly number: number
  readonly customId: string
  readonly model: string
  /** JSON. */
  readonly body: Buffer
}

/** What is wrong with a line, as OpenAI tells it. */
export interface LineProblem {
  readonly code: string
  readonly line: number | null
  readonly message: string
  readonly param: string | null
}

const request = z.looseObject({
  custom_id: z.string().min(1).max(512),
  method: z.literal('POST'),
  url: z.string(),
  body: z.looseObject({ model: z.string().min(1).max(256), stream: z.boolean().nullish() }),
})

const utf8 = new TextDecoder('utf-8', { fatal: true })

export const problem = (
  line: number | null,
  code: string,
  message: string,
  param: string | null = null,
): LineProblem => ({
  code,
  line,
  message,
  param,
})

export function readLine({ number, bytes }: Line, endpoint: string): LineRequest | LineProblem {
  if (bytes === 'too long') return problem(number, 'invalid_request', 'This line is longer than 32 MiB.')
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(bytes))
  } catch {
    return problem(number, 'invalid_json_line', 'This line is not parseable as valid JSON.')
  }
  const read = request.safeParse(value)
  if (!read.success) {
    const issue = read.error.issues[0]
    const param = issue?.path.map(String).join('.') ?? ''
    const missing = issue?.code === 'invalid_type' && issue.message.endsWith('undefined')
    return missing
      ? problem(number, 'missing_required_parameter', `Missing required parameter: '${param}'.`, param)
      : problem(number, 'invalid_request', `'${param}' is not right: ${issue?.message ?? 'unknown problem'}.`, param)
  }
  const { custom_id, url, body } = read.data
  if (url !== endpoint) {
    return problem(number, 'url_mismatch', `The URL '${url}' of this request is not the batch's '${endpoint}'.`, 'url')
  }
  if (body.stream === true) {
    return problem(number, 'invalid_request', 'A request in a batch cannot be streamed.', 'body.stream')
  }
  const place = layoutOf(bytes).members.findLast(({ key }) => key === 'body')
  if (!place) return problem(number, 'invalid_json_line', 'This line is not parseable as valid JSON.')
  return { number, customId: custom_id, model: body.model, body: bytes.subarray(place.start, place.end) }
}

export const isProblem = (read: LineRequest | LineProblem): read is LineProblem => 'code' in read
