import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatTraceparent, newSpanId, newTraceId, parseTraceparent } from './trace-context.ts'

test('what is sent on is read as it was', () => {
  for (const sampled of [true, false]) {
    const context = { traceId: newTraceId(), spanId: newSpanId(), sampled }
    expect(parseTraceparent(formatTraceparent(context))).toEqual(context)
  }
})

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

test.each([
  [`00-${TRACE}-${SPAN}-03`, true],
  [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, true],
  [`00-${TRACE}-${SPAN}-00`, false],
])('%s belongs to a trace', (text, sampled) => {
  expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, sampled })
})

test.each([
  undefined,
  '',
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-1`,
])('%s belongs to none', (text) => {
  expect(parseTraceparent(text)).toBeUndefined()
})

test('no text of a stranger makes it fail, or becomes part of what is sent on', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const context = parseTraceparent(text)
      if (context) expect(formatTraceparent(context)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    }),
  )
})
