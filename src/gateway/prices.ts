// What a token of a target costs: the target's own price, else the public price list (embedded, no network), else
// nobody knows, which is null and never 0. The list is asked at most once a minute a model: some prices begin on a
// date or hold by the hour. Prices that go by the length of the prompt change for the whole call, as providers bill it.
import { calcPrice, findProvider, type ModelPrice, type Provider } from '@pydantic/genai-prices'
import type { ProviderConfig } from '../config/schema.ts'
import { allInputTokens, type ChargedTokens, costMicroUsd, mostMicroUsd, type Price } from '../core/money.ts'

export interface KnownPrice {
  readonly source: 'config' | 'price-list'
  /** By the length of the prompt, shortest first; the first is for all that are shorter than the second says. */
  readonly tiers: readonly PriceTier[]
}

interface PriceTier {
  /** For prompts of more than so many tokens, cached ones included. */
  readonly aboveInputTokens: number
  readonly price: Price
}

export interface PricedTarget {
  /** As the provider names it. */
  readonly model: string
  readonly price?: Price | undefined
}

/** The price for a prompt of that length. */
function priceFor(known: KnownPrice, inputTokens: number): Price {
  const { tiers } = known
  for (let i = tiers.length - 1; i > 0; i--) {
    const tier = tiers[i]
    if (tier && inputTokens > tier.aboveInputTokens) return tier.price
  }
  return tiers[0]?.price ?? FREE
}

/** What a call cost; null when the price or the usage is unknown. */
export const costOf = (usage: ChargedTokens, known: KnownPrice | null): number | null =>
  known && costMicroUsd(usage, priceFor(known, allInputTokens(usage)))

/** The most that a call of at most so many tokens can cost: a shorter prompt is never dearer by its tier. */
export function mostCostOf(inputTokens: number, outputTokens: number, known: KnownPrice): number {
  let most = 0
  for (const { aboveInputTokens, price } of known.tiers) {
    if (aboveInputTokens >= inputTokens && aboveInputTokens > 0) break
    most = Math.max(most, mostMicroUsd(inputTokens, outputTokens, price))
  }
  return most
}

const FREE: Price = { inputUsd: 0, outputUsd: 0 }
/** A model of one's own costs no money a token. */
const OWN_MODEL: KnownPrice = { source: 'config', tiers: [{ aboveInputTokens: 0, price: FREE }] }
const HELD_MS = 60_000
const HELD_MODELS = 2_000

interface Held {
  readonly known: KnownPrice | null
  readonly untilMs: number
}

export class Prices {
  readonly #held = new WeakMap<ProviderConfig, Map<string, Held>>()
  readonly #own = new WeakMap<Price, KnownPrice>()

  /** The price on that day; null when nobody knows it. */
  find(provider: ProviderConfig, target: PricedTarget, nowMs: number): KnownPrice | null {
    if (target.price) return this.#ofConfig(target.price)
    if (provider.kind === 'local') return OWN_MODEL
    let held = this.#held.get(provider)
    if (!held) this.#held.set(provider, (held = new Map()))
    const before = held.get(target.model)
    if (before && nowMs < before.untilMs && nowMs >= before.untilMs - HELD_MS) return before.known
    if (held.size >= HELD_MODELS) held.clear()
    const known = lookUp(provider, target.model, nowMs)
    // Until the next full minute: an hourly price changes at one.
    held.set(target.model, { known, untilMs: (Math.floor(nowMs / HELD_MS) + 1) * HELD_MS })
    return known
  }

  #ofConfig(price: Price): KnownPrice {
    let known = this.#own.get(price)
    if (!known) this.#own.set(price, (known = { source: 'config', tiers: [{ aboveInputTokens: 0, price }] }))
    return known
  }
}

function lookUp(provider: ProviderConfig, model: string, nowMs: number): KnownPrice | null {
  const seller = sellerOf(provider)
  if (!seller) return null
  const found = calcPrice({}, model, { providerId: seller.id, timestamp: new Date(nowMs) })
  return found && readPrice(found.model_price)
}

/** Whose price list holds; undefined for an address that nobody is known by, for there anything may be behind it. */
function sellerOf(provider: ProviderConfig): Provider | undefined {
  switch (provider.kind) {
    case 'azure':
      return findProvider({ providerId: 'azure' })
    case 'bedrock':
      return findProvider({ providerId: 'aws' })
    case 'openai':
    case 'anthropic':
    case 'gemini':
      return findProvider({ providerApiUrl: provider.baseUrl })
    case 'local':
      return undefined
  }
}

/** Charged by something that our usage does not count: such a price would come out too low. */
const UNCOUNTED = ['requests_kcount', 'output_reasoning_mtok', 'output_citation_mtok', 'input_text_messages_kcount']

function readPrice(listed: ModelPrice): KnownPrice | null {
  const input = listed['input_mtok']
  if (input === undefined || UNCOUNTED.some((key) => listed[key] !== undefined)) return null
  const starts = new Set([0])
  for (const key of ['input_mtok', 'output_mtok', 'cache_read_mtok', 'cache_write_mtok', 'cache_write_1h_mtok']) {
    const rate = listed[key]
    if (typeof rate === 'object') for (const { start } of rate.tiers) starts.add(start)
  }
  const tiers = [...starts]
    .sort((a, b) => a - b)
    .map((above) => ({
      aboveInputTokens: above,
      price: {
        inputUsd: rateAt(input, above) ?? 0,
        // Embeddings have no output, and no price for it.
        outputUsd: rateAt(listed['output_mtok'], above) ?? 0,
        cacheReadUsd: rateAt(listed['cache_read_mtok'], above),
        cacheWriteUsd: rateAt(listed['cache_write_mtok'], above),
        cacheWrite1hUsd: rateAt(listed['cache_write_1h_mtok'], above),
      },
    }))
  return { source: 'price-list', tiers }
}

/** The rate for prompts just longer than `above`. */
function rateAt(rate: ModelPrice[string], above: number): number | undefined {
  if (typeof rate !== 'object') return rate
  let price = rate.base
  for (const tier of rate.tiers) if (above > 0 && tier.start <= above) price = tier.price
  return price
}
