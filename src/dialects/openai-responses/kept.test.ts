import { expect, test } from 'vitest'
import { KeptResponses } from './kept.ts'

const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] }
const CALL = { id: 'fc_1', type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))
const refer = (...ids: string[]) =>
  bytes({ model: 'm', input: ids.map((id) => ({ type: 'item_reference', id })), top_p: 1 })

function make(options: { maxBytes?: number } = {}) {
  let nowMs = 0
  const kept = new KeptResponses({ now: () => nowMs, ...options })
  return { kept, pass: (ms: number) => (nowMs += ms) }
}

test('what was answered can be referred to, item by item', () => {
  const { kept } = make()
  kept.keep('t', bytes({ input: 'Hello' }), { id: 'resp_1', output: [MESSAGE, CALL] })
  expect(kept.expand('t', refer('fc_1', 'elsewhere')).toString()).toBe(
    JSON.stringify({ model: 'm', input: [CALL, { type: 'item_reference', id: 'elsewhere' }], top_p: 1 }),
  )
})

test('a response goes on behind all the turns before it', () => {
  const { kept } = make()
  kept.keep('t', bytes({ input: 'One' }), { id: 'resp_1', output: [MESSAGE] })
  kept.keep('t', bytes({ previous_response_id: 'resp_1', input: [{ role: 'user', content: 'Two' }] }), {
    id: 'resp_2',
    output: [CALL],
  })
  const body = kept.expand('t', bytes({ previous_response_id: 'resp_2', input: 'Three' }))
  expect(JSON.parse(body.toString())).toEqual({
    previous_response_id: null,
    input: [
      { type: 'message', role: 'user', content: 'One' },
      MESSAGE,
      { role: 'user', content: 'Two' },
      CALL,
      { type: 'message', role: 'user', content: 'Three' },
    ],
  })
})

test('a turn before it that is not known leaves the reference as it is', () => {
  const { kept } = make()
  kept.keep('t', bytes({ previous_response_id: 'resp_0', input: 'Two' }), { id: 'resp_2', output: [CALL] })
  const body = bytes({ previous_response_id: 'resp_2', input: 'Three' })
  expect(kept.expand('t', body)).toBe(body)
})

test('no tenant sees what another was answered', () => {
  const { kept } = make()
  kept.keep('t', bytes({ input: 'Hello' }), { id: 'resp_1', output: [MESSAGE] })
  const body = refer('msg_1')
  expect(kept.expand('other', body)).toBe(body)
  expect(kept.expand('t', body)).not.toBe(body)
})

test('nothing is kept of a caller who does not want it', () => {
  const { kept } = make()
  kept.keep('t', bytes({ input: 'Hello', store: false }), { id: 'resp_1', output: [MESSAGE] })
  const body = refer('msg_1')
  expect(kept.expand('t', body)).toBe(body)
})

test('it is forgotten after an hour, and the oldest of it when there is too much', () => {
  const { kept, pass } = make({ maxBytes: 2000 })
  const answer = (n: number) =>
    kept.keep('t', bytes({ input: 'Hello' }), { id: `resp_${n}`, output: [{ ...MESSAGE, id: `msg_${n}` }] })
  const knows = (id: string) => {
    const body = refer(id)
    return kept.expand('t', body) !== body
  }
  for (let n = 0; n < 20; n++) answer(n)
  expect([knows('msg_0'), knows('msg_19')]).toEqual([false, true])
  pass(3_600_000)
  expect(knows('msg_19')).toBe(false)
})

test('one answer that is too large drives out no other', () => {
  const { kept } = make({ maxBytes: 2000 })
  kept.keep('t', bytes({ input: 'Hello' }), { id: 'resp_1', output: [MESSAGE] })
  kept.keep('t', bytes({ input: 'Hello' }), { id: 'resp_2', output: [{ ...CALL, arguments: 'x'.repeat(3000) }] })
  expect(kept.expand('t', refer('msg_1')).toString()).toContain('"Hi"')
})

test('reasoning that nobody proved is not said again, and nesting without end ends nothing', () => {
  const { kept } = make()
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const output = [{ id: 'rs_1', type: 'reasoning', summary: [] }, MESSAGE]
  kept.keep('t', Buffer.from(`{"input":[{"x":${deep}}]}`), { id: 'resp_1', output })
  expect(JSON.parse(kept.expand('t', refer('rs_1', 'msg_1')).toString())).toMatchObject({ input: [MESSAGE] })
  const body = Buffer.from(`{"input":[{"type":"item_reference","id":"msg_1"},{"x":${deep}}]}`)
  expect(kept.expand('t', body)).toBe(body)
})

test('a body that refers to nothing, or is none, is handed on as it is', () => {
  const { kept } = make()
  for (const body of ['{"model":"m","input":"x"}', '{"item_reference"', '["previous_response_id","item_reference"]']) {
    const given = Buffer.from(body)
    expect(kept.expand('t', given)).toBe(given)
  }
})
