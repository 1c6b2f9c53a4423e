import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FaultKind } from '../core/fault-kinds.ts'
import type { CaseInput } from './case.ts'
import { diagnose } from './diagnose.ts'
import { cause } from './evidence.ts'
import { makeCase, START_MS, type Scenario } from './testing/shop.ts'

const FAULTS: readonly (readonly [FaultKind, string, string?])[] = [
  ['cpu', 'recommendations'],
  ['memory_leak', 'cart'],
  ['slow_database', 'shop-db'],
  ['pool_exhausted', 'inventory'],
  ['bad_deploy', 'checkout'],
  ['bad_deploy', 'catalogue'],
  ['bad_config', 'payment'],
  ['down', 'inventory'],
  ['down', 'card-network'],
  ['slow_dependency', 'card-network'],
  ['queue_backlog', 'orders-queue'],
  ['disk_full', 'cart'],
  ['credential_expired', 'payment'],
  ['traffic_surge', 'storefront'],
  ['provider_failure', 'midwatch', 'model-provider'],
]

const named = (scenario: Scenario): string => {
  const { causes } = diagnose(makeCase(scenario))
  return causes[0] ? `${causes[0].service} ${causes[0].kind}` : 'nothing'
}

describe('diagnose', () => {
  for (const [kind, service, called = service] of FAULTS) {
    it(`names ${called} for ${kind}, whatever the seed and the load`, () => {
      const answers = [1, 2, 3, 4, 5, 6].map((seed) => named({ kind, service, seed, load: 0.5 + seed / 4 }))
      expect(answers).toEqual(answers.map(() => `${called} ${kind}`))
    })
  }

  it('abstains when alerts fire and nothing is wrong', () => {
    const answers = [1, 2, 3, 4, 5, 6].map((seed) => named({ kind: null, service: '', seed }))
    expect(answers).toEqual(answers.map(() => 'nothing'))
  })
})

/** The answer without what time or order may touch. */
const answer = (input: CaseInput) => {
  const { causes, abstained, path, effect, onsetMs } = diagnose(input)
  return {
    abstained,
    path,
    effect,
    onsetMs,
    causes: causes.map(({ service, kind, score }) => ({ service, kind, score })),
  }
}

describe('diagnose, as a function', () => {
  const number = fc.oneof(fc.double(), fc.constantFrom(0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300))
  const name = fc.oneof(fc.constantFrom('a', 'b', 'shop-db', '__proto__', 'constructor', ''), fc.string())
  const labels = fc.dictionary(fc.constantFrom('peer', 'status', 'queue', 'provider', 'state', 'credential'), name, {
    maxKeys: 3,
  })
  const anySeries = fc.record({
    service: name,
    metric: fc.oneof(
      fc.constantFrom('up', 'http_requests_total', 'http_request_duration_seconds', 'db_pool_max', 'db_pool_waiting'),
      fc.constantFrom('disk_free_bytes', 'disk_size_bytes', 'queue_depth', 'llm_errors_total', 'x_expiry_seconds', 'y'),
    ),
    as: fc.constantFrom('value' as const, 'rate' as const, 'mean' as const, 'quantile' as const),
    labels,
    query: fc.string(),
    points: fc.array(fc.tuple(number, number), { maxLength: 12 }),
  })
  const anyCase: fc.Arbitrary<CaseInput> = fc.record({
    alertAtMs: number,
    stepMs: number,
    symptoms: fc.array(fc.record({ service: name, name, startsAtMs: number }), { maxLength: 3 }),
    series: fc.array(anySeries, { maxLength: 8 }),
    logs: fc.array(
      fc.record({
        at: number,
        service: name,
        level: fc.constantFrom('info' as const, 'error' as const),
        message: fc.string(),
        ref: fc.string(),
      }),
      { maxLength: 8 },
    ),
    changes: fc.array(
      fc.record({
        id: name,
        at: number,
        service: name,
        kind: fc.constantFrom('deploy' as const, 'other' as const),
        summary: name,
      }),
      { maxLength: 3 },
    ),
    topology: fc.array(fc.record({ caller: name, callee: name }), { maxLength: 8 }),
  })

  it('never throws, and what it says can be stored, whatever it is given', () => {
    fc.assert(
      fc.property(anyCase, (input) => {
        for (const found of diagnose(input).causes) {
          expect(found.confidence).toBeGreaterThanOrEqual(0)
          expect(found.confidence).toBeLessThanOrEqual(1)
          expect(cause.safeParse(JSON.parse(JSON.stringify(found))).success).toBe(true)
        }
      }),
    )
  })

  it('knows no names: other names for the services give the same answer about them', () => {
    const renamed = fc.record({
      fault: fc.constantFrom(...FAULTS.filter(([kind]) => kind !== 'provider_failure')),
      seed: fc.integer({ min: 1, max: 20 }),
      shift: fc.integer({ min: 1, max: 7 }),
    })
    fc.assert(
      fc.property(renamed, ({ fault: [kind, service], seed, shift }) => {
        const input = makeCase({ kind, service, seed })
        const names = [...new Set(input.topology.flatMap(({ caller, callee }) => [caller, callee]))]
          .filter((name) => !name.includes('db'))
          .sort()
        const others = new Map(names.map((name, i) => [name, names[(i + shift) % names.length] ?? name]))
        const text = JSON.stringify(input)
        const pattern = new RegExp(names.toSorted((a, b) => b.length - a.length).join('|'), 'g')
        const other = JSON.parse(text.replaceAll(pattern, (name) => others.get(name) ?? name)) as CaseInput
        const [mine] = diagnose(input).causes
        const [theirs] = diagnose(other).causes
        expect(theirs?.service).toBe(others.get(mine?.service ?? '') ?? mine?.service)
        expect(theirs?.kind).toBe(mine?.kind)
        expect(theirs?.score).toBeCloseTo(mine?.score ?? 0, 6)
      }),
      { numRuns: 10 },
    )
  })

  it('abstains on nothing', () => {
    const nothing = { series: [], logs: [], changes: [], topology: [], symptoms: [] }
    expect(diagnose({ alertAtMs: START_MS, stepMs: 1000, ...nothing })).toMatchObject({
      abstained: true,
      causes: [],
      onsetMs: null,
    })
  })

  it('does not depend on the order of what it is given', () => {
    const input = makeCase({ kind: 'bad_deploy', service: 'checkout', seed: 3 })
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (keys) => {
        const shuffle = <T>(list: readonly T[]): T[] =>
          list
            .map((one) => ({ one, key: keys.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ one }) => one)
        const shuffled = {
          ...input,
          series: shuffle(input.series).map((one) => ({ ...one, points: shuffle(one.points) })),
          logs: shuffle(input.logs),
          changes: shuffle(input.changes),
          topology: shuffle(input.topology),
        }
        expect(answer(shuffled)).toEqual(answer(input))
      }),
      { numRuns: 5 },
    )
  })

  it('moves its onset with time and says the same', () => {
    const input = makeCase({ kind: 'pool_exhausted', service: 'inventory', seed: 2 })
    const shiftMs = 7 * 86_400_000
    const moved: CaseInput = {
      ...input,
      alertAtMs: input.alertAtMs + shiftMs,
      symptoms: input.symptoms.map((one) => ({ ...one, startsAtMs: one.startsAtMs + shiftMs })),
      series: input.series
        .filter(({ metric }) => metric !== 'credential_expiry_timestamp_seconds')
        .map((one) => ({ ...one, points: one.points.map(([at, value]) => [at + shiftMs, value] as const) })),
      logs: input.logs.map((line) => ({ ...line, at: line.at + shiftMs })),
      changes: input.changes.map((change) => ({ ...change, at: change.at + shiftMs })),
    }
    const [here, there] = [answer(input), answer(moved)]
    expect(there).toEqual({ ...here, onsetMs: (here.onsetMs ?? 0) + shiftMs })
  })

  it('does not depend on the unit of what it measures', () => {
    const input = makeCase({ kind: 'slow_dependency', service: 'card-network', seed: 4 })
    const scale = (factor: number): CaseInput => ({
      ...input,
      series: input.series.map((one) =>
        one.metric.includes('http') && one.metric.includes('duration')
          ? { ...one, points: one.points.map(([at, value]) => [at, value * factor] as const) }
          : one,
      ),
    })
    expect(answer(scale(1024)).causes).toEqual(answer(input).causes)
    expect(answer(scale(1 / 1024)).causes).toEqual(answer(input).causes)
  })
})

describe('diagnose, on a contaminated or short past', () => {
  it('names the cause with thirty points of quiet at two seconds', () => {
    const answers = [1, 2, 3, 4].map((seed) => named({ kind: 'cpu', service: 'catalogue', seed, quietSeconds: 60 }))
    expect(answers).toEqual(answers.map(() => 'catalogue cpu'))
  })

  it('is not misled by an earlier incident that is over', () => {
    const answers = [1, 2, 3].map((seed) => {
      const earlier = makeCase({ kind: 'bad_deploy', service: 'catalogue', seed, quietSeconds: 60, afterSeconds: 20 })
      const later = makeCase({ kind: 'disk_full', service: 'cart', seed, quietSeconds: 160 })
      const known = new Map(
        earlier.series.map((one) => [JSON.stringify([one.service, one.metric, one.as, one.labels]), one]),
      )
      const series = later.series.map((one) => {
        const before = known.get(JSON.stringify([one.service, one.metric, one.as, one.labels]))
        const taken = new Map(before?.points.filter(([at]) => at < START_MS + 100_000))
        return { ...one, points: one.points.map(([at, value]) => [at, taken.get(at) ?? value] as const) }
      })
      const { causes } = diagnose({ ...later, series })
      return `${causes[0]?.service} ${causes[0]?.kind}`
    })
    expect(answers).toEqual(answers.map(() => 'cart disk_full'))
  })

  it('does not blame a change that came after the trouble, nor one elsewhere', () => {
    const { causes } = diagnose(makeCase({ kind: 'disk_full', service: 'cart', seed: 5 }))
    const blamed = causes.flatMap(({ evidence }) =>
      evidence.flatMap(({ ref }) => (ref.kind === 'change' ? [ref.id] : [])),
    )
    expect(blamed).toEqual([])
  })

  it('rules out the loud victim, with the reason', () => {
    const { ruledOut } = diagnose(makeCase({ kind: 'slow_dependency', service: 'card-network', seed: 1 }))
    expect(ruledOut.find(({ service }) => service === 'storefront')?.reason).toContain(
      'comes from its calls to checkout',
    )
  })
})
