// A conversation in the shape in which the library knows them: what a model said, the tools it called and what came of
// them are one item, and the model goes on behind it.
import { AppError } from '../../core/errors.ts'
import type { AssistantPart, Message, NeutralChat, UserPart } from '../../llm/request.ts'
import type { Functions, HistoryItem, ResponseItem } from './library.ts'

type CallItem = Extract<ResponseItem, { type: 'functionCall' }>

/** Throws `malformed` where it holds what a text model cannot read. */
export function historyOf(messages: readonly Message[], prefill?: string): HistoryItem[] {
  const history: HistoryItem[] = []
  const calls = new Map<string, CallItem>()
  const response = (): ResponseItem[] => {
    const last = history.at(-1)
    if (last?.type === 'model') return last.response
    const items: ResponseItem[] = []
    history.push({ type: 'model', response: items })
    return items
  }
  for (const message of messages) {
    if (message.role === 'assistant') {
      for (const part of message.parts) addSaid(response(), part, calls)
      continue
    }
    const text = message.parts.map((part: UserPart) => textOf(part, calls)).filter((one) => one !== null)
    if (text.length === 0) continue
    const last = history.at(-1)
    // Many templates know of one system message only.
    if (message.role === 'system' && last?.type === 'system') {
      history[history.length - 1] = { type: 'system', text: `${last.text}\n\n${text.join('\n')}` }
    } else history.push({ type: message.role, text: text.join('\n') })
  }
  if (prefill !== undefined) response().push(prefill)
  return history
}

function addSaid(response: ResponseItem[], part: AssistantPart, calls: Map<string, CallItem>): void {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      response.push(part.text)
      break
    case 'reasoning':
      if (part.text !== '') response.push({ type: 'segment', segmentType: 'thought', text: part.text, ended: true })
      break
    case 'tool-call': {
      const call: CallItem = {
        type: 'functionCall',
        name: part.name,
        params: parsed(part.arguments),
        result: undefined,
      }
      calls.set(part.id, call)
      response.push(call)
    }
  }
}

/** null: it was the result of a call, and stands there now. */
function textOf(part: UserPart, calls: ReadonlyMap<string, CallItem>): string | null {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'tool-result': {
      const result = part.parts.map((one) => textOf(one, calls) ?? '').join('\n')
      const call = calls.get(part.callId)
      if (!call) throw new AppError('malformed', `A tool's result names the call ${part.callId}, which was not made.`)
      call.result = part.isError === true ? { error: result } : parsed(result)
      return null
    }
    case 'file':
      if (part.source.kind === 'text') return part.source.text
      throw unreadable('files')
    case 'image':
      throw unreadable('images')
    case 'audio':
      throw unreadable('audio')
  }
}

const unreadable = (what: string): AppError =>
  new AppError('malformed', `The model behind this name reads text only, and no ${what}. Ask another model.`)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The tools that the model may call by itself. */
export function functionsOf({ tools, toolChoice }: NeutralChat): Functions | undefined {
  if (tools.length === 0 || (toolChoice && toolChoice.kind !== 'auto')) return undefined
  return Object.fromEntries(
    tools.map(({ name, description, parameters }) => [
      name,
      { ...(description === undefined ? {} : { description }), params: parameters },
    ]),
  )
}
