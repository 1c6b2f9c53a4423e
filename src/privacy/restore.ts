// Puts the originals back into an answer, for the caller alone. A placeholder may come in pieces, over as many events as
// the provider likes: what may be its beginning is held back until the next piece decides, or its part of the answer
// ends. Whatever the cuts, the caller reads the same. Only placeholders of this request's vault are touched; what the
// model says on its own account is not looked through for personal data.
import type { AnswerEvent } from '../llm/events.ts'
import { LONGEST_PLACEHOLDER, PLACEHOLDERS, type Vault } from './vault.ts'

export interface Restorer {
  /** The events to pass on now. Of an event whose text is all held back there is none. */
  restore(events: readonly AnswerEvent[]): readonly AnswerEvent[]
  /** What is still held back, when the answer ends without a `finish`. */
  flush(): readonly AnswerEvent[]
}

type TextEvent = Extract<AnswerEvent, { kind: 'text' | 'reasoning' | 'refusal' | 'tool-arguments' }>

/** One for each answer. */
export function createRestorer(vault: Vault): Restorer {
  /** By choice: the text held back, as an event of the part it belongs to. */
  const held = new Map<number, TextEvent>()

  const release = (choice: number, into: AnswerEvent[]): void => {
    const event = held.get(choice)
    if (!event) return
    held.delete(choice)
    into.push(event)
  }

  const takeText = (event: TextEvent, into: AnswerEvent[]): void => {
    const before = held.get(event.choice)
    if (before && !samePart(before, event)) release(event.choice, into)
    const waiting = held.get(event.choice)
    const whole = (waiting ? textOf(waiting) : '') + textOf(event)
    held.delete(event.choice)
    const cut = holdFrom(vault, whole)
    if (cut < whole.length) held.set(event.choice, withText(event, whole.slice(cut)))
    const restored = restoreText(vault, whole.slice(0, cut), event.kind === 'tool-arguments')
    if (restored === textOf(event)) into.push(event)
    else if (restored !== '') into.push(withText(event, restored))
  }

  return {
    restore(events) {
      if (vault.isEmpty) return events
      const passed: AnswerEvent[] = []
      for (const event of events) {
        if (isText(event)) takeText(event, passed)
        else {
          // Whatever else comes of this choice ends the part.
          if ('choice' in event) release(event.choice, passed)
          passed.push(event)
        }
      }
      return passed
    },
    flush() {
      const passed = [...held.values()]
      held.clear()
      return passed
    },
  }
}

/** The whole of a text with the originals in it. `json`: it is JSON, in whose strings the placeholders stand. */
export function restoreText(vault: Vault, text: string, json = false): string {
  if (!text.includes('[')) return text
  return text.replace(PLACEHOLDERS, (placeholder) => {
    const original = vault.originalOf(placeholder)
    if (original === undefined) return placeholder
    return json ? JSON.stringify(original).slice(1, -1) : original
  })
}

/** From where on the text may be the beginning of a placeholder; its length when nothing may. */
function holdFrom(vault: Vault, text: string): number {
  const open = text.lastIndexOf('[')
  if (open < 0 || text.length - open >= LONGEST_PLACEHOLDER) return text.length
  return vault.mayBegin(text.slice(open)) ? open : text.length
}

const isText = (event: AnswerEvent): event is TextEvent =>
  event.kind === 'text' || event.kind === 'reasoning' || event.kind === 'refusal' || event.kind === 'tool-arguments'

const textOf = (event: TextEvent): string => (event.kind === 'tool-arguments' ? event.json : event.text)

const withText = (event: TextEvent, text: string): TextEvent =>
  event.kind === 'tool-arguments' ? { ...event, json: text } : { ...event, text }

function samePart(a: TextEvent, b: TextEvent): boolean {
  const id = (event: TextEvent): string | undefined => ('id' in event ? event.id : undefined)
  return a.kind === b.kind && id(a) === id(b)
}
