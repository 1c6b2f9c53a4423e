// What is changed of a caller's body on its way up: the model's name, and for streams the wish to be told the usage.
// Every other byte stays, so fields we have never heard of arrive as they were written.
import { layoutOf, splice, type Splice } from '../../core/json-members.ts'
import type { Ask, Upstream } from '../../llm/dialect.ts'

/** The bytes to send. `ask.body` must be a JSON object. */
export function upstreamBody({ body }: Ask, { model, stream }: Upstream): Buffer {
  const { members, close } = layoutOf(body)
  // All of them: of a key given twice, parsers differ on which counts.
  const splices: Splice[] = members
    .filter(({ key }) => key === 'model')
    .map(({ start, end }) => ({ start, end, text: JSON.stringify(model) }))
  if (stream) {
    const given = members.filter(({ key }) => key === 'stream_options')
    for (const { start, end } of given) {
      const options = JSON.parse(body.toString('utf8', start, end)) as Record<string, unknown> | null
      if (options?.['include_usage'] === true) continue
      splices.push({ start, end, text: JSON.stringify({ ...options, include_usage: true }) })
    }
    if (given.length === 0) {
      splices.push({ start: close, end: close, text: ',"stream_options":{"include_usage":true}' })
    }
  }
  return splice(body, splices)
}
