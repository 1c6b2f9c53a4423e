// A request as OpenTelemetry's GenAI conventions tell it: one span for the call at our door, and in it one for each try at
// a provider. Of what was asked and answered only the measures are told, never the words.
import type { ProviderConfig } from '../config/schema.ts'
import { allInputTokens } from '../core/money.ts'
import type { Span, Trace } from '../observe/tracing.ts'
import type { DialectName } from '../llm/dialect.ts'
import type { GatewayConfig } from './configured.ts'
import { endName } from './decision.ts'
import { errorTypeOf, type Outcome, statusOf } from './outcome.ts'
import type { Run, Tried } from './run.ts'

const OPERATIONS: Readonly<Record<DialectName, string>> = {
  'openai-chat': 'chat',
  'openai-responses': 'chat',
  'anthropic-messages': 'chat',
  'openai-embeddings': 'embeddings',
  'anthropic-count-tokens': 'count_tokens',
}

export function spansOf(run: Run, trace: Trace, outcome: Outcome, endMs: number, config: GatewayConfig): Span[] {
  const operation = OPERATIONS[run.call.dialect.name]
  return [
    requestSpan(run, trace, outcome, endMs, operation, config),
    ...run.tried.map((one) => trySpan(run, trace, one, operation, config)),
  ]
}

function requestSpan(
  run: Run,
  trace: Trace,
  outcome: Outcome,
  endMs: number,
  operation: string,
  { providers }: GatewayConfig,
): Span {
  const { ask, call, plan } = run
  const { facts } = outcome
  const { usage } = facts
  const settings = facts.provider === null ? undefined : providers[facts.provider]
  const errorType = errorTypeOf(outcome)
  return {
    kind: 'server',
    // A name that a caller made up is no name of a span.
    name: plan && ask ? `${operation} ${ask.model}` : operation,
    context: trace,
    parentId: trace.parentId,
    startMs: run.at,
    endMs,
    failed: outcome.kind === 'failed' || (outcome.kind === 'refused' && outcome.error.status >= 500),
    attributes: {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': settings && providerName(settings),
      'gen_ai.request.model': plan && ask?.model,
      'gen_ai.request.max_tokens': ask?.maxOutputTokens ?? undefined,
      'gen_ai.request.temperature': ask?.temperature ?? undefined,
      'gen_ai.request.choice.count': ask && ask.choices !== 1 ? ask.choices : undefined,
      'gen_ai.response.model': facts.answeredBy ?? undefined,
      // Only here, and not with the tries: whoever adds up the spans of a trace would count it twice.
      'gen_ai.usage.input_tokens': usage && usage.inputTokens !== null ? allInputTokens(usage) : undefined,
      'gen_ai.usage.output_tokens': usage?.outputTokens ?? undefined,
      'gen_ai.usage.cache_read.input_tokens': usage?.cacheReadTokens ?? undefined,
      'gen_ai.usage.cache_creation.input_tokens':
        (usage?.cacheWriteTokens ?? 0) + (usage?.cacheWrite1hTokens ?? 0) || undefined,
      'error.type': errorType ?? undefined,
      'http.request.method': 'POST',
      'http.route': call.dialect.endpoint,
      'http.response.status_code': statusOf(outcome),
      'midwatch.request_id': call.requestId,
      'midwatch.tenant': call.caller.tenant,
      'midwatch.key_id': call.caller.keyId,
      'midwatch.outcome': outcome.kind,
      'midwatch.provider': facts.provider ?? undefined,
      'midwatch.attempts': facts.attempts,
      'midwatch.cache': facts.cache,
      'midwatch.cost_usd': facts.costMicroUsd === null ? undefined : facts.costMicroUsd / 1e6,
      'midwatch.usage_source': facts.usageSource,
      'midwatch.strategy': plan?.model.strategy,
      'midwatch.queued_ms': run.queuedMs,
      'midwatch.overhead_ms': facts.overheadMs,
      'midwatch.first_content_ms': run.firstContentMs ?? undefined,
      'midwatch.rescued': run.rescued ?? undefined,
      'midwatch.limit': run.limitHit ? `${run.limitHit.reason} of the ${run.limitHit.subject}` : undefined,
    },
  }
}

function trySpan(run: Run, trace: Trace, tried: Tried, operation: string, { providers }: GatewayConfig): Span {
  const { target, end, startedMs, tookMs, spanId } = tried
  const settings = providers[target.provider]
  const failure = end.kind === 'failed' || end.kind === 'late' ? end.failure : undefined
  return {
    kind: 'client',
    name: `${operation} ${target.model}`,
    context: { ...trace, spanId: spanId ?? '' },
    parentId: trace.spanId,
    startMs: run.at + startedMs,
    endMs: run.at + startedMs + tookMs,
    failed: failure !== undefined,
    attributes: {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': settings && providerName(settings),
      'gen_ai.request.model': target.model,
      'gen_ai.response.model': tried.answeredBy ?? undefined,
      ...(settings && addressOf(settings)),
      'error.type': failure?.kind,
      'http.response.status_code': failure?.detail.status,
      'midwatch.provider': target.provider,
      'midwatch.attempt.reason': tried.reason,
      'midwatch.attempt.end': endName(end),
      'midwatch.connect_ms': tried.connectMs ?? undefined,
      'midwatch.first_content_ms': tried.firstContentMs ?? undefined,
    },
  }
}

/** As the conventions name them. What only speaks OpenAI's API goes by that name too: it tells the flavour. */
function providerName({ kind }: ProviderConfig): string {
  switch (kind) {
    case 'openai':
    case 'anthropic':
    case 'local':
      return kind
    case 'azure':
      return 'azure.ai.openai'
    case 'gemini':
      return 'gcp.gemini'
    case 'bedrock':
      return 'aws.bedrock'
  }
}

const ADDRESSES = new WeakMap<ProviderConfig, Span['attributes']>()

function addressOf(settings: ProviderConfig): Span['attributes'] {
  const known = ADDRESSES.get(settings)
  if (known) return known
  const address =
    settings.kind === 'local' || settings.baseUrl === undefined ? {} : addressIn(new URL(settings.baseUrl))
  ADDRESSES.set(settings, address)
  return address
}

const addressIn = ({ hostname, port, protocol }: URL): Span['attributes'] => ({
  'server.address': hostname,
  'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
})
