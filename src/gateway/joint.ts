// Whether a stream that passed verbatim can be gone on with by writing. What went out is read and written again; the
// writer then has to stand exactly where the caller does. Providers send events that we do not write, and number items
// that we do not know: so it is tried, with an end right here, whether the two together keep to the grammar. An answer
// may be long: it is read in slices, and others have their turn in between.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type SseFrame, SseSplitter } from '../core/sse.ts'
import type { Ask, Dialect, StreamChecker } from '../llm/dialect.ts'
import type { AnswerEvent } from '../llm/events.ts'
import { ProviderFailure } from '../llm/provider.ts'

/** Some milliseconds' work. */
const SLICE_BYTES = 128 * 1024

/** What was said in `sent`, or null where nothing can be written behind it. */
export async function eventsIfJoinable(
  dialect: Dialect,
  ask: Ask,
  sent: Buffer,
): Promise<readonly AnswerEvent[] | null> {
  const splitter = new SseSplitter()
  const reader = dialect.createReader({ decode: true, choices: 1 })
  const writer = dialect.createWriter(ask)
  const checker = dialect.createChecker({ formal: false })
  const events: AnswerEvent[] = []
  for (let from = 0; from < sent.length; from += SLICE_BYTES) {
    if (from > 0) await nextTurn()
    const passed = splitter.push(sent.subarray(from, from + SLICE_BYTES))
    let said: readonly AnswerEvent[]
    try {
      said = passed.flatMap((event) => reader.see(event).events)
    } catch (error) {
      // It passed, so it was good enough for the caller; but we cannot say what it said.
      if (error instanceof ProviderFailure) return null
      throw error
    }
    for (const event of said) events.push(event)
    writer.write(said)
    if (!keepsTo(checker, passed)) return null
  }
  const reason = events.some(({ kind }) => kind === 'tool-call') ? 'tool-calls' : 'stop'
  const rest = Buffer.concat([writer.write([{ kind: 'finish', choice: 0, reason }]), writer.end()])
  return keepsTo(checker, new SseSplitter().push(rest)) && checker.end() === null ? events : null
}

const keepsTo = (checker: StreamChecker, frames: readonly SseFrame[]): boolean =>
  frames.every(
    ({ event, data }) =>
      data === null || checker.see(event, data.trim() === '[DONE]' ? '[DONE]' : JSON.parse(data)) === null,
  )
