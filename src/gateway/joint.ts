// Whether a stream that passed verbatim can be gone on with by writing. What went out is read and written again; the
// writer then has to stand exactly where the caller does. Providers send events that we do not write, and number items
// that we do not know: so it is tried, with an end right here, whether the two together keep to the grammar.
import { SseSplitter } from '../core/sse.ts'
import type { Ask, Dialect } from '../llm/dialect.ts'
import type { AnswerEvent } from '../llm/events.ts'
import { ProviderFailure } from '../llm/provider.ts'

/** What was said in `sent`, or null where nothing can be written behind it. */
export function eventsIfJoinable(dialect: Dialect, ask: Ask, sent: Buffer): readonly AnswerEvent[] | null {
  const passed = new SseSplitter().push(sent)
  let events: readonly AnswerEvent[]
  try {
    const reader = dialect.createReader({ decode: true, choices: 1 })
    events = passed.flatMap((event) => reader.see(event).events)
  } catch (error) {
    // It passed, so it was good enough for the caller; but we cannot say what it said.
    if (error instanceof ProviderFailure) return null
    throw error
  }
  const writer = dialect.createWriter(ask)
  writer.write(events)
  const reason = events.some(({ kind }) => kind === 'tool-call') ? 'tool-calls' : 'stop'
  const rest = Buffer.concat([writer.write([{ kind: 'finish', choice: 0, reason }]), writer.end()])
  const checker = dialect.createChecker({ formal: false })
  for (const { event, data } of [...passed, ...new SseSplitter().push(rest)]) {
    if (data !== null && checker.see(event, data.trim() === '[DONE]' ? '[DONE]' : JSON.parse(data)) !== null)
      return null
  }
  return checker.end() === null ? events : null
}
