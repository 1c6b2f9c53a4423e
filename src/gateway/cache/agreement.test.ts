import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agree, traitsOf } from './agreement.ts'

function agreeing(one: string, other: string): boolean {
  const [a, b] = [traitsOf(one), traitsOf(other)]
  return a !== undefined && b !== undefined && agree(a, b)
}

describe('prompts that an embedding takes for the same, and that want different answers, disagree:', () => {
  test.each([
    ['another number', 'How many days are in 3 weeks?', 'How many days are in 4 weeks?'],
    ['another number in words', 'Give me three tips for sleep', 'Give me five tips for sleep'],
    ['another unit', 'Is 30mg of it safe?', 'Is 30g of it safe?'],
    ['another sign', 'What is 3 + 4?', 'What is 3 * 4?'],
    ['numbers in another order', 'Divide 10 by 5', 'Divide 5 by 10'],
    ['another name', 'What is the capital of France?', 'What is the capital of Spain?'],
    ['another name in small letters', 'what is the capital of france', 'what is the capital of spain'],
    ['a name more', 'Who leads Siemens?', 'Who leads Siemens Energy?'],
    ['a negation', 'Which foods are safe for dogs?', 'Which foods are not safe for dogs?'],
    ['a negation in a contraction', 'Why does the server start?', "Why doesn't the server start?"],
    ['a negation in German', 'Darf man hier parken?', 'Darf man hier nicht parken?'],
    ['an opposite', 'How do I enable logging?', 'How do I disable logging?'],
    ['a side of a moment', 'What do I eat before a run?', 'What do I eat after a run?'],
    ['on and off', 'Turn on the lights', 'Turn off the lights'],
    ['where to and where from', 'flights from paris to london', 'flights from london to paris'],
    ['to and from', 'trains to paris', 'trains from paris'],
    ['which into which', 'convert usd to eur', 'convert eur to usd'],
    ['another quotation', 'Translate "good" into German', 'Translate "evil" into German'],
    ['another identifier', 'What does fetch_user do?', 'What does fetch_users do?'],
    ['another case of an identifier', 'What does getUser do?', 'What does getuser do?'],
    ['another flag', 'What does tar -x do?', 'What does tar -c do?'],
    ['another address', 'Summarise https://a.example/1', 'Summarise https://a.example/2'],
    ['another version', 'Is TLS 1.2 fine?', 'Is TLS 1.3 fine?'],
    ['another date', 'What happened on 2024-05-01?', 'What happened on 2024-05-02?'],
    ['another weekday', 'opening hours on monday', 'opening hours on sunday'],
    ['one word exchanged', 'Write a poem about my cat', 'Write a poem about my dog'],
    ['a word more that narrows it', 'Summarise the report on sales', 'Summarise the quarterly report on sales'],
    ['nothing in common', 'Mend it', 'Break that'],
    ['a script without spaces', '法国的首都是哪里', '法国的首都是哪里？'],
  ])('%s', (_name, one, other) => {
    expect(agreeing(one, other)).toBe(false)
    expect(agreeing(other, one)).toBe(false)
  })
})

describe('prompts that only put it otherwise agree:', () => {
  test.each([
    ['polite', 'What is the capital of France?', 'Please tell me the capital of France'],
    ['in small letters', 'What is the capital of France?', 'what is the capital of france'],
    ['with a possessive', 'What is the capital of France?', "What's France's capital?"],
    ['in another order', 'How do I reset my password?', 'password reset: how to'],
    ['with other endings', 'How do I reset a password?', 'How to reset passwords'],
    ['with another spelling of a number', 'What is 1,000 times 3?', 'what is 1000 times 3'],
    ['with other quotes', 'Translate "good" into German', 'Translate `good` into German'],
    ['with a contraction spelled out', "Why doesn't it start?", 'Why does it not start?'],
    ['mostly reworded', 'How do I reset my password?', 'Steps for changing a forgotten password'],
  ])('%s', (_name, one, other) => {
    expect(agreeing(one, other)).toBe(true)
    expect(agreeing(other, one)).toBe(true)
  })
})

test('a text agrees with itself, and agreeing goes both ways, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
      const traits = traitsOf(one)
      if (traits) expect(agree(traits, traits)).toBe(true)
      expect(agreeing(one, other)).toBe(agreeing(other, one))
    }),
  )
})

test('a digit that is changed anywhere is noticed', () => {
  const word = fc.constantFrom('the', 'price', 'of', 'order', 'id', 'in', 'is', 'v', 'at', 'for')
  fc.assert(
    fc.property(fc.array(word), fc.nat(), fc.nat(), fc.array(word), (before, one, other, after) => {
      const text = (number: number) => [...before, String(number), ...after].join(' ')
      expect(agreeing(text(one), text(other))).toBe(one === other)
    }),
  )
})

test('a hostile text costs no more than its length', () => {
  for (const text of [
    "'".repeat(4_000),
    '"a'.repeat(2_000),
    '1,'.repeat(2_000),
    "n't".repeat(1_300),
    'ab '.repeat(1_333),
  ]) {
    const fromMs = performance.now()
    agreeing(text, text)
    expect(performance.now() - fromMs).toBeLessThan(200)
  }
})
