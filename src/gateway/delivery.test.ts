import { expect, test } from 'vitest'
import { LOCAL_CALLER } from '../core/caller.ts'
import { ManualClock } from '../core/clock.ts'
import { Timekeeper } from '../core/timekeeper.ts'
import { openAiChat } from '../dialects/openai-chat/dialect.ts'
import { type Frame, NO_BYTES } from '../llm/frames.ts'
import { Delivery } from './delivery.ts'
import { eventsIfJoinable } from './joint.ts'
import type { Target } from './plan.ts'
import { Run } from './run.ts'
import { askFor } from './testing/ask.ts'
import { chunk } from './testing/upstream.ts'

const MIB = 1024 * 1024
const target = { provider: 'main', model: 'gpt' } as Target
const ask = askFor('fast')

function deliveryOf(rescuable: boolean): Delivery {
  const call = {
    dialect: openAiChat,
    body: ask.body,
    caller: LOCAL_CALLER,
    requestId: 'r',
    signal: new AbortController().signal,
  }
  const clock = new ManualClock()
  const audience = { begin: () => undefined, write: () => undefined }
  return new Delivery(new Run(call, clock, new Timekeeper(clock)), ask, audience, {
    release: 'content',
    rescuable,
    vault: null,
  })
}

const translated = (text: string): Frame => ({
  kind: 'content',
  bytes: NO_BYTES,
  events: [{ kind: 'text', choice: 0, text }],
  text,
  written: text.length,
  usage: null,
  model: null,
  complete: false,
})

const say = (delivery: Delivery, mebibytes: number) => {
  for (let i = 0; i < mebibytes; i++) void delivery.send(target, [translated('x'.repeat(MIB))], false)
}

test('of a translated answer as much is remembered as of one that passes, and of a longer one nothing', async () => {
  const short = deliveryOf(true)
  say(short, 7)
  expect(await short.takeOver()).toMatchObject({ length: 7 * MIB + 1 })
  const long = deliveryOf(true)
  say(long, 9)
  expect(await long.takeOver()).toBe('too long')
})

test('nothing is remembered of a translated stream that would not be gone on with', async () => {
  const delivery = deliveryOf(false)
  say(delivery, 1)
  expect(await delivery.takeOver()).toBe('too long')
})

test('others have their turn while a long answer is read again', async () => {
  const sent = Buffer.from(
    [chunk({ role: 'assistant', content: '' })].concat(Array(5_000).fill(chunk({ content: 'word ' }))).join(''),
  )
  let turns = 0
  let reading = true
  const count = (): void => {
    if (!reading) return
    turns++
    setImmediate(count)
  }
  setImmediate(count)
  const events = await eventsIfJoinable(openAiChat, ask, sent)
  reading = false
  expect(events?.flatMap((event) => (event.kind === 'text' ? [event.text] : [])).join('')).toBe('word '.repeat(5_000))
  expect(turns).toBeGreaterThanOrEqual(Math.floor(sent.length / (128 * 1024)) - 1)
})
