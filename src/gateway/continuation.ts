// Going on with an answer that broke off. A target that takes a prefill goes on behind what was said; any other answers
// anew, and as long as it says the same, it is held back; what comes after that is the rest. An answer that says
// something else cannot be joined: the caller would read two halves of two answers.
import type { AnswerEvent } from '../llm/events.ts'
import { ProviderFailure } from '../llm/provider.ts'
import { Said, type SaidPart } from './said.ts'

export interface Continuation {
  readonly kind: 'prefill' | 'splice'
  readonly prefill: string | undefined
  /** Of the new answer, what the caller has not got yet. Throws ProviderFailure when it says something else. */
  accept(events: readonly AnswerEvent[]): readonly AnswerEvent[]
}

/** Behind what was said. Providers refuse a prefill that ends with white space, so that of the end is held back. */
export function continueBehind(said: Said): Continuation {
  const prefill = said.text.trimEnd()
  let owed = said.text.slice(prefill.length)
  return {
    kind: 'prefill',
    prefill,
    accept: (events) =>
      events.flatMap((foreign): readonly AnswerEvent[] => {
        const event = withoutPartId(foreign)
        if (event.kind === 'start' || event.kind === 'reasoning' || event.kind === 'reasoning-proof') return []
        if (event.kind !== 'text' || owed === '') return [event]
        // The caller has the white space already.
        let text = event.text
        while (owed !== '' && text !== '' && text[0] === owed[0]) {
          text = text.slice(1)
          owed = owed.slice(1)
        }
        if (text === '') return []
        owed = ''
        return [{ ...event, text }]
      }),
  }
}

/** A new answer, up to where the old one broke off held back. */
export function spliceOnto(said: Said): Continuation {
  const expected = said.parts.map((part) => ({ ...part }))
  const replay = new Said()
  let caughtUp = false
  /** Of an event that says something: nothing while it was said before, and what is new of it where it goes beyond. */
  const beyond = (event: Speech, textOf: (kept: string) => Speech): readonly AnswerEvent[] => {
    replay.add([event])
    if (isBeginning(replay.parts, expected)) return []
    if (!isBeginning(expected, replay.parts)) throw diverged()
    caughtUp = true
    const last = expected.at(-1)
    const now = replay.parts[expected.length - 1]
    const fresh = now && last && replay.parts.length === expected.length ? now.text.slice(last.text.length) : undefined
    return [fresh === undefined ? event : textOf(fresh)]
  }
  return {
    kind: 'splice',
    prefill: undefined,
    accept: (events) =>
      events.flatMap((foreign): readonly AnswerEvent[] => {
        const event = withoutPartId(foreign)
        if (event.kind === 'start' || event.kind === 'reasoning' || event.kind === 'reasoning-proof') return []
        if (caughtUp) return [event]
        switch (event.kind) {
          case 'text':
          case 'refusal':
            return event.text === '' ? [] : beyond(event, (text) => ({ ...event, text }))
          case 'tool-arguments':
            return event.json === '' ? [] : beyond(event, (json) => ({ ...event, json }))
          case 'tool-call':
            return beyond(event, () => event)
          case 'finish':
            if (!isBeginning(expected, replay.parts)) throw diverged()
            return [event]
          case 'usage':
          case 'embeddings':
            return [event]
        }
      }),
  }
}

/** The second answer's own name for a part would begin another part in the middle of the one that the caller has. */
function withoutPartId(event: AnswerEvent): AnswerEvent {
  if (event.kind === 'text' && event.id !== undefined) {
    const { id: _id, ...rest } = event
    return rest
  }
  if (event.kind === 'tool-call' && event.itemId !== undefined) {
    const { itemId: _itemId, ...rest } = event
    return rest
  }
  return event
}

type Speech = Extract<AnswerEvent, { kind: 'text' | 'refusal' | 'tool-call' | 'tool-arguments' }>

/** Whether `long` begins with all that `short` says. */
function isBeginning(short: readonly SaidPart[], long: readonly SaidPart[]): boolean {
  return short.every((part, i) => {
    const other = long[i]
    if (!other || other.kind !== part.kind) return false
    if (part.kind === 'tool-call' && other.kind === 'tool-call' && part.name !== other.name) return false
    return i === short.length - 1 ? other.text.startsWith(part.text) : other.text === part.text
  })
}

const diverged = (): ProviderFailure =>
  new ProviderFailure(
    'upstream_cut',
    'the second answer says something else than the first, so it cannot go on with it',
  )
