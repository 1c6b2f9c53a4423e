import fc from 'fast-check'
import { expect, it } from 'vitest'
import { chatBody, isChatBody } from './read-request.ts'

const odd = fc.oneof(
  fc.string(),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant({}),
  fc.constant([]),
)
const orOdd = <T>(value: fc.Arbitrary<T>) =>
  fc.option(fc.oneof({ weight: 5, arbitrary: value }, odd), { nil: undefined })
const message = fc.record({
  role: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('user', 'system') }, odd),
  content: odd,
})

it('takes by hand exactly the bodies that the schema takes, and takes them as they are', () => {
  const body = fc.record({
    model: orOdd(fc.string({ maxLength: 300 })),
    messages: orOdd(fc.array(message, { maxLength: 4 })),
    stream: orOdd(fc.boolean()),
    stream_options: orOdd(fc.record({ include_usage: orOdd(fc.boolean()) })),
    n: orOdd(fc.integer({ min: -1, max: 200 })),
    max_tokens: orOdd(fc.integer({ min: -1, max: 9 })),
    max_completion_tokens: orOdd(fc.integer({ min: 0 })),
    temperature: orOdd(fc.double({ min: -1, max: 3 })),
    user: orOdd(fc.string()),
    safety_identifier: orOdd(fc.string()),
    unheard_of: odd,
  })
  fc.assert(
    fc.property(fc.oneof({ weight: 20, arbitrary: body }, odd), (value) => {
      const parsed = chatBody.safeParse(value)
      expect(isChatBody(value)).toBe(parsed.success)
      if (parsed.success) expect(parsed.data).toEqual(value)
    }),
    { numRuns: 2000 },
  )
})
