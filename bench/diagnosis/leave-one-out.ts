// Everything in the diagnosis that is fitted, fitted again without each set in turn and tried on that set: the factors on groups
// of evidence, and the coefficients of the confidence. Made-up cases are always among those that are learnt from.
import type { FaultKind } from '../../src/core/fault-kinds.ts'
import type { CaseInput } from '../../src/diagnosis/case.ts'
import { COEFFICIENTS, featuresOf } from '../../src/diagnosis/confidence.ts'
import type { Context } from '../../src/diagnosis/context.ts'
import { judgeAll, type Judged } from '../../src/diagnosis/diagnose.ts'
import { readCase, type ReadOptions } from '../../src/diagnosis/read-case.ts'
import { makeCase } from '../../src/diagnosis/testing/shop.ts'
import { groupOf, type Weights } from '../../src/diagnosis/weights.ts'
import { DISTURBANCES, randomOf } from './disturb.ts'
import { cutQuietCases } from './quiet.ts'
import { OBSERVERS, type RecordedSet } from './sets.ts'

interface Example {
  readonly set: string
  /** Undefined in a healthy time. */
  readonly guilty: string | undefined
  readonly disturbed: boolean
  readonly context: Context
}

/** A case weighs as much as its eight disturbances together; each set weighs the same. */
const weightOf = ({ disturbed }: Example): number => (disturbed ? 1 / Object.keys(DISTURBANCES).length : 1)

const MADE_UP = 'made up'

export function leaveOneOut(sets: readonly RecordedSet[]) {
  const examples = [...sets.flatMap(examplesOf), ...madeUp()]
  const rows = sets.map(({ name }) => {
    const others = examples.filter(({ set }) => set !== name)
    const own = examples.filter(({ set }) => set === name)
    const weights = fitWeights(others)
    const coefficients = fitConfidence(others, weights)
    return {
      set: name,
      'AC@1 by hand': accuracy(own, {}, false),
      'AC@1 without the set': accuracy(own, weights, false),
      'disturbed, by hand': accuracy(own, {}, true),
      'disturbed, without the set': accuracy(own, weights, true),
      'log loss without the set': logLoss(own, weights, coefficients).toFixed(3),
      'log loss as shipped, fitted with the set': logLoss(own, {}, COEFFICIENTS).toFixed(3),
    }
  })
  const weights = fitWeights(examples)
  const fitted = {
    ...Object.fromEntries(Object.entries(weights).map(([group, value]) => [group, value.toFixed(2)])),
    confidence: fitConfidence(examples, weights)
      .map((one) => one.toFixed(2))
      .join(' '),
  }
  return { rows, fitted }
}

function examplesOf(set: RecordedSet): Example[] {
  const read = (input: CaseInput, options: ReadOptions): Context =>
    readCase(input, { ...options, observers: OBSERVERS })
  const reference = { reference: set.baseline }
  const found = set.cases.flatMap(({ id, input, truth }): Example[] => [
    { set: set.name, guilty: truth.service, disturbed: false, context: read(input, reference) },
    ...Object.entries(DISTURBANCES).map(([name, disturb]) => ({
      set: set.name,
      guilty: truth.service,
      disturbed: true,
      context: read(disturb(input, randomOf(`${name} ${set.name} ${id}`)), reference),
    })),
  ])
  const quiet = cutQuietCases(set, 10).map(({ input, baseline }): Example => {
    return { set: set.name, guilty: undefined, disturbed: false, context: read(input, { reference: baseline }) }
  })
  return [...found, ...quiet]
}

const SHOP: readonly (readonly [FaultKind, string])[] = [
  ['cpu', 'recommendations'],
  ['memory_leak', 'cart'],
  ['slow_database', 'shop-db'],
  ['pool_exhausted', 'inventory'],
  ['bad_deploy', 'catalogue'],
  ['bad_config', 'payment'],
  ['down', 'inventory'],
  ['slow_dependency', 'card-network'],
  ['queue_backlog', 'orders-queue'],
  ['traffic_surge', 'storefront'],
]

const madeUp = (): Example[] =>
  [0.2, 0.6, 1].flatMap((severity, seed) =>
    SHOP.map(([kind, service]): Example => {
      const context = readCase(makeCase({ kind, service, severity, seed }), {})
      return { set: MADE_UP, guilty: service, disturbed: false, context }
    }),
  )

function accuracy(examples: readonly Example[], weights: Weights, disturbed: boolean): string {
  const judged = examples.filter((one) => one.guilty !== undefined && one.disturbed === disturbed)
  const right = judged.filter(({ context, guilty }) => judgeAll(context, weights)[0]?.service === guilty)
  return (right.length / judged.length).toFixed(3)
}

/** How far factors may stray from 1: the deviation of their prior. */
const PRIOR = 0.25
const STEPS = 40
const RATE = 0.4

/** Gradient ascent on the log-likelihood of the guilty among the services of its case. */
function fitWeights(examples: readonly Example[]): Weights {
  const learnt = examples.filter(({ guilty }) => guilty !== undefined)
  const sizes = new Map<string, number>()
  for (const one of learnt) sizes.set(one.set, (sizes.get(one.set) ?? 0) + weightOf(one))
  const weights: Record<string, number> = {}
  for (let step = 0; step < STEPS; step++) {
    const gradient: Record<string, number> = {}
    for (const example of learnt) {
      const judged = judgeAll(example.context, weights)
      const worth = weightOf(example) / (sizes.get(example.set) ?? 1)
      const shares = softmax(judged.map(({ score }) => score))
      for (const [i, one] of judged.entries()) {
        const push = worth * ((one.service === example.guilty ? 1 : 0) - (shares[i] ?? 0))
        if (Math.abs(push) > 1e-4) addTo(gradient, one, weights, push)
      }
    }
    for (const [group, slope] of Object.entries(gradient)) {
      const now = weights[group] ?? 1
      // The prior weighs as much as it would beside a few dozen cases.
      const pull = (1 - now) / (PRIOR * PRIOR * 40)
      weights[group] = Math.max(0.1, now + RATE * (slope + pull))
    }
  }
  return weights
}

function addTo(gradient: Record<string, number>, { findings }: Judged, weights: Weights, push: number): void {
  for (const { aspect, weight } of findings) {
    const group = groupOf(aspect)
    gradient[group] = (gradient[group] ?? 0) + (push * weight) / (weights[group] ?? 1)
  }
}

function softmax(scores: readonly number[]): number[] {
  const most = Math.max(...scores)
  const powers = scores.map((score) => Math.exp(score - most))
  const sum = powers.reduce((all, one) => all + one, 0)
  return powers.map((one) => one / sum)
}

interface Stated {
  readonly features: readonly number[]
  readonly right: number
  readonly worth: number
}

function statedOf(examples: readonly Example[], weights: Weights): Stated[] {
  return examples.flatMap((example) => {
    const [best, next] = judgeAll(example.context, weights)
    if (!best || best.score < 0.3) return []
    const features = featuresOf({ score: best.score, runnerUp: next?.score ?? 0 })
    return [{ features, right: best.service === example.guilty ? 1 : 0, worth: weightOf(example) }]
  })
}

const chance = (coefficients: readonly number[], features: readonly number[]): number =>
  1 / (1 + Math.exp(-coefficients.reduce((sum, one, i) => sum + one * (features[i] ?? 0), 0)))

/** Platt's logistic curve, by gradient ascent. */
function fitConfidence(examples: readonly Example[], weights: Weights): number[] {
  const stated = statedOf(examples, weights)
  const all = stated.reduce((sum, { worth }) => sum + worth, 0)
  const fitted = [0, 0, 0]
  for (let step = 0; step < 3000; step++) {
    const gradient = [0, 0, 0]
    for (const { features, right, worth } of stated) {
      const off = (worth * (right - chance(fitted, features))) / all
      for (let i = 0; i < 3; i++) gradient[i] = (gradient[i] ?? 0) + off * (features[i] ?? 0)
    }
    for (let i = 0; i < 3; i++) fitted[i] = (fitted[i] ?? 0) + (gradient[i] ?? 0)
  }
  return fitted
}

function logLoss(examples: readonly Example[], weights: Weights, coefficients: readonly number[]): number {
  const stated = statedOf(examples, weights)
  const all = stated.reduce((sum, { worth }) => sum + worth, 0)
  return stated.reduce((sum, { features, right, worth }) => {
    const said = chance(coefficients, features)
    return sum - (worth / all) * Math.log(Math.max(1e-3, right ? said : 1 - said))
  }, 0)
}
