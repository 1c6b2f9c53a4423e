// Results of tools right behind the calls that they answer. Chat and Gemini refuse a conversation in which something else
// stands between; the clients of Responses and Messages may put it there: a note of the system's, a word of the user's.
import type { Message, ToolResultPart, UserPart } from '../llm/request.ts'

/** The same messages where all is in place. */
export function resultsBehindCalls(messages: readonly Message[]): readonly Message[] {
  if (!messages.some(isMisplaced)) return messages
  const out: Message[] = []
  for (let i = 0; i < messages.length;) {
    const message = messages[i++]
    if (!message) break
    out.push(message)
    if (!callsTools(message)) continue
    const end = messages.findIndex((one, at) => at >= i && one.role === 'assistant')
    const turn = messages.slice(i, end === -1 ? messages.length : end)
    const results = turn.flatMap((one) => (one.role === 'user' ? one.parts.filter(isResult) : []))
    if (results.length > 0) out.push({ role: 'user', parts: results })
    out.push(...turn.flatMap(withoutResults))
    i += turn.length
  }
  return out
}

const callsTools = (message: Message): boolean =>
  message.role === 'assistant' && message.parts.some(({ kind }) => kind === 'tool-call')

const isResult = (part: UserPart): part is ToolResultPart => part.kind === 'tool-result'

/** It has results, and before it stands what is neither the call nor another's result. */
function isMisplaced(message: Message, at: number, all: readonly Message[]): boolean {
  if (message.role !== 'user' || !message.parts.some(isResult)) return false
  const before = all[at - 1]
  return before !== undefined && before.role !== 'assistant'
}

function withoutResults(message: Message): readonly Message[] {
  if (message.role !== 'user' || !message.parts.some(isResult)) return [message]
  const parts = message.parts.filter((part) => !isResult(part))
  return parts.length > 0 ? [{ ...message, parts }] : []
}
