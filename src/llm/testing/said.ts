// What an answer says, whatever the pieces in which it came.
import type { AnswerEvent } from '../events.ts'

/** Adjacent pieces of one part as one, without the provider's ids and times: what an answer says. */
export function saidIn(events: readonly AnswerEvent[]): AnswerEvent[] {
  const said: AnswerEvent[] = []
  for (const event of events) {
    const last = said.at(-1)
    const plain = withoutIds(event)
    if (plain === null) continue
    if (last?.kind === 'text' && plain.kind === 'text')
      said[said.length - 1] = { ...last, text: last.text + plain.text }
    else if (last?.kind === 'reasoning' && plain.kind === 'reasoning') {
      said[said.length - 1] = { ...last, text: last.text + plain.text }
    } else if (last?.kind === 'tool-arguments' && plain.kind === 'tool-arguments') {
      said[said.length - 1] = { ...last, json: last.json + plain.json }
    } else said.push(plain)
  }
  return said
}

function withoutIds(event: AnswerEvent): AnswerEvent | null {
  switch (event.kind) {
    case 'start':
      return { ...event, createdS: 0 }
    case 'text':
    case 'reasoning':
      return event.text === '' ? null : { kind: event.kind, choice: event.choice, text: event.text }
    case 'tool-arguments':
      return event.json === '' ? null : event
    case 'reasoning-proof':
    case 'refusal':
    case 'tool-call':
    case 'finish':
    case 'usage':
    case 'embeddings':
      return event
  }
}
