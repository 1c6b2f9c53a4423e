// An answer as a caller got it, recorded by the cache: real bytes of a provider through the dialect's own reader.
import { SseSplitter } from '../../../core/sse.ts'
import type { Usage } from '../../../llm/chat.ts'
import type { Ask, Dialect } from '../../../llm/dialect.ts'
import { NO_STANDING } from '../../limits/standing.ts'
import type { Facts } from '../../outcome.ts'
import type { CachedAnswer } from '../cached-answer.ts'
import { AnswerRecorder } from '../record-answer.ts'

const AT = 1_790_000_000_000

const USAGE: Usage = {
  inputTokens: 12,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  cacheWrite1hTokens: null,
  outputTokens: 5,
  reasoningTokens: null,
}

export const factsOf = (more: Partial<Facts> = {}): Facts => ({
  cache: 'miss',
  provider: 'main',
  providerModel: 'real-1',
  answeredBy: 'real-1-2026',
  attempts: 1,
  usage: USAGE,
  usageSource: 'measured',
  costMicroUsd: 7,
  costSource: null,
  overheadMs: 1,
  standing: NO_STANDING,
  ...more,
})

/** As the gateway passes it: the end mark apart, and no usage frame for who wants none. */
export function heard(bytes: Buffer, ask: Ask, dialect: Dialect): CachedAnswer {
  const recorder = new AnswerRecorder(ask)
  const reader = dialect.createReader({ decode: false, choices: ask.choices })
  let closing: Uint8Array = Buffer.alloc(0)
  if (ask.stream) {
    for (const event of new SseSplitter().push(bytes)) {
      const frame = reader.see(event)
      if (frame.kind === 'end') closing = frame.bytes
      else if (frame.kind !== 'usage' || ask.wantsUsage) recorder.take([frame])
    }
  } else recorder.take([reader.whole(bytes)])
  return recorder.finish(closing, factsOf(), AT) as CachedAnswer
}
