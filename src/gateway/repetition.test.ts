import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Repetition, type Speech } from './repetition.ts'
import { Said, type SaidPart } from './said.ts'

const saidBy = (events: readonly Speech[]): readonly SaidPart[] => {
  const said = new Said()
  said.add(events)
  return said.parts
}

/** Whether `long` begins with all that `short` says. */
const begins = (short: readonly SaidPart[], long: readonly SaidPart[]): boolean =>
  short.every((part, i) => {
    const other = long[i]
    if (other?.kind !== part.kind) return false
    if (part.kind === 'tool-call' && other.kind === 'tool-call' && part.name !== other.name) return false
    return i === short.length - 1 ? other.text.startsWith(part.text) : other.text === part.text
  })

const words = fc.stringMatching(/^[ab]{1,3}$/)
const speech: fc.Arbitrary<Speech> = fc.oneof(
  words.map((text): Speech => ({ kind: 'text', choice: 0, text })),
  words.map((text): Speech => ({ kind: 'refusal', choice: 0, text })),
  words.map((json): Speech => ({ kind: 'tool-arguments', choice: 0, json })),
  fc.constantFrom('f', 'g').map((name): Speech => ({ kind: 'tool-call', choice: 0, id: 'x', name })),
)

test('piece by piece it comes to what the two answers as a whole come to', () => {
  fc.assert(
    fc.property(
      fc.array(speech, { maxLength: 6 }),
      fc.nat(6),
      fc.array(speech, { maxLength: 4 }),
      (first, kept, more) => {
        const expected = saidBy(first)
        const repetition = new Repetition(expected)
        const second = [...first.slice(0, kept), ...more]
        for (const [i, event] of second.entries()) {
          const now = saidBy(second.slice(0, i + 1))
          const { kind } = repetition.take(event)
          expect(kind).toBe(begins(now, expected) ? 'again' : begins(expected, now) ? 'beyond' : 'diverged')
          if (kind !== 'again') return
          expect(repetition.whole).toBe(begins(expected, now))
        }
      },
    ),
    { numRuns: 5_000 },
  )
})

test('an answer of a hundred thousand pieces is repeated in no time', () => {
  const pieces = Array.from({ length: 100_000 }, (): Speech => ({ kind: 'text', choice: 0, text: ' piece' }))
  const repetition = new Repetition(saidBy(pieces))
  for (const piece of pieces) expect(repetition.take(piece).kind).toBe('again')
  expect(repetition.whole).toBe(true)
})
