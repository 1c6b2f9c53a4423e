// Whether a request may be answered from the cache, with the reason where not. What is meant to vary is left alone
// unless the model's config says otherwise: tools (their calls act on a world that moves), temperatures above 0.3, and
// several answers at once. A request that names no temperature has not asked for variety.
import { AppError } from '../../core/errors.ts'
import type { ModelConfig } from '../../config/schema.ts'
import type { RequestKey } from './request-key.ts'

/** What the caller says in `x-midwatch-cache`. */
export type CacheDirective =
  | 'no-store' // neither answer from the cache nor keep the answer
  | 'refresh' // ask anew, and keep the answer in place of the old one

export type Cacheable =
  | { readonly kind: 'yes'; /** An answer that is there may be used. */ readonly read: boolean }
  | { readonly kind: 'no'; readonly reason: UncacheableReason }

export type UncacheableReason =
  | 'off' // the model's config
  | 'no-store' // the caller
  | 'stateful' // the answer depends on what the provider remembers, or comes later
  | 'tools'
  | 'temperature'
  | 'choices'

const HIGH_TEMPERATURE = 0.3

/** Throws `malformed` for anything but the two directives. */
export function readCacheDirective(header: string | undefined): CacheDirective | null {
  const directive = header?.trim().toLowerCase()
  if (directive === undefined || directive === '') return null
  if (directive === 'no-store' || directive === 'refresh') return directive
  throw new AppError('malformed', 'The header x-midwatch-cache must be no-store or refresh.', {
    field: 'x-midwatch-cache',
  })
}

export function isCacheable(
  request: RequestKey,
  settings: ModelConfig['cache'],
  directive: CacheDirective | null,
): Cacheable {
  if (settings.mode === 'off') return { kind: 'no', reason: 'off' }
  if (directive === 'no-store') return { kind: 'no', reason: 'no-store' }
  const reason = whyUnfit(request, settings.varied)
  return reason === null ? { kind: 'yes', read: directive !== 'refresh' } : { kind: 'no', reason }
}

/**
 * Whether it may share a call with the same request under way. What is meant to vary may not either: who sends one
 * prompt five times at once at a high temperature wants five answers.
 */
export function isShareable(request: RequestKey, settings: ModelConfig, directive: CacheDirective | null): boolean {
  return settings.coalesce && directive === null && whyUnfit(request, settings.cache.varied) === null
}

/** Members that make a provider remember, or work after it has answered. */
const STATEFUL = new Set(['conversation', 'background', 'container'])
/** Members that give the model tools, its own or the provider's. */
const TOOLS = new Set(['tools', 'functions', 'mcp_servers', 'web_search_options'])

function whyUnfit({ ask, members }: RequestKey, varied: boolean): UncacheableReason | null {
  const given = (names: ReadonlySet<string>) =>
    members.some(({ key, start, end }) => names.has(key) && !isNothing(ask.body, start, end))
  if (given(STATEFUL)) return 'stateful'
  if (varied) return null
  if (given(TOOLS) || ask.demands.has('tools')) return 'tools'
  if (ask.temperature !== null && ask.temperature > HIGH_TEMPERATURE) return 'temperature'
  return ask.choices > 1 ? 'choices' : null
}

function isNothing(body: Buffer, start: number, end: number): boolean {
  // The longest spelling of nothing that anyone writes; anything longer is something.
  if (end - start > 16) return false
  const text = body.toString('latin1', start, end)
  return text === 'null' || text === 'false' || /^\[\s*\]$/.test(text)
}
