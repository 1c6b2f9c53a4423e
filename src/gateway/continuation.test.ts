import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { AnswerEvent } from '../llm/events.ts'
import { ProviderFailure } from '../llm/provider.ts'
import { continueBehind, spliceOnto } from './continuation.ts'
import { Said } from './said.ts'

const text = (piece: string): AnswerEvent => ({ kind: 'text', choice: 0, text: piece })
const call = (name: string): AnswerEvent => ({ kind: 'tool-call', choice: 0, id: `id-of-${name}`, name })
const args = (json: string): AnswerEvent => ({ kind: 'tool-arguments', choice: 0, json })
const FINISH: AnswerEvent = { kind: 'finish', choice: 0, reason: 'stop' }

function saidBy(events: readonly AnswerEvent[]): Said {
  const said = new Said()
  said.add(events)
  return said
}

/** The same text as events, cut at these lengths. */
function pieces(whole: string, lengths: readonly number[]): AnswerEvent[] {
  const out: AnswerEvent[] = []
  let from = 0
  for (const length of lengths) {
    out.push(text(whole.slice(from, from + length)))
    from += length
  }
  return [...out, text(whole.slice(from))]
}

it('joins a second answer that says the same, wherever the first broke off and however both were cut', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }),
      fc.nat(),
      fc.array(fc.nat(5)),
      fc.array(fc.nat(5)),
      (whole, cut, some, other) => {
        const sent = whole.slice(0, cut % (whole.length + 1))
        const said = saidBy(pieces(sent, some))
        const splice = spliceOnto(said)
        const rest = [...pieces(whole, other), FINISH].flatMap((event) => splice.accept([event]))
        said.add(rest)
        expect(said.text).toBe(whole)
        expect(rest.at(-1)).toEqual(FINISH)
      },
    ),
  )
})

it('refuses a second answer that says anything else, before any of it went out', () => {
  const splice = spliceOnto(saidBy([text('The answer is 42')]))
  expect(splice.accept([text('The answer ')])).toEqual([])
  expect(() => splice.accept([text('was 7.')])).toThrow(ProviderFailure)
})

it('refuses a second answer that ends before it says all that was said', () => {
  const splice = spliceOnto(saidBy([text('A long story')]))
  splice.accept([text('A long')])
  expect(() => splice.accept([FINISH])).toThrow(ProviderFailure)
})

it('goes on within the arguments of a tool call, with the id the caller has', () => {
  const splice = spliceOnto(saidBy([text('Let me look.'), call('search'), args('{"query": "mid')]))
  const rest = [text('Let me look.'), call('search'), args('{"query": '), args('"midwatch"}'), call('open'), args('{}')]
  expect(rest.flatMap((event) => splice.accept([event]))).toEqual([args('watch"}'), call('open'), args('{}')])
})

it('refuses to join a call of another tool', () => {
  const splice = spliceOnto(saidBy([call('search'), args('{"q')]))
  expect(() => splice.accept([call('delete_everything')])).toThrow(ProviderFailure)
})

it('leaves the reasoning of a second answer away: the caller has had the first', () => {
  const splice = spliceOnto(saidBy([text('Yes')]))
  const events: AnswerEvent[] = [{ kind: 'reasoning', choice: 0, text: 'Hm.' }, text('Yes, indeed')]
  expect(events.flatMap((event) => splice.accept([event]))).toEqual([text(', indeed')])
})

it('gives no white space twice where a prefill had to end without it', () => {
  const go = continueBehind(saidBy([text('One, two, ')]))
  expect(go.prefill).toBe('One, two,')
  expect(go.accept([text(' '), text('three')])).toEqual([text('three')])
  expect(continueBehind(saidBy([text('One, two, ')])).accept([text('three')])).toEqual([text('three')])
})

it('begins no other part where the second answer names its parts differently', () => {
  const splice = spliceOnto(saidBy([{ ...text('Half'), id: 'msg_1' } as AnswerEvent]))
  const named = (piece: string, id: string) => ({ ...text(piece), id }) as AnswerEvent
  expect(splice.accept([named('Half and', 'msg_2')])).toEqual([named(' and', 'msg_1')])
  expect(splice.accept([named(' half', 'msg_2'), named('More', 'msg_3')])).toEqual([
    named(' half', 'msg_1'),
    named('More', 'msg_3'),
  ])
})
