// Going on with an answer that broke off. A target that takes a prefill goes on behind what was said; any other answers
// anew, and as long as it says the same, it is held back; what comes after that is the rest. An answer that says
// something else cannot be joined: the caller would read two halves of two answers.
import type { AnswerEvent } from '../llm/events.ts'
import { ProviderFailure } from '../llm/provider.ts'
import { Repetition, type Speech } from './repetition.ts'
import { Said } from './said.ts'

export interface Continuation {
  readonly kind: 'prefill' | 'splice'
  readonly prefill: string | undefined
  /** Of the new answer, what the caller has not got yet. Throws ProviderFailure when it says something else. */
  accept(events: readonly AnswerEvent[]): readonly AnswerEvent[]
  /** Whether the new answer has said all that the caller has: before that it cannot be over. */
  readonly caughtUp: boolean
}

/** Behind what was said. Providers refuse a prefill that ends with white space, so that of the end is held back. */
export function continueBehind(said: Said): Continuation {
  const prefill = said.text.trimEnd()
  let owed = said.text.slice(prefill.length)
  const before = said.textIds.slice(-1)
  const seen = new Said()
  return {
    kind: 'prefill',
    prefill,
    caughtUp: true,
    accept: (events) =>
      events.flatMap((foreign): readonly AnswerEvent[] => {
        seen.add([foreign])
        const event = namedAsBefore(foreign, before, seen.textIds)
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
  const repetition = new Repetition(said.parts)
  const before = [...said.textIds]
  /** For the names of its parts. */
  const replay = new Said()
  let beyond = false
  /** Of an event that says something: nothing while it was said before, and what is new of it where it goes beyond. */
  const fresh = (event: Speech, textOf: (fresh: string) => Speech): readonly AnswerEvent[] => {
    replay.add([event])
    const repeated = repetition.take(event)
    switch (repeated.kind) {
      case 'again':
        return []
      case 'diverged':
        throw diverged()
      case 'beyond':
        beyond = true
        return [repeated.fresh === undefined ? event : textOf(repeated.fresh)]
    }
  }
  return {
    kind: 'splice',
    prefill: undefined,
    get caughtUp() {
      return beyond || repetition.whole
    },
    accept: (events) =>
      events.flatMap((foreign): readonly AnswerEvent[] => {
        if (foreign.kind === 'start' || foreign.kind === 'reasoning' || foreign.kind === 'reasoning-proof') return []
        if (beyond) return [namedAsBefore(foreign, before, replay.textIds)]
        const event = foreign
        switch (event.kind) {
          case 'text':
          case 'refusal':
            return event.text === ''
              ? []
              : fresh(event, (text) => ({ ...event, text })).map((one) => namedAsBefore(one, before, replay.textIds))
          case 'tool-arguments':
            return event.json === '' ? [] : fresh(event, (json) => ({ ...event, json }))
          case 'tool-call':
            return fresh(event, () => event)
          case 'finish':
            if (!repetition.whole) throw diverged()
            return [event]
          case 'usage':
          case 'embeddings':
            return [event]
        }
      }),
  }
}

/**
 * The second answer names its parts anew. Those that the caller has begun to read keep the names they had, for a writer
 * begins another part with another name; the n-th part of the one is the n-th of the other.
 */
function namedAsBefore(event: AnswerEvent, before: readonly string[], now: readonly string[]): AnswerEvent {
  if (event.kind !== 'text' || event.id === undefined) return event
  const id = before[now.indexOf(event.id)]
  return id === undefined ? event : { ...event, id }
}

const diverged = (): ProviderFailure =>
  new ProviderFailure(
    'upstream_cut',
    'the second answer says something else than the first, so it cannot go on with it',
  )
