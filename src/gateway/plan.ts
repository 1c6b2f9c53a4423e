// Which targets may answer, in the order in which they are tried: the model's own by its strategy, then those of its
// fallbacks. A fallback's own fallbacks are not followed, so no cycle can exist.
import type { ModelConfig } from '../config/schema.ts'
import { AppError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import type { Price } from '../core/money.ts'

export interface Target {
  /** The name in the config's `models` that this target stands under. */
  readonly of: string
  readonly provider: string
  /** As the provider names it. */
  readonly model: string
  readonly timeouts: ModelConfig['timeouts']
  readonly retries: ModelConfig['retries']
  readonly stream: ModelConfig['stream']
  readonly failover: ModelConfig['failover']
  /** null cost where it is unknown. */
  readonly price?: Price | undefined
  /** Whether it goes on behind an assistant's message; undefined: the provider knows. */
  readonly prefill?: boolean | undefined
}

export type Models = Readonly<Record<string, ModelConfig>>

/** Own keys only: a model called `constructor` is unknown. */
export const findModel = (models: Models, name: string): ModelConfig | undefined =>
  Object.hasOwn(models, name) ? models[name] : undefined

/** Throws `not_found` with near names. */
export function planTargets(models: Models, name: string, random: () => number): readonly Target[] {
  const model = findModel(models, name)
  if (!model) throw unknownModel(models, name)
  return [name, ...model.fallbacks].flatMap((of) => {
    const from = findModel(models, of)
    if (!from) return []
    const { timeouts, retries, stream, failover } = from
    return inOrder(from, random).map((target) => ({ ...target, of, timeouts, retries, stream, failover }))
  })
}

function inOrder(model: ModelConfig, random: () => number): ModelConfig['targets'] {
  switch (model.strategy) {
    case 'first':
    case 'least-load':
    case 'latency':
    case 'cost':
    case 'affinity':
      return model.targets
    case 'weighted':
      return drawAll(model.targets, random)
  }
}

/** All targets in a random order: the chance to come next is a target's share of the weight that is left. */
function drawAll<T extends { readonly weight: number }>(targets: readonly T[], random: () => number): T[] {
  const left = [...targets]
  const drawn: T[] = []
  while (left.length > 0) {
    let point = random() * left.reduce((sum, { weight }) => sum + weight, 0)
    let at = 0
    while (at < left.length - 1 && point >= (left[at]?.weight ?? 0)) point -= left[at++]?.weight ?? 0
    drawn.push(...left.splice(at, 1))
  }
  return drawn
}

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
