import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { type FailureDetail, type FailureKind, FAILURE_KINDS, ProviderFailure } from '../llm/provider.ts'
import { allOpen, type AttemptVerdict, Breakers, type TargetBreaker, Ticket } from './breaker.ts'
import { ProviderHealth } from './health.ts'

function start() {
  const clock = new ManualClock()
  const breakers = new Breakers({ clock, random: () => 1, onVerdict: (provider, good) => health.note(provider, good) })
  const health = new ProviderHealth(clock, ['openai'], (provider) => breakers.isOpen(provider))
  const gpt = breakers.of('openai', 'gpt')
  const mini = breakers.of('openai', 'mini')
  return { clock, breakers, gpt, mini, state: () => health.states().get('openai') }
}

const failed = (kind: FailureKind, detail: FailureDetail = {}): AttemptVerdict => ({
  kind: 'failed',
  failure: new ProviderFailure(kind, 'no', detail),
})

function call(breaker: TargetBreaker, verdict: AttemptVerdict, early = false): void {
  const entry = breaker.tryEnter(early)
  if (!(entry instanceof Ticket)) throw new Error('it is open')
  breaker.leave(entry, verdict)
}

const times = (count: number, work: () => void) => Array.from({ length: count }, work)

test.each<[FailureKind, 'nothing' | 'the model' | 'the provider']>([
  ['untranslatable', 'nothing'],
  ['upstream_4xx', 'nothing'],
  ['upstream_context_length', 'nothing'],
  ['upstream_content_policy', 'nothing'],
  ['upstream_auth', 'the provider'],
  ['upstream_rate_limited', 'the model'],
  ['upstream_5xx', 'the model'],
  ['upstream_timeout', 'the model'],
  ['upstream_unreachable', 'the provider'],
  ['upstream_cut', 'the model'],
  ['upstream_malformed', 'the model'],
])('five times %s close %s', (kind, closed) => {
  const { clock, gpt, mini } = start()
  times(5, () => call(gpt, failed(kind)))
  expect(gpt.mayEnter(clock.now())).toBe(closed === 'nothing')
  expect(mini.mayEnter(clock.now())).toBe(closed !== 'the provider')
})

test('the table above knows every kind of failure', () => expect(FAILURE_KINDS).toHaveLength(11))

test('callers that leave, and deadlines that callers choose, close nothing', () => {
  const { clock, gpt, state } = start()
  times(50, () => call(gpt, { kind: 'unknown' }))
  expect(gpt.mayEnter(clock.now())).toBe(true)
  expect(state()).toBe('ok')
})

test.each<[FailureKind, number, number]>([
  ['upstream_rate_limited', 7, 7_000],
  ['upstream_5xx', 7, 7_000],
  ['upstream_rate_limited', 86_400, 60_000],
])('after %s with Retry-After %d s the model is left alone for %d ms, and other models are not', (kind, asked, ms) => {
  const { clock, gpt, mini } = start()
  call(gpt, failed(kind, { retryAfterSeconds: asked }))
  expect(gpt.tryEnter()).toEqual({ kind: 'open', untilMs: clock.now() + ms })
  expect(gpt.tryEnter(true).kind).toBe('open')
  expect(mini.mayEnter(clock.now())).toBe(true)
  expect(gpt.mayEnter(clock.now() + ms)).toBe(true)
})

test('rate limits that say how long do not count as failures', async () => {
  const { clock, gpt } = start()
  for (let i = 0; i < 20; i++) {
    call(gpt, failed('upstream_rate_limited', { retryAfterSeconds: 1 }))
    await clock.advance(1000)
  }
  expect(gpt.tryEnter().kind).toBe('closed')
})

test('one probe at a time stands for a whole provider', async () => {
  const { clock, gpt, mini } = start()
  times(5, () => call(gpt, failed('upstream_unreachable')))
  await clock.advance(2000)
  const probe = gpt.tryEnter()
  expect(probe.kind).toBe('probe')
  expect(mini.tryEnter().kind).toBe('open')
  if (probe instanceof Ticket) gpt.leave(probe, { kind: 'good' })
  expect(mini.tryEnter().kind).toBe('closed')
})

test('a model that is paused does not keep the probe of its provider', async () => {
  const { clock, gpt, mini } = start()
  call(gpt, failed('upstream_5xx', { retryAfterSeconds: 30 }))
  times(4, () => call(mini, failed('upstream_unreachable')))
  await clock.advance(2000)
  expect(gpt.tryEnter().kind).toBe('open')
  expect(mini.tryEnter().kind).toBe('probe')
})

test('the first content of a probe lets everybody in again, before its stream has ended', async () => {
  const { clock, gpt } = start()
  times(5, () => call(gpt, failed('upstream_5xx')))
  await clock.advance(2000)
  const probe = gpt.tryEnter()
  expect(gpt.tryEnter().kind).toBe('open')
  if (probe instanceof Ticket) gpt.content(probe)
  expect(gpt.tryEnter().kind).toBe('closed')
})

test('a provider is open while nothing of it can be asked, then failing, then forgiven', async () => {
  const { clock, gpt, mini, state } = start()
  times(5, () => call(gpt, failed('upstream_5xx')))
  expect(state()).toBe('failing')
  times(5, () => call(mini, failed('upstream_5xx')))
  expect(state()).toBe('open')
  await clock.advance(2000)
  expect(state()).toBe('failing')
  await clock.advance(120_000)
  expect(state()).toBe('ok')
})

test('what left the config is forgotten', () => {
  const { clock, breakers, gpt } = start()
  times(5, () => call(gpt, failed('upstream_unreachable')))
  breakers.retain(() => false)
  expect(breakers.of('openai', 'gpt').mayEnter(clock.now())).toBe(true)
})

test('who meets only open breakers is told when to come again', () => {
  expect(allOpen('fast', 12_300, 10_000)).toMatchObject({ status: 503, retryAfterSeconds: 3 })
})
