// Which targets may answer, in the order in which they are tried: the model's own by its strategy, then those of its
// fallbacks, each by its own. A fallback's own fallbacks are not followed, so no cycle can exist; a target that stands
// in several of these lists is tried once. Who cannot serve the request is left out, and the plan says why.
//
// Who is not asked because its breaker is open stands behind all the others, who opens next first: when nothing else is
// left, a try beats a sure failure. The breaker still lets only one such try through at a time.
import type { ModelConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import type { Ask, DialectName } from '../llm/dialect.ts'
import type { Provider } from '../llm/provider.ts'
import type { Breakers } from './breaker.ts'
import type { Loads } from './load.ts'
import { incapable, leastPromptTokens, nobodyCan, type Skip } from './routing/capability.ts'
import { textHash } from './routing/prompt-prefix.ts'
import { STRATEGIES } from './routing/strategies.ts'
import type { Ranked, Strategy, Weighing } from './routing/strategy.ts'
import { type Target, targetKey } from './routing/target.ts'

export type { Target } from './routing/target.ts'
export type Models = Readonly<Record<string, ModelConfig>>

export interface Plan {
  /** Of the name that was asked for. */
  readonly model: ModelConfig
  /** In the order in which they are tried. */
  readonly targets: readonly Target[]
  /** How many of them are to be entered as usual; those behind are the last resort and entered early. */
  readonly ready: number
  /** Every target that was considered, for the record: those that are tried in their order, then the others. */
  readonly candidates: readonly Candidate[]
}

export interface Candidate {
  readonly of: string
  readonly provider: string
  readonly model: string
  /** What its strategy ranked it by: calls a weight, ms, micro-dollars, distance; null where it ranks by none. */
  readonly score: number | null
  /** Why it is not tried; `breaker open`: only when all others have failed. */
  readonly skipped: Skip | null
}

export interface PlannerOptions {
  readonly models: Models
  readonly providers: ReadonlyMap<string, Pick<Provider, 'lacks' | 'speaks'>>
  readonly loads: Loads
  readonly breakers: Breakers
  readonly clock: Clock
  /** 0 to 1, for strategies that draw. */
  readonly random: () => number
  /** Micro-dollars for so many tokens at a target; null where unknown. Without it, the config's own prices decide. */
  readonly priceOf?: (target: Target, tokens: ExpectedTokens) => number | null
}

export interface ExpectedTokens {
  readonly input: number
  readonly output: number
}

export interface Planner {
  /** Throws `not_found` with near names, `malformed` where no target can serve the request. */
  plan(ask: Ask, tenant: string): Plan
  /** Whether some target of this name answers in the dialect itself. */
  speaks(model: string, dialect: DialectName): boolean
}

/** Own keys only: a model called `constructor` is unknown. */
export const findModel = (models: Models, name: string): ModelConfig | undefined =>
  Object.hasOwn(models, name) ? models[name] : undefined

/** For one config: after a reload, make another with the same loads and breakers. */
export function createPlanner(options: PlannerOptions): Planner {
  const { models, loads, breakers, clock } = options
  const routes = new Map(Object.keys(models).map((name) => [name, routeOf(name, options)]))
  const targets = [...routes.values()].flatMap(({ groups }) => groups.flatMap(({ targets }) => targets))
  const keys = new Set(targets.map(({ key }) => key))
  loads.retain(keys)
  breakers.retain((provider, model) => keys.has(targetKey(provider, model)))
  return {
    plan: (ask, tenant) => {
      const route = routes.get(ask.model)
      if (!route) throw unknownModel(models, ask.model)
      return planRoute(route, new CallWeighing(ask, tenant, clock.now(), options))
    },
    speaks: (model, dialect) =>
      routes.get(model)?.groups.some(({ targets }) => targets.some(({ speaks }) => speaks.has(dialect))) === true,
  }
}

interface Route {
  readonly model: ModelConfig
  /** The name's own targets, then those of each fallback. */
  readonly groups: readonly { readonly strategy: Strategy; readonly targets: readonly Target[] }[]
}

function routeOf(name: string, options: PlannerOptions): Route {
  const model = findModel(options.models, name)
  if (!model) throw new AppError('internal', undefined, { cause: new Error(`no model ${name}`) })
  const seen = new Set<string>()
  const groups = [...new Set([name, ...model.fallbacks])].flatMap((of) => {
    const from = findModel(options.models, of)
    if (!from) return []
    const targets = from.targets.map((target) => makeTarget(of, from, target, options))
    const fresh = targets.filter(({ key }) => !seen.has(key) && seen.add(key))
    return fresh.length === 0 ? [] : [{ strategy: STRATEGIES[from.strategy], targets: fresh }]
  })
  return { model, groups }
}

function makeTarget(
  of: string,
  { timeouts, retries, stream, failover }: ModelConfig,
  target: ModelConfig['targets'][number],
  { providers, loads, breakers }: PlannerOptions,
): Target {
  const { provider, model, weight, price, contextTokens, maxOutputTokens, prefill } = target
  const key = targetKey(provider, model)
  return {
    of,
    provider,
    model,
    key,
    weight,
    timeouts,
    retries,
    stream,
    failover,
    price,
    contextTokens,
    maxOutputTokens,
    speaks: providers.get(provider)?.speaks ?? NO_DIALECTS,
    lacks: new Set([...target.lacks, ...(providers.get(provider)?.lacks ?? [])]),
    prefill,
    hash: textHash(key),
    load: loads.of(key),
    breaker: breakers.of(provider, model),
  }
}

const NO_DIALECTS: Target['speaks'] = new Set()

function planRoute({ model, groups }: Route, weighing: CallWeighing): Plan {
  const { ask, nowMs } = weighing
  const targets: Target[] = []
  const candidates: Candidate[] = []
  let open: Ranked[] | undefined
  let left: Candidate[] | undefined
  for (const group of groups) {
    // Mostly all can serve: a list of their own is only made where one cannot.
    let able: Target[] | undefined
    for (const [i, target] of group.targets.entries()) {
      const skip = incapable(ask, target, weighing.promptTokens)
      const mayEnter = skip === undefined && target.breaker.mayEnter(nowMs)
      if (mayEnter) {
        able?.push(target)
        continue
      }
      able ??= group.targets.slice(0, i)
      if (skip === undefined) (open ??= []).push({ target, score: target.breaker.opensAtMs(nowMs) })
      else (left ??= []).push(candidate(target, null, skip))
    }
    for (const { target, score } of group.strategy(able ?? group.targets, weighing)) {
      targets.push(target)
      candidates.push(candidate(target, score, null))
    }
  }
  const ready = targets.length
  if (open) {
    open.sort((a, b) => (a.score ?? 0) - (b.score ?? 0))
    for (const { target } of open) {
      targets.push(target)
      candidates.push(candidate(target, null, 'breaker open'))
    }
  }
  if (targets.length === 0)
    throw nobodyCan(
      ask,
      groups.flatMap(({ targets }) => targets),
      weighing.promptTokens,
    )
  if (left) candidates.push(...left)
  return { model, targets, ready, candidates }
}

const candidate = ({ of, provider, model }: Target, score: number | null, skipped: Skip | null): Candidate => ({
  of,
  provider,
  model,
  score,
  skipped,
})

/** English, about. */
const CHARACTERS_A_TOKEN = 4
/** What an answer comes to where the caller sets no lower limit: only the proportion of the two prices hangs on it. */
const TYPICAL_OUTPUT_TOKENS = 500

class CallWeighing implements Weighing {
  readonly ask: Ask
  readonly tenant: string
  readonly nowMs: number
  readonly random: () => number
  readonly #priceOf: NonNullable<PlannerOptions['priceOf']>
  #promptTokens: number | undefined
  #expected: ExpectedTokens | undefined

  constructor(ask: Ask, tenant: string, nowMs: number, { random, priceOf = ownPrice }: PlannerOptions) {
    this.ask = ask
    this.tenant = tenant
    this.nowMs = nowMs
    this.random = random
    this.#priceOf = priceOf
  }

  readonly promptTokens = (): number => (this.#promptTokens ??= leastPromptTokens(this.ask))

  expectedCost(target: Target): number | null {
    this.#expected ??= {
      input: Math.ceil(this.ask.promptCharacters() / CHARACTERS_A_TOKEN),
      output: Math.min(this.ask.maxOutputTokens ?? Infinity, TYPICAL_OUTPUT_TOKENS) * this.ask.choices,
    }
    return this.#priceOf(target, this.#expected)
  }
}

const ownPrice = ({ price }: Target, { input, output }: ExpectedTokens): number | null =>
  price ? input * price.inputUsd + output * price.outputUsd : null

const NAMES_TOLD = 10

function unknownModel(models: Models, name: string): AppError {
  const names = Object.keys(models)
  const guess = nearest(name, names)
  const list = `${names.slice(0, NAMES_TOLD).join(', ')}${names.length > NAMES_TOLD ? ', …' : ''}`
  return new AppError(
    'not_found',
    `There is no model called ${name.slice(0, 100)}.${guess === undefined ? '' : ` Did you mean ${guess}?`} ${
      names.length === 0 ? 'No model is configured.' : `Known: ${list}.`
    }`,
    { field: 'model' },
  )
}
