import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent } from '../llm/events.ts'
import { createRestorer, restoreText } from './restore.ts'
import { Vault } from './vault.ts'

function vaultOf(...values: readonly string[]): Vault {
  const vault = new Vault('')
  for (const value of values) vault.placeholderFor('email', value)
  return vault
}

const texts = (events: readonly AnswerEvent[], kind: AnswerEvent['kind'] = 'text'): string =>
  events
    .map((event) => (event.kind === kind ? ('json' in event ? event.json : 'text' in event ? event.text : '') : ''))
    .join('')

const text = (text: string, choice = 0): AnswerEvent => ({ kind: 'text', choice, text })
const FINISH: AnswerEvent = { kind: 'finish', choice: 0, reason: 'stop' }

const answers = fc
  .array(
    fc.constantFrom(
      '[EMAIL-1]',
      '[EMAIL-2]',
      '[EMAIL-11]',
      '[EMAIL-3]',
      '[',
      '[E',
      '[EMAIL-',
      ']',
      '1',
      'a',
      '😀',
      '[[',
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''))

test('whatever the text and wherever it is cut, the caller reads the same as of the whole', () => {
  const vault = vaultOf(...Array.from({ length: 12 }, (_, i) => `user${i + 1}@x.com`))
  fc.assert(
    fc.property(
      answers,
      fc.array(fc.nat(20), { maxLength: 20 }),
      fc.constantFrom('text', 'reasoning', 'refusal'),
      (whole, lengths, kind) => {
        const restorer = createRestorer(vault)
        const passed: AnswerEvent[] = []
        let from = 0
        for (const length of [...lengths, whole.length]) {
          passed.push(...restorer.restore([{ kind, choice: 0, text: whole.slice(from, from + length) }]))
          from += length
        }
        passed.push(...restorer.restore([FINISH]))
        expect(texts(passed, kind)).toBe(restoreText(vault, whole))
        expect(passed.at(-1)).toEqual(FINISH)
        expect(restorer.flush()).toEqual([])
      },
    ),
    { numRuns: 500 },
  )
})

test('no more is held back than what may begin a placeholder', () => {
  const restorer = createRestorer(vaultOf('a@x.com'))
  const pass = (piece: string): string => texts(restorer.restore([text(piece)]))
  expect(pass('see [1] and [EM')).toBe('see [1] and ')
  expect(pass('AIL-')).toBe('')
  expect(pass('2] [EMAIL-1')).toBe('[EMAIL-2] ')
  expect(pass('], [E-mail]')).toBe('a@x.com, [E-mail]')
  expect(pass('[PHONE-')).toBe('[PHONE-')
})

test('the arguments of a tool stay JSON: originals are escaped in them', () => {
  const secret = 'a"b\\c\n-----'
  const vault = vaultOf(secret)
  const restorer = createRestorer(vault)
  const call: AnswerEvent = { kind: 'tool-call', choice: 0, id: 'c', name: 'f' }
  const pieces = ['{"key":"[EMA', 'IL-1]"', '}'].map((json): AnswerEvent => ({
    kind: 'tool-arguments',
    choice: 0,
    json,
  }))
  const passed = restorer.restore([call, ...pieces, { ...FINISH, reason: 'tool-calls' }])
  expect(JSON.parse(texts(passed, 'tool-arguments'))).toEqual({ key: secret })
})

describe('what is held back comes out before anything that ends its part', () => {
  const ends: Readonly<Record<string, AnswerEvent>> = {
    'another kind of text': { kind: 'reasoning', choice: 0, text: 'x' },
    'another part of the same kind': { kind: 'text', choice: 0, text: 'x', id: 'other' },
    'a tool call': { kind: 'tool-call', choice: 0, id: 'c', name: 'f' },
    'the proof of reasoning': { kind: 'reasoning-proof', choice: 0, signature: 's' },
    'the finish': FINISH,
  }
  for (const [name, end] of Object.entries(ends))
    test(name, () => {
      const restorer = createRestorer(vaultOf('a@x.com'))
      expect(restorer.restore([text('so [EMAIL-')])).toEqual([text('so ')])
      expect(restorer.restore([end])).toEqual([text('[EMAIL-'), end])
    })
})

test('choices do not mix, and a usage in between holds up nothing', () => {
  const restorer = createRestorer(vaultOf('a@x.com'))
  const passed = [text('[EMA', 0), text('[EMAIL-', 1), text('IL-1]', 0), text('2]', 1)].flatMap((event) =>
    restorer.restore([event]),
  )
  expect(passed).toEqual([text('a@x.com', 0), text('[EMAIL-2]', 1)])
})

test('an answer that breaks off gives up what was held back', () => {
  const restorer = createRestorer(vaultOf('a@x.com'))
  restorer.restore([text('[EMAIL-1')])
  expect(restorer.flush()).toEqual([text('[EMAIL-1')])
  expect(restorer.flush()).toEqual([])
})

test('a long answer full of brackets costs time in proportion to its length', () => {
  const restorer = createRestorer(vaultOf(...Array.from({ length: 5_000 }, (_, i) => `user${i}@x.com`)))
  let length = 0
  for (let i = 0; i < 20_000; i++) length += texts(restorer.restore([text('[EMAIL-'), text('[['), text('x')])).length
  expect(length).toBe(200_000)
})
